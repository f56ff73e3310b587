package bridge

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

const one = `"name":"one","arguments":{"n":9007199254740993}`

func TestCallKeepsBytes(t *testing.T) {
	f := newFake(t)
	f.on[protocol.MethodToolsCall] = func(_ context.Context, m *jsonrpc.Message, a *spoken) {
		a.raw(`{"params":{"progress":1.50,"progressToken":` + string(m.ID) + `,"x":[1e2]},"method":"notifications/progress","jsonrpc":"2.0"}`)
		a.raw(`{"jsonrpc":"2.0","id":4711,"result":{"content":["somebody else's"]}}`)
		a.raw(`{"id":` + string(m.ID) + ` ,"jsonrpc":"2.0","result":{ "content":[],"n":9007199254740993,"u":"\u00e9"}}`)
	}
	c := serve(t, f, nil)
	a, err := c.ask(`"a"`, protocol.MethodToolsCall, one+`,"task":{"ttl":1}`, `,"progressToken":"mine","x/y":1`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.said(a)
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	if got, want := string(all[0].Raw), `{"params":{"progress":1.50,"progressToken":"mine","x":[1e2]},"method":"notifications/progress","jsonrpc":"2.0"}`; got != want {
		t.Errorf("progress %s", got)
	}
	if got, want := string(all[1].Raw), `{"id":"a" ,"jsonrpc":"2.0","result":{"resultType":"complete", "content":[],"n":9007199254740993,"u":"\u00e9"}}`; got != want {
		t.Errorf("result %s", got)
	}
	got := f.sent(protocol.MethodToolsCall)
	if want := `{"name":"one","arguments":{"n":9007199254740993},"_meta":{"progressToken":` + string(got[0].ID) + `,"x/y":1}}`; len(got) != 1 || string(got[0].Params) != want {
		t.Errorf("the server got %s", got[0].Params)
	}
}

// Sixteen at once open one session; where its opening fails, whoever waited for
// it opens another.
func TestOneOpensForAll(t *testing.T) {
	f := newFake(t)
	var mu sync.Mutex
	dials := 0
	c := serve(t, f, nil)
	c.dial = func() (Server, error) {
		mu.Lock()
		defer mu.Unlock()
		if dials++; dials == 1 {
			return nil, errors.New("not now")
		}
		return f, nil
	}
	var wait sync.WaitGroup
	failed := 0
	for i := range 16 {
		wait.Go(func() {
			if _, err := c.call(fmt.Sprint(i), one); err != nil {
				mu.Lock()
				failed++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if failed != 1 || dials != 2 || len(f.sent(protocol.MethodInitialize)) != 1 {
		t.Errorf("%d failed, %d dials, %d sessions", failed, dials, len(f.sent(protocol.MethodInitialize)))
	}
}

func TestSessionsAreBounded(t *testing.T) {
	f := newFake(t)
	block := make(chan struct{})
	f.on["prompts/get"] = func(_ context.Context, m *jsonrpc.Message, a *spoken) { <-block; a.result(m, `{}`) }
	c := serve(t, f, nil)
	named := func(key Key, name string, method string) (Answers, error) {
		return c.servers.Ask(t.Context(), key, c.dial, request(t, "1", method, one, `,"io.modelcontextprotocol/clientInfo":{"name":"`+name+`","version":"1"}`))
	}
	finish := func(a Answers, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.said(a); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 6 { // the caller's own sessions make room for each other
		finish(named(alice, fmt.Sprint("c", i), protocol.MethodToolsCall))
	}
	if n, _ := c.servers.Open(); n != 4 {
		t.Errorf("%d sessions of one caller", n)
	}
	eventually(t, "two are closed", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.closed == 2 })
	for _, who := range []string{"u", "v", "w", "x", "y"} { // and all together for anybody
		key := bob
		key.Principal, key.KeyID = who, who
		finish(named(key, "c", protocol.MethodToolsCall))
	}
	if n, _ := c.servers.Open(); n != 8 {
		t.Errorf("%d sessions of all", n)
	}
	var busy []Answers
	for i := range 4 {
		a, err := named(bob, fmt.Sprint("b", i), "prompts/get")
		if err != nil {
			t.Fatal(err)
		}
		busy = append(busy, a)
	}
	if _, err := named(bob, "b5", "prompts/get"); !errors.Is(err, ErrSessions) {
		t.Errorf("a fifth in use: %v", err)
	}
	close(block)
	for _, a := range busy {
		finish(a, nil)
	}
	finish(named(bob, "b5", protocol.MethodToolsCall))
}

func TestIdleSessionsAreClosed(t *testing.T) {
	f := newFake(t)
	c := serve(t, f, func(cfg *Config) { cfg.Idle = 50 * time.Millisecond })
	c.mustCall("1", one)
	eventually(t, "it is closed", func() bool {
		n, _ := c.servers.Open()
		f.mu.Lock()
		defer f.mu.Unlock()
		return n == 0 && f.closed == 1
	})
	c.mustCall("2", one)
	if n := len(f.sent(protocol.MethodInitialize)); n != 2 {
		t.Errorf("%d sessions", n)
	}
}

// A caller without room for another process gives up one that is not in use.
func TestBusyMakesRoom(t *testing.T) {
	f := newFake(t)
	c := serve(t, f, nil)
	running := 0
	c.dial = func() (Server, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if running-f.closed >= 1 {
			return nil, ErrBusy
		}
		running++
		return f, nil
	}
	c.mustCall("1", one)
	other := c.as(alice)
	other.key.Instance = "j"
	other.mustCall("2", one)
	if _, err := c.as(bob).call("3", one); !errors.Is(err, ErrBusy) {
		t.Errorf("another caller's process made room: %v", err)
	}
}

// What a server says of a session that it does not know.
func TestForgottenSessions(t *testing.T) {
	gone := `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no session"}}`
	for name, c := range map[string]struct {
		status  int
		body    string
		tries   int  // calls that reach the server while it is so
		answer  bool // there is an answer
		renewed bool // the next call is made in a new session
	}{
		"404":                           {404, "", 2, false, true},
		"404 with an error":             {404, gone, 2, false, true},
		"404 of the method":             {404, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"m"}}`, 1, true, false},
		"400 without a message":         {400, "", 1, false, true},
		"400 of nobody's request":       {400, gone, 1, true, true},
		"400 of this request":           {400, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"m"}}`, 1, true, false},
		"500":                           {500, "", 1, false, false},
		"500 with a result":             {500, `{"jsonrpc":"2.0","id":%s,"result":{}}`, 1, false, false},
		"401 with somebody's response":  {401, `{"jsonrpc":"2.0","id":4711,"error":{"code":1,"message":"m"}}`, 1, false, false},
		"403 with an error of this one": {403, `{"jsonrpc":"2.0","id":%s,"error":{"code":1,"message":"m"}}`, 1, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := &refusing{fake: newFake(t)}
			client := serve(t, f, nil)
			client.mustCall("1", one)
			f.set(c.status, c.body)
			m, err := client.call("2", one)
			if (err == nil) != c.answer || err == nil && m.Error == nil {
				t.Errorf("%v, %v", m, err)
			}
			if n := len(f.sent(protocol.MethodToolsCall)); n != 1+c.tries {
				t.Errorf("the call was sent %d times", n-1)
			}
			f.set(0, "")
			before := len(f.sent(protocol.MethodInitialize))
			client.mustCall("3", one)
			if n := len(f.sent(protocol.MethodInitialize)) - before; (n == 1) != c.renewed && c.status != 404 {
				t.Errorf("%d new sessions", n)
			}
		})
	}
}

// A server that dies in a call: one error, and the call is not sent again.
func TestDeadServer(t *testing.T) {
	f := newFake(t)
	f.on[protocol.MethodToolsCall] = func(_ context.Context, _ *jsonrpc.Message, a *spoken) { a.err = upstream.ErrClosed }
	c := serve(t, f, nil)
	if _, err := c.call("1", one); !errors.Is(err, upstream.ErrClosed) {
		t.Errorf("%v", err)
	}
	f.on[protocol.MethodToolsCall] = func(context.Context, *jsonrpc.Message, *spoken) {} // ends without a word
	if _, err := c.call("2", one); err == nil {
		t.Error("an answer that ended without a response")
	}
	if n := len(f.sent(protocol.MethodToolsCall)); n != 2 {
		t.Errorf("%d calls", n)
	}
	if _, waiting := c.servers.Open(); waiting != 0 {
		t.Errorf("%d wait", waiting)
	}
}

// A client that leaves cancels its call.
func TestLeavingCancels(t *testing.T) {
	f := newFake(t)
	ended := make(chan struct{})
	f.on[protocol.MethodToolsCall] = func(ctx context.Context, _ *jsonrpc.Message, _ *spoken) { <-ctx.Done(); close(ended) }
	c := serve(t, f, nil)
	ctx, cancel := context.WithCancel(t.Context())
	a, err := c.servers.Ask(ctx, c.key, c.dial, request(t, "1", protocol.MethodToolsCall, one, ""))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := a.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	a.Close()
	<-ended
	m := f.next(protocol.NotificationCancelled)
	if string(at(m.Params, "requestId")) != string(f.sent(protocol.MethodToolsCall)[0].ID) {
		t.Errorf("cancelled %s", m.Params)
	}
}

// Log messages reach the requests that ask for them, from their level on.
func TestLevels(t *testing.T) {
	f := newFake(t)
	f.on[protocol.MethodToolsCall] = func(_ context.Context, m *jsonrpc.Message, a *spoken) {
		for _, level := range []string{"debug", "info", "error", "none"} {
			a.raw(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"` + level + `","data":1}}`)
		}
		a.result(m, `{}`)
	}
	c := serve(t, f, nil)
	for _, want := range []struct {
		meta, heard string
		set         int
	}{
		{``, "", 0},
		{`,"io.modelcontextprotocol/logLevel":"info"`, "info error", 1},
		{`,"io.modelcontextprotocol/logLevel":"error"`, "error", 1},
		{``, "", 1},
		{`,"io.modelcontextprotocol/logLevel":"debug"`, "debug info error", 2},
		{`,"io.modelcontextprotocol/logLevel":"loud"`, "", 2},
	} {
		a, err := c.ask("1", protocol.MethodToolsCall, one, want.meta)
		if err != nil {
			t.Fatal(err)
		}
		all, err := c.said(a)
		if err != nil {
			t.Fatal(err)
		}
		var heard []string
		for _, m := range all[:len(all)-1] {
			heard = append(heard, jsonrpc.Text(m.Params, "/level"))
		}
		if got := strings.Join(heard, " "); got != want.heard {
			t.Errorf("%q heard %q", want.meta, got)
		}
		if n := len(f.sent(protocol.MethodLoggingSetLevel)); n != want.set {
			t.Errorf("%q: the level was set %d times", want.meta, n)
		}
	}
}

// Extensions pass as they are; what the protocol defines ends in the bridge.
func TestExtensions(t *testing.T) {
	f := newFake(t)
	f.on["vendor/do"] = func(_ context.Context, m *jsonrpc.Message, a *spoken) {
		a.raw(`{"jsonrpc":"2.0","method":"vendor/noted","params":{"x":1}}`)
		a.result(m, `{"x":[1e2]}`)
	}
	c := serve(t, f, nil)
	a, err := c.ask("1", "vendor/do", `"requestState":"s","inputResponses":7`, "")
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.said(a)
	if err != nil || len(all) != 2 || string(all[0].Raw) != `{"jsonrpc":"2.0","method":"vendor/noted","params":{"x":1}}` ||
		string(all[1].Result) != `{"resultType":"complete","x":[1e2]}` {
		t.Errorf("%v, %v", all, err)
	}
	if got := f.sent("vendor/do"); len(got) != 1 || string(got[0].Params) != `{"requestState":"s","inputResponses":7}` {
		t.Errorf("the server got %s", got[0].Params)
	}
	tell := func(raw string) {
		t.Helper()
		m, err := jsonrpc.Parse([]byte(raw), jsonrpc.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.servers.Tell(t.Context(), c.key, c.dial, m); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	tell(`{"jsonrpc":"2.0","method":"vendor/told","params":{"x":1.0}}`)
	tell(`{"jsonrpc":"2.0","method":"vendor/told"}`)
	tell(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	if got := f.sent("vendor/told"); len(got) != 2 || string(got[0].Params) != `{"x":1.0}` {
		t.Errorf("told %v", got)
	}
	if len(f.sent(protocol.NotificationCancelled)) != 0 || len(f.sent(protocol.MethodInitialize)) != 1 {
		t.Error("a notification of the protocol passed, or one opened a session of its own")
	}
}

// A key that is no longer in force takes its sessions along, and what waits in them.
func TestClosedWithTheKey(t *testing.T) {
	f := asking(t, 1)
	c := serve(t, f, nil)
	state := stateOf(t, c.mustCall("1", one))
	if ids := c.servers.KeyIDs(); len(ids) != 1 || ids[0] != "a1" {
		t.Errorf("keys %v", ids)
	}
	c.servers.CloseIf(func(k Key) bool { return k.KeyID == "b1" })
	if n, waiting := c.servers.Open(); n != 1 || waiting != 1 {
		t.Fatalf("%d sessions, %d wait", n, waiting)
	}
	c.servers.CloseIf(func(k Key) bool { return k.KeyID == "a1" })
	eventually(t, "nothing is left", func() bool {
		n, waiting := c.servers.Open()
		f.mu.Lock()
		defer f.mu.Unlock()
		return n == 0 && waiting == 0 && f.closed == 1
	})
	if _, err := c.call("2", one+given(state)); !errors.Is(err, ErrState) {
		t.Errorf("the state still opens: %v", err)
	}
}

// So does a session that lets nobody new in: what waits in it ends with the key.
func TestRetiredClosedWithTheKey(t *testing.T) {
	f := asking(t, 1)
	c := serve(t, f, nil)
	state := stateOf(t, c.mustCall("1", one))
	c.servers.mu.Lock()
	held := c.servers.parked[state].session
	c.servers.mu.Unlock()
	c.servers.retire(held)
	if ids := c.servers.KeyIDs(); len(ids) != 1 || ids[0] != "a1" {
		t.Errorf("keys %v", ids)
	}
	c.servers.CloseIf(func(k Key) bool { return k.KeyID == "a1" })
	eventually(t, "nothing is left", func() bool {
		n, waiting := c.servers.Open()
		return n == 0 && waiting == 0
	})
}
