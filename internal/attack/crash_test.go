package attack

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// load is clients that call without pause until they are told to stop.
type load struct {
	stop chan struct{}
	work sync.WaitGroup

	mu      sync.Mutex
	digests map[string]string // of the request, by cue
	acked   map[string]bool   // answered with a result
	refused map[string]int    // answers of the gateway's, by status
	lost    int               // not answered at all
}

// breath is how long a client waits before each call.
const breath = 10 * time.Millisecond

// calls has clients call a tool of the actor, each call with a cue of its own.
//
// Clients take a breath: a load that takes all of the
// machine makes logs which take longer to read than the test.
func (d *door) calls(t *testing.T, a *actor, token, cue string, clients int) *load {
	t.Helper()
	l := &load{stop: make(chan struct{}), digests: map[string]string{}, acked: map[string]bool{}, refused: map[string]int{}}
	for client := range clients {
		own := &http.Client{Transport: &http.Transport{}}
		l.work.Go(func() {
			defer own.CloseIdleConnections()
			for i := 0; ; i++ {
				select {
				case <-l.stop:
					return
				case <-time.After(breath):
				}
				name := fmt.Sprintf("%s-%d-%d.", cue, client, i)
				body, header := modern("1", "tools/call", a.act(name))
				sum := sha256.Sum256([]byte(body))
				req := newRequest(t, http.MethodPost, d.url+"/mcp/"+a.name, token, body, header...)
				if !l.note(name, "sha256:"+hex.EncodeToString(sum[:]), own, req) {
					return // the gateway is gone
				}
			}
		})
	}
	return l
}

// note makes a call and notes what became of it; false when there was no answer.
func (l *load) note(name, digest string, client *http.Client, req *http.Request) bool {
	l.mu.Lock()
	l.digests[name] = digest
	l.mu.Unlock()
	resp, err := client.Do(req)
	var body []byte
	if err == nil {
		body, err = io.ReadAll(resp.Body)
		resp.Body.Close()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.lost++
	case resp.StatusCode == http.StatusOK && strings.Contains(string(body), `"result"`):
		l.acked[name] = true
	default:
		l.refused[fmt.Sprintf("%d %s", resp.StatusCode, jsonrpc.Text(body, "/error/data/reason"))]++
	}
	return err == nil
}

// answered is how many calls were.
func (l *load) answered() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

func (l *load) end() {
	close(l.stop)
	l.work.Wait()
}

// ledger is what the audit log says of calls: digests of requests by stage, and
// outcomes by the call that they belong to.
type ledger struct {
	intents  map[string]string // digest → correlation
	outcomes map[string][]audit.Result
	answers  map[string]bool // digests with an outcome that was answered
}

func (d *door) ledger(t *testing.T, principal string) ledger {
	t.Helper()
	l := ledger{intents: map[string]string{}, outcomes: map[string][]audit.Result{}, answers: map[string]bool{}}
	for rec, err := range audit.Scan(t.Context(), d.data+"/audit", audit.Query{
		Principal: principal,
		Damaged:   func(segment string, at int64) { t.Errorf("damaged record in %s at %d", segment, at) },
	}) {
		if err != nil {
			t.Fatal(err)
		}
		u, m := rec.Event.Unmapped, rec.Event.Metadata
		switch {
		case u == nil:
		case m.EventCode == "call_intent" && u.Request != nil:
			l.intents[u.Request.Digest] = m.CorrelationUID
		case m.EventCode == "call_outcome":
			l.outcomes[m.CorrelationUID] = append(l.outcomes[m.CorrelationUID], u.Result)
			if u.Request != nil && u.Result == audit.Answered {
				l.answers[u.Request.Digest] = true
			}
		}
	}
	return l
}

// settled holds the log against what clients and servers saw: what was
// acknowledged has its outcome, what arrived its intent, and each intent ends
// exactly once.
func (l ledger) settled(t *testing.T, load *load, a *actor, cue string) {
	t.Helper()
	for name := range load.acked {
		if !l.answers[load.digests[name]] {
			t.Errorf("%s was acknowledged and has no outcome on record", name)
		}
	}
	arrived := 0
	for name, digest := range load.digests {
		if n := len(a.saw(`"` + name + `"`)); n > 1 {
			t.Errorf("%s arrived %d times", name, n)
		} else if n == 1 {
			arrived++
			if l.intents[digest] == "" {
				t.Errorf("%s arrived and has no intent on record", name)
			}
		}
	}
	for _, correlation := range l.intents {
		if n := len(l.outcomes[correlation]); n != 1 {
			t.Errorf("call %s has %d outcomes", correlation, n)
		}
	}
	t.Logf("%s: %d calls, %d acknowledged, %d arrived, %d intents, %d not answered, refused %v",
		cue, len(load.digests), len(load.acked), arrived, len(l.intents), load.lost, load.refused)
}

// TestKill (row 28): kill −9 under load loses no acknowledged call from the
// log, and the next start tells of every call that it cut.
func TestKill(t *testing.T) {
	w := enter(t)
	pier := thePier(t, w)
	key, err := w.Key("crasher", "--role", "agent")
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.open("crash", "")
	if err != nil {
		t.Fatal(err)
	}
	w.seen(t, d, pier)
	for round := range 2 {
		cue := fmt.Sprintf("kill%d", round)
		// One call is under way when the end comes.
		arrived := make(chan struct{})
		pier.cue(cue+"-last", func(_ http.ResponseWriter, r *http.Request) { close(arrived); <-r.Context().Done() })
		body, header := modern("1", "tools/call", pier.act(cue+"-last"))
		last := newRequest(t, http.MethodPost, d.url+"/mcp/pier", key, body, header...)
		go func() {
			if resp, err := http.DefaultClient.Do(last); err == nil {
				resp.Body.Close()
			}
		}()
		<-arrived
		load := d.calls(t, pier, key, cue, 6)
		eventually(t, "some calls", func() bool { return load.answered() >= 100 })
		d.Kill()
		load.end()
		if err := d.start(w.Registry, true); err != nil {
			t.Fatal(err)
		}
		l := d.ledger(t, "crasher")
		l.settled(t, load, pier, cue)
		sum := sha256.Sum256([]byte(body))
		if got := l.outcomes[l.intents["sha256:"+hex.EncodeToString(sum[:])]]; len(got) != 1 || got[0] != audit.Unknown {
			t.Errorf("the call under way ended as %q", got)
		}
	}
}

