package bridge

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// asking is a server that asks as often as rounds says before it answers.
func asking(t *testing.T, rounds int) *fake {
	f := newFake(t)
	f.on[protocol.MethodToolsCall] = func(ctx context.Context, m *jsonrpc.Message, a *spoken) {
		for range rounds {
			a.raw(`{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"Sure?","extra":[1e2]}}`)
			select {
			case reply := <-f.heard:
				for reply.Kind != jsonrpc.Response {
					reply = <-f.heard
				}
				if reply.Error != nil {
					a.result(m, `{"declined":true}`)
					return
				}
			case <-ctx.Done():
				return
			}
		}
		a.result(m, `{"content":[]}`)
	}
	return f
}

func stateOf(t *testing.T, m *jsonrpc.Message) string {
	t.Helper()
	state := jsonrpc.Text(m.Result, "/requestState")
	want := `{"resultType":"input_required","inputRequests":{"input":{"method":"elicitation/create","params":{"message":"Sure?","extra":[1e2]}}},"requestState":"` + state + `"}`
	if state == "" || string(m.Result) != want {
		t.Fatalf("asked %s", m.Raw)
	}
	return state
}

func given(state string) string {
	return `,"inputResponses":{"input":{"action":"accept","content":{"n":9007199254740993}}},"requestState":"` + state + `"`
}

