package stdio

import (
	"bytes"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/demux"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

func parse(t testing.TB, raw string) *jsonrpc.Message {
	t.Helper()
	m, err := jsonrpc.Parse([]byte(raw), jsonrpc.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return m
}

// TestRewrite changes the id and the progress token and not another byte.
func TestRewrite(t *testing.T) {
	for _, tt := range []struct{ in, want, token string }{
		{`{"jsonrpc":"2.0", "id":"a\u0062","method":"m"}`, `{"jsonrpc":"2.0", "id":7,"method":"m"}`, ""},
		{`{"id":1,"jsonrpc":"2.0","method":"m","params":{"_meta":{"progressToken": "x"},"n":1.0}}`, `{"id":7,"jsonrpc":"2.0","method":"m","params":{"_meta":{"progressToken": 7},"n":1.0}}`, `"x"`},
		{`{"params":{"_meta":{"progressToken":5}},"method":"m","id":1,"jsonrpc":"2.0"}`, `{"params":{"_meta":{"progressToken":7}},"method":"m","id":7,"jsonrpc":"2.0"}`, `5`},
	} {
		raw, token, err := rewriteRequest(parse(t, tt.in), 7)
		if err != nil || string(raw) != tt.want || string(token) != tt.token {
			t.Errorf("%s became %s, token %s, %v", tt.in, raw, token, err)
		}
	}
}

// TestRestore puts the client's own names back, and only where they stand for ours.
func TestRestore(t *testing.T) {
	r := &rewritten{id: jsontext.Value(`"mine"`), token: jsontext.Value(`"tok"`)}
	for _, tt := range []struct {
		in, want string
		ptr      jsontext.Pointer
	}{
		{`{"jsonrpc":"2.0","id":7,"result":{"id":7}}`, `{"jsonrpc":"2.0","id":"mine","result":{"id":7}}`, subInResult},
		{`{"jsonrpc":"2.0","id":7,"result":{"_meta":{"io.modelcontextprotocol/subscriptionId":7}}}`, `{"jsonrpc":"2.0","id":"mine","result":{"_meta":{"io.modelcontextprotocol/subscriptionId":"mine"}}}`, subInResult},
		{`{"result":{"_meta":{"io.modelcontextprotocol/subscriptionId":7}},"id":7,"jsonrpc":"2.0"}`, `{"result":{"_meta":{"io.modelcontextprotocol/subscriptionId":"mine"}},"id":"mine","jsonrpc":"2.0"}`, subInResult},
		{`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7,"progress":7}}`, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"tok","progress":7}}`, tokenInNotice},
		{`{"jsonrpc":"2.0","method":"n","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":8}}}`, `{"jsonrpc":"2.0","method":"n","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":8}}}`, subInNotice},
	} {
		if got := restore(parse(t, tt.in), r, tt.ptr, jsontext.Value("7")); string(got) != tt.want {
			t.Errorf("%s became %s, want %s", tt.in, got, tt.want)
		}
	}
}

// FuzzRewrite: whatever the message, rewriting and restoring a response keeps
// it well-formed and about the same id.
func FuzzRewrite(f *testing.F) {
	f.Add(`{"jsonrpc":"2.0","id":"a","method":"m","params":{"_meta":{"progressToken":{"x":1}}}}`)
	f.Fuzz(func(t *testing.T, in string) {
		m, err := jsonrpc.Parse([]byte(in), jsonrpc.Limits{})
		if err != nil || m.Kind != jsonrpc.Request {
			return
		}
		raw, _, err := rewriteRequest(m, 7)
		if err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		again, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
		if err != nil || string(again.ID) != "7" || again.Method != m.Method {
			t.Fatalf("%s became %s: %v", in, raw, err)
		}
	})
}

// TestUnnamedNotifications: what names no request goes to the only one that is
// under way, whoever listens to changes meanwhile, and among two to neither.
func TestUnnamedNotifications(t *testing.T) {
	log := `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}`
	for _, tt := range []struct {
		name    string
		calls   []string
		heardBy int64 // 0 = nobody
	}{
		{"one call", []string{"tools/call"}, 1},
		{"a call beside a subscription", []string{"subscriptions/listen", "tools/call"}, 2},
		{"a call beside two subscriptions", []string{"subscriptions/listen", "tools/call", "subscriptions/listen"}, 2},
		{"two calls", []string{"tools/call", "tools/call"}, 0},
		{"a subscription", []string{"subscriptions/listen"}, 1},
		{"two subscriptions", []string{"subscriptions/listen", "subscriptions/listen"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := pool(t, Config{Processes: 1, PerOwner: 1, Idle: time.Hour})
			s := p.Shared(Server{Key: "k", Owner: "o", Before: func() error { return nil }, Target: upstream.Target{Command: []string{"/bin/sleep", "60"}}})
			for _, method := range tt.calls {
				if _, err := s.Call(parse(t, `{"jsonrpc":"2.0","id":"same","method":"`+method+`"}`)); err != nil {
					t.Fatal(err)
				}
			}
			s.mu.Lock()
			s.route(parse(t, log))
			calls := maps.Clone(s.calls)
			s.mu.Unlock()
			for id, r := range calls {
				r.End(nil)
				if _, err := r.Next(t.Context()); (err == nil) != (id == tt.heardBy) {
					t.Errorf("request %d heard it: %v", id, err == nil)
				}
			}
		})
	}
}

// echo is a server of one line: it sends back what it gets.
var echo = upstream.Target{Command: []string{"/bin/cat"}}

func pool(t *testing.T, cfg Config) *Pool {
	t.Helper()
	p := NewPool(cfg)
	t.Cleanup(p.Close)
	return p
}

// TestPool counts processes per owner and in all, and starts none that may not be.
func TestPool(t *testing.T) {
	p := pool(t, Config{Processes: 3, PerOwner: 2, Idle: time.Hour})
	of := func(owner string, no error) Server {
		return Server{Key: owner, Owner: owner, Target: echo, Before: func() error { return no }}
	}
	first, err := p.Session(of("a", nil))
	if err != nil {
		t.Skipf("no /bin/cat to start: %v", err)
	}
	if _, err := p.Session(of("a", nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Session(of("a", nil)); !errors.Is(err, ErrBusy) {
		t.Errorf("third of one owner: %v", err)
	}
	if _, err := p.Session(of("b", nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Session(of("c", nil)); !errors.Is(err, ErrBusy) {
		t.Errorf("fourth of all: %v", err)
	}
	first.Close()
	refused := errors.New("not on record")
	if _, err := p.Session(of("c", refused)); !errors.Is(err, refused) {
		t.Errorf("unrecorded start: %v", err)
	}
	last, err := p.Session(of("c", nil))
	if err != nil {
		t.Fatalf("a refused start kept its place: %v", err)
	}
	if err := last.Send([]byte(`{"jsonrpc":"2.0","method":"hello"}`)); err != nil {
		t.Fatal(err)
	}
	c, err := last.Listen()
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := c.Next(t.Context()); err != nil || !bytes.Contains(raw, []byte("hello")) {
		t.Errorf("%q, %v", raw, err)
	}
	if _, err := last.Call(parse(t, `{"jsonrpc":"2.0","id":1,"method":"m"}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := last.Call(parse(t, `{"jsonrpc":"2.0","id":1,"method":"m"}`)); !errors.Is(err, demux.ErrIDInUse) {
		t.Errorf("same id twice: %v", err)
	}
}
