package attack

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// localCommand has the test binary speak as a local server instead of testing.
const localCommand = "speak-as-a-local-server"

// speak is the local server "cellar": it answers over stdio as its cue says,
// in both eras.
func speak() {
	a := newStage().newActor("cellar", protocol.Modern)
	out := bufio.NewWriter(os.Stdout)
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(out, format+"\n", args...)
		out.Flush()
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		m, err := jsonrpc.Parse(line, jsonrpc.Limits{})
		if err != nil || m.Kind != jsonrpc.Request {
			continue
		}
		switch cue := jsonrpc.Text(m.Raw, "/params/arguments/cue"); cue {
		case "die":
			os.Exit(3)
		case "hang":
			continue
		case "rubbish":
			say("this is no JSON")
		case "shout":
			fmt.Fprintln(os.Stderr, strings.Repeat("noise ", 1<<16))
		case "progress":
			if token, _, _, err := jsonrpc.Get(m.Raw, "/params/_meta/progressToken"); err == nil {
				say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1}}`, token)
			}
		case "echo":
			text, _, _, _ := jsonrpc.Get(m.Raw, "/params/arguments/text")
			say(`{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete","content":[{"type":"text","text":%s}]}}`, m.ID, text)
			continue
		}
		if result := a.results[m.Method]; result != "" {
			say(`{"jsonrpc":"2.0","id":%s,"result":%s}`, m.ID, result)
			continue
		}
		say("%s", jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "no such method", nil))
	}
}

var cellar struct {
	once sync.Once
	err  error
}

// theCellar publishes the local server once.
func theCellar(t testing.TB, w *world) *actor {
	t.Helper()
	cellar.once.Do(func() {
		self, err := os.Executable()
		for name, body := range map[string]string{ // a package that depends on nothing
			"package.json":      `{"name":"cellar","version":"1.0.0"}`,
			"package-lock.json": `{"name":"cellar","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{"":{"name":"cellar","version":"1.0.0"}}}`,
		} {
			err = errors.Join(err, os.MkdirAll(w.Path("cellar"), 0o700), os.WriteFile(filepath.Join(w.Path("cellar"), name), []byte(body), 0o600))
		}
		if cellar.err = err; err != nil {
			return
		}
		cellar.err = w.Admit("cellar", map[string]any{"packages": []any{map[string]any{
			"registryType": "npm", "identifier": "cellar", "version": "1.0.0", "transport": map[string]any{"type": "stdio"},
		}}}, "--artifact", w.Path("cellar"), "--unsafe-run", "--", self, localCommand)
	})
	if cellar.err != nil {
		t.Fatal(cellar.err)
	}
	return &actor{name: "cellar", era: protocol.Modern}
}

// TestLocalDeath (row 18): a local server that dies under a call, or answers
// what is no message, is one error; the call is not sent again, and other
// callers' servers live on.
func TestLocalDeath(t *testing.T) {
	w := enter(t)
	a := theCellar(t, w)
	d, err := w.open("local", "gateway:\n  unsafeRun: true\n")
	if err != nil {
		t.Fatal(err)
	}
	w.seen(t, d, a)
	key, err := w.Key("cellarer", "--role", "agent")
	if err != nil {
		t.Fatal(err)
	}
	call := func(token, cue string) reply {
		body, header := modern("1", "tools/call", a.act(cue))
		return do(t, newRequest(t, http.MethodPost, d.url+"/mcp/cellar", token, body, header...))
	}
	alice, mine := d.visit(t, "cellar", w.alice), d.visit(t, "cellar", key)
	e := call(key, "die").told(t)
	if e.Data.Reason != "upstream_gone" {
		t.Errorf("%+v", e)
	}
	d.onRecord(t, e.Data.AuditID, "upstream_gone")
	r := mine.call(t, 1, "tools/call", a.act("die"))
	d.refused(t, r, http.StatusBadGateway, protocol.CodeInternalError, "upstream_gone")
	if r := mine.call(t, 2, "tools/call", a.act("")); r.status != http.StatusNotFound {
		t.Errorf("the session of a server that died: %d %s", r.status, r.body)
	}
	if r := alice.call(t, 3, "tools/call", a.act("")); r.status != http.StatusOK || r.text(t) != "fine" {
		t.Errorf("another caller's server: %d %s", r.status, r.body)
	}
	if r := call(w.alice, ""); r.status != http.StatusOK {
		t.Errorf("another caller: %d %s", r.status, r.body)
	}
	for _, cue := range []string{"rubbish", "shout", "progress"} { // what ends a server, or not, never ends the gateway
		if r := call(key, cue); r.status != http.StatusOK {
			e := r.told(t)
			d.onRecord(t, e.Data.AuditID, e.Data.Reason)
		}
	}
	// A call was asked for once and begun once, whatever became of it.
	intents := len(d.events(t, audit.Query{Code: "call_intent", Principal: "cellarer"}))
	outcomes := len(d.events(t, audit.Query{Code: "call_outcome", Principal: "cellarer", Entry: "cellar_act"}))
	if intents != 5 || outcomes != 5 {
		t.Errorf("%d intents and %d outcomes of 5 calls", intents, outcomes)
	}
	if len(d.events(t, audit.Query{Code: "server_ended"})) == 0 {
		t.Error("no end of a server is on record")
	}
}