// A state opens for its owner, its server and its request, and once.
func TestStateIsBound(t *testing.T) {
	f := asking(t, 2)
	c := serve(t, f, nil)
	state := stateOf(t, c.mustCall("1", one))
	elsewhere := alice
	elsewhere.Instance = "other"
	tenant := alice
	tenant.Tenant = "u"
	for name, attack := range map[string]func() (*jsonrpc.Message, error){
		"another principal": func() (*jsonrpc.Message, error) { return c.as(bob).call("2", one+given(state)) },
		"another tenant":    func() (*jsonrpc.Message, error) { return c.as(tenant).call("2", one+given(state)) },
		"another server":    func() (*jsonrpc.Message, error) { return c.as(elsewhere).call("2", one+given(state)) },
		"another state":     func() (*jsonrpc.Message, error) { return c.call("2", one+given(state+"A")) },
		"another tool": func() (*jsonrpc.Message, error) {
			return c.call("2", strings.Replace(one, "one", "two", 1)+given(state))
		},
		"another argument": func() (*jsonrpc.Message, error) { return c.call("2", strings.Replace(one, "3}", "2}", 1)+given(state)) },
		"one argument more": func() (*jsonrpc.Message, error) {
			return c.call("2", strings.Replace(one, "{", `{"m":1,`, 1)+given(state))
		},
		"another method": func() (*jsonrpc.Message, error) {
			a, err := c.ask("2", protocol.MethodPromptsGet, one+given(state), "")
			if err == nil {
				a.Close()
			}
			return nil, err
		},
	} {
		if m, err := attack(); !errors.Is(err, ErrState) {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	if n := len(f.sent(protocol.MethodToolsCall)); n != 1 || len(f.heard) > 1 {
		t.Fatalf("%d calls and %d other messages reached the server", n, len(f.heard))
	}
	second := stateOf(t, c.mustCall("3", strings.Replace(one, `"name"`, ` "name"`, 1)+given(state))) // bytes may differ
	if second == state {
		t.Error("a state was used again")
	}
	if _, err := c.call("4", one+given(state)); !errors.Is(err, ErrState) {
		t.Errorf("replayed: %v", err)
	}
	key := alice
	key.KeyID = "a2" // the same principal with another key
	if m, err := c.as(key).call("5", one+given(second)); err != nil || string(m.Raw) != `{"jsonrpc":"2.0","id":5,"result":{"resultType":"complete","content":[]}}` {
		t.Errorf("%v, %v", m, err)
	}
	replies := 0
	for _, m := range f.sent("") {
		if m.Kind == jsonrpc.Response {
			replies++
			if string(m.Result) != `{"action":"accept","content":{"n":9007199254740993}}` {
				t.Errorf("the server got %s", m.Raw)
			}
		}
	}
	if replies != 2 {
		t.Errorf("%d replies", replies)
	}
}

// The current try is the one whose progress token and log level count.
func TestRetryHasItsOwnWishes(t *testing.T) {
	f := newFake(t)
	f.on[protocol.MethodToolsCall] = func(_ context.Context, m *jsonrpc.Message, a *spoken) {
		progress := `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":` + string(m.ID) + `,"progress":1}}`
		a.raw(progress)
		a.raw(`{"jsonrpc":"2.0","id":"q","method":"roots/list"}`)
		for reply := <-f.heard; reply.Kind != jsonrpc.Response; reply = <-f.heard {
		}
		a.raw(progress)
		a.result(m, `{}`)
	}
	c := serve(t, f, nil)
	a, err := c.ask("1", protocol.MethodToolsCall, one, `,"progressToken":"first"`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.said(a)
	if err != nil || len(all) != 2 || jsonrpc.Text(all[0].Params, "/progressToken") != "first" {
		t.Fatalf("%v, %v", all, err)
	}
	state := jsonrpc.Text(all[1].Result, "/requestState")
	if a, err = c.ask("2", protocol.MethodToolsCall, one+`,"inputResponses":{"input":{"roots":[]}},"requestState":"`+state+`"`, `,"progressToken":"second"`); err != nil {
		t.Fatal(err)
	}
	if all, err = c.said(a); err != nil || len(all) != 2 || jsonrpc.Text(all[0].Params, "/progressToken") != "second" {
		t.Errorf("%v, %v", all, err)
	}
}

// A retry without the input is asked again, not for ever.
func TestAskedAgain(t *testing.T) {
	f := asking(t, 1)
	c := serve(t, f, nil)
	m := c.mustCall("1", one)
	for range maxRounds - 1 {
		m = c.mustCall("2", one+`,"requestState":"`+stateOf(t, m)+`"`)
	}
	if _, err := c.call("3", one+`,"requestState":"`+stateOf(t, m)+`"`); err == nil {
		t.Error("a call is held by asking again and again")
	}
	eventually(t, "the server is told", func() bool { return len(f.sent(protocol.NotificationCancelled)) == 1 })
	if n, waiting := c.servers.Open(); n != 1 || waiting != 0 {
		t.Errorf("%d sessions, %d wait", n, waiting)
	}
}

// Calls that wait are bounded in number and time; the server is told.
func TestWaitingIsBounded(t *testing.T) {
	f := asking(t, 1)
	c := serve(t, f, func(cfg *Config) { cfg.Calls, cfg.Patience = 2, 200*time.Millisecond })
	state := stateOf(t, c.mustCall("1", one))
	stateOf(t, c.mustCall("2", one))
	if _, err := c.call("3", one); !errors.Is(err, ErrFull) {
		t.Errorf("a third waits: %v", err)
	}
	eventually(t, "nobody waits", func() bool { _, waiting := c.servers.Open(); return waiting == 0 })
	if _, err := c.call("4", one+given(state)); !errors.Is(err, ErrState) {
		t.Errorf("expired: %v", err)
	}
	eventually(t, "the server is told", func() bool { return len(f.sent(protocol.NotificationCancelled)) == 3 })
}

// Input that the client is never asked for ends the call at once: what stands
// between may have stopped the question.
func TestUnsaidQuestionEndsTheCall(t *testing.T) {
	f := asking(t, 1)
	c := serve(t, f, nil)
	a, err := c.ask("1", protocol.MethodToolsCall, one, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.Close()
	if _, waiting := c.servers.Open(); waiting != 0 {
		t.Errorf("%d wait", waiting)
	}
	told := func() bool { return len(f.sent(protocol.NotificationCancelled)) == 1 }
	eventually(t, "the server is told", told)
	// A client may be back before the exchange that asked it has ended.
	if a, err = c.ask("2", protocol.MethodToolsCall, one, ""); err != nil {
		t.Fatal(err)
	}
	ev, err := a.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m, err := jsonrpc.Parse(ev.Data, jsonrpc.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.ask("3", protocol.MethodToolsCall, one+given(stateOf(t, m)), "")
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	if all, err := c.said(b); err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
}

// What a client does not offer is declined for it.
func TestOffered(t *testing.T) {
	for _, tt := range []struct {
		capabilities, method, params string
		want                         bool
	}{
		{`{}`, "elicitation/create", `{"message":"m"}`, false},
		{`{"elicitation":{}}`, "elicitation/create", `{"message":"m"}`, true},
		{`{"elicitation":null}`, "elicitation/create", `{"message":"m"}`, false},
		{`{"elicitation":{}}`, "elicitation/create", `{"mode":"url"}`, false},
		{`{"elicitation":{"url":{}}}`, "elicitation/create", `{"mode":"url"}`, true},
		{`{"elicitation":{"url":{}}}`, "elicitation/create", `{"mode":"form"}`, false},
		{`{"elicitation":{"url":{},"form":{}}}`, "elicitation/create", `{}`, true},
		{`{"sampling":{}}`, "sampling/createMessage", `{"messages":[]}`, true},
		{`{"sampling":{}}`, "sampling/createMessage", `{"tools":[]}`, false},
		{`{"sampling":{"tools":{}}}`, "sampling/createMessage", `{"tools":[],"toolChoice":{}}`, true},
		{`{"roots":{}}`, "roots/list", ``, true},
		{`{"roots":{}}`, "tools/call", ``, false},
	} {
		if got := offered([]byte(tt.capabilities), tt.method, []byte(tt.params)); got != tt.want {
			t.Errorf("%s of %s: %s %v", tt.method, tt.capabilities, tt.params, got)
		}
	}
}

// An error that sends the user to a URL is asked in the modern way, where the
// client can be asked so.
func TestVisitFirst(t *testing.T) {
	failure := `{"code":-32042,"message":"visit","data":{"elicitations":[{"mode":"url","elicitationId":"e","url":"https://example.com/a","message":"m"}]}}`
	f := newFake(t)
	f.on[protocol.MethodToolsCall] = func(_ context.Context, m *jsonrpc.Message, a *spoken) {
		a.raw(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"error":` + failure + `}`)
	}
	c := serve(t, f, nil)
	if m := c.mustCall("1", one); string(m.Error) != failure {
		t.Errorf("%s", m.Raw)
	}
	able := request(t, "2", protocol.MethodToolsCall, one, "")
	raw := strings.Replace(string(able.Raw), `"elicitation":{}`, `"elicitation":{"url":{}}`, 1)
	able, err := jsonrpc.Parse([]byte(raw), jsonrpc.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.servers.Ask(t.Context(), c.key, c.dial, able)
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.said(a)
	want := `{"resultType":"input_required","inputRequests":{"input0":{"method":"elicitation/create","params":{"mode":"url","elicitationId":"e","url":"https://example.com/a","message":"m"}}}}`
	if err != nil || string(all[0].Result) != want {
		t.Errorf("%v, %s", err, all[0].Raw)
	}
}