// TestDrain (row 28): SIGTERM under load cuts no call that reached its server.
func TestDrain(t *testing.T) {
	w := enter(t)
	pier := thePier(t, w)
	key, err := w.Key("drainer", "--role", "agent")
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.open("drain", "")
	if err != nil {
		t.Fatal(err)
	}
	w.seen(t, d, pier)
	// Calls that outlast the signal, one of them in a stream.
	release := make(chan struct{})
	var slow sync.WaitGroup
	var begun sync.WaitGroup
	for _, kind := range []string{"drain-body", "drain-stream"} {
		begun.Add(1)
		pier.cue(kind, func(rw http.ResponseWriter, r *http.Request) {
			id := idOf(r)
			if kind == "drain-stream" {
				rw.Header().Set("Content-Type", "text/event-stream")
				fmt.Fprint(rw, `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"begun"}}`+"\n\n")
				rw.(http.Flusher).Flush()
			} else {
				rw.Header().Set("Content-Type", "application/json")
			}
			begun.Done()
			<-release
			answer := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete","content":[{"type":"text","text":"in the end"}]}}`, id)
			if kind == "drain-stream" {
				answer = "data: " + answer + "\n\n"
			}
			_, _ = io.WriteString(rw, answer)
		})
		body, header := modern("1", "tools/call", pier.act(kind))
		req := newRequest(t, http.MethodPost, d.url+"/mcp/pier", key, body, header...)
		slow.Go(func() {
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Errorf("%s: %v", kind, err)
				return
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), "in the end") {
				t.Errorf("%s: %v %s", kind, err, body)
			}
		})
	}
	begun.Wait()
	load := d.calls(t, pier, key, "drain", 6)
	eventually(t, "some calls", func() bool { return load.answered() >= 100 })
	ended := make(chan int, 1)
	go func() { ended <- d.Stop() }()
	eventually(t, "the gateway says that it drains", func() bool {
		resp, err := http.Get(d.url + "/readyz")
		if err != nil {
			return true
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusServiceUnavailable
	})
	close(release)
	slow.Wait()
	load.end()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d: %s", code, d.Said())
	}
	d.ledger(t, "drainer").settled(t, load, pier, "drain")
	for name := range load.digests { // what reached the server was answered
		if !load.acked[name] && len(pier.saw(`"`+name+`"`)) > 0 {
			t.Errorf("%s was cut", name)
		}
	}
	for answer := range load.refused {
		if answer != "503 shutting_down" {
			t.Errorf("refused with %s", answer)
		}
	}
	if last := d.events(t, audit.Query{Code: "log_closed"}); len(last) != 1 {
		t.Errorf("the log was closed %d times", len(last))
	}
}

// TestReload (row 28): under load a changed configuration is in force whole or
// not at all, and no call is lost.
func TestReload(t *testing.T) {
	w := enter(t)
	a := w.cast(t, "wharf", protocol.Modern, nil)
	config := func(value string) string {
		return fmt.Sprintf("gateway:\n  servers:\n    - alias: wharf\n      server: io.example/wharf\n      url: %s/wharf\n      headers: {X-First: %q, X-Second: %q}\n", w.stage.server.URL, value, value)
	}
	key, err := w.Key("reloader", "--role", "agent")
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.open("reload", config("turn-0"))
	if err != nil {
		t.Fatal(err)
	}
	w.seen(t, d, a)
	reload := func(config string) {
		if err := os.WriteFile(d.yaml, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		d.Signal(syscall.SIGHUP)
	}
	load := d.calls(t, a, key, "reload", 4)
	for turn := 1; turn <= 3; turn++ {
		before := len(d.events(t, audit.Query{Code: "scanners_kept"}))
		for i, broken := range []string{
			"gateway:\n  nonsense: 1\n", config("half") + "\x00", config("broken")[:40], config("broken") + "  unsafeRun: true\n",
			config("broken") + "scanners:\n  extra: [/nowhere.wasm]\n", config("broken") + config("again"),
		} {
			reload(broken)
			eventually(t, "a broken configuration is turned down", func() bool {
				return len(d.events(t, audit.Query{Code: "scanners_kept"})) > before+i
			})
		}
		value := fmt.Sprintf("turn-%d", turn)
		reload(config(value))
		eventually(t, value+" is in force", func() bool { return len(a.saw("X-First: "+value)) > 0 })
	}
	load.end()
	d.ledger(t, "reloader").settled(t, load, a, "reload")
	if load.lost > 0 || len(load.refused) > 0 {
		t.Errorf("%d calls lost, refused %v", load.lost, load.refused)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, got := range a.arrived {
		first, second := got.header.Get("X-First"), got.header.Get("X-Second")
		if first != second || first != "" && !strings.HasPrefix(first, "turn-") {
			t.Errorf("half a configuration was in force: %q and %q", first, second)
		}
	}
	if n := len(d.events(t, audit.Query{Code: "configuration_changed"})); n != 3 {
		t.Errorf("%d changes are on record", n)
	}
}
