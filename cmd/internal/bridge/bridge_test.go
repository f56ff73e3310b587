package bridge

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

const (
	hello       = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	helloBack   = `{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}`
	initialized = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
	modernMeta  = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
)

// sessions has the gateway open sessions s1, s2, …
func (g *gateway) sessions() {
	n := 0
	g.handle("initialize", func(w http.ResponseWriter, r *http.Request, m *jsonrpc.Message) {
		g.mu.Lock()
		n++
		id := fmt.Sprintf("s%d", n)
		g.mu.Unlock()
		w.Header().Set(protocol.HeaderSessionID, id)
		answer(w, http.StatusOK, helloBack)
	})
}

func greet(t *testing.T, g *gateway, w *wire) {
	t.Helper()
	w.say(hello)
	w.hears(helloBack)
	w.say(initialized)
}

// TestBytesPass: params and results are what they were, line ends between
// tokens aside.
func TestBytesPass(t *testing.T) {
	g := newGateway(t)
	const request = `{"id" : "é\u00e9" , "jsonrpc":"2.0","params":{"n":9007199254740993,"f":1.50,"x":{"unknown":[ ]}}, "method":"no/such"}`
	const result = `{ "jsonrpc":"2.0","id":"\u00e9é","result":{"big":9007199254740993.0,"s":"a\/\u2028"}, "more":1}`
	g.handle("no/such", func(w http.ResponseWriter, _ *http.Request, _ *jsonrpc.Message) {
		events(w, "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"n\",\ndata:  \"params\":{\"a\":1.0}}\n\n: note\n\ndata: "+strings.Replace(result, `, "more":1`, "", 1)+"\n\n")
	})
	w := start(t, g.URL, nil)
	w.say(request)
	w.hears(`{"jsonrpc":"2.0","method":"n",  "params":{"a":1.0}}`)
	w.hears(strings.Replace(result, `, "more":1`, "", 1))
	if _, bodies := g.seen("no/such"); len(bodies) != 1 || bodies[0] != request {
		t.Errorf("sent %q", bodies)
	}
	if err := w.close(); err != nil {
		t.Error(err)
	}
}

// TestLegacySession: the session's headers, its stream, replies to the server's
// requests, and its end.
func TestLegacySession(t *testing.T) {
	g := newGateway(t)
	g.sessions()
	g.handle(http.MethodGet, func(w http.ResponseWriter, r *http.Request, _ *jsonrpc.Message) {
		events(w, "id: e1\ndata: {\"jsonrpc\":\"2.0\",\"id\":\"ask\",\"method\":\"roots/list\"}\n\n")
		until(r.Context(), t)
	})
	w := start(t, g.URL, nil)
	greet(t, g, w)
	w.hears(`{"jsonrpc":"2.0","id":"ask","method":"roots/list"}`)
	const reply = `{"jsonrpc":"2.0","id":"ask","result":{"roots":[]}}`
	w.say(reply, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	w.hears(`{"jsonrpc":"2.0","id":1,"result":{}}`)
	eventually(t, "the reply arrives", func() bool { _, bodies := g.seen("reply"); return len(bodies) == 1 && bodies[0] == reply })
	if err := w.close(); err != nil {
		t.Error(err)
	}
	for _, method := range []string{"notifications/initialized", http.MethodGet, "tools/list", "reply", http.MethodDelete} {
		headers, _ := g.seen(method)
		if len(headers) != 1 || headers[0].Get(protocol.HeaderSessionID) != "s1" || headers[0].Get(protocol.HeaderProtocolVersion) != "2025-11-25" {
			t.Errorf("%s: %v", method, headers)
		}
	}
	if headers, _ := g.seen("initialize"); headers[0].Get(protocol.HeaderSessionID) != "" {
		t.Error("initialize came with a session")
	}
}

// TestModernHeaders: what HTTP must say beside the body, and that nothing is
// kept between requests.
func TestModernHeaders(t *testing.T) {
	g := newGateway(t)
	g.handle("tools/list", func(w http.ResponseWriter, _ *http.Request, m *jsonrpc.Message) {
		answer(w, http.StatusOK, string(jsonrpc.NewResult(m.ID, map[string]any{"tools": []any{map[string]any{
			"name": "zählen", "inputSchema": map[string]any{"type": "object", "properties": map[string]any{
				"region": map[string]any{"type": "string", "x-mcp-header": "Region"},
				"deep":   map[string]any{"properties": map[string]any{"n": map[string]any{"x-mcp-header": "N"}, "none": map[string]any{"x-mcp-header": "None"}}},
				"evil":   map[string]any{"x-mcp-header": "Bad\r\nHeader"},
			}},
		}}})))
	})
	missing := func(w http.ResponseWriter, r *http.Request, m *jsonrpc.Message) {
		if r.Header.Get("Mcp-Param-Region") == "" {
			answer(w, http.StatusBadRequest, string(jsonrpc.NewError(m.ID, protocol.CodeHeaderMismatch, "a header does not equal the body", nil)))
			return
		}
		answer(w, http.StatusOK, string(jsonrpc.NewResult(m.ID, nil)))
	}
	g.handle("tools/call", missing)
	w := start(t, g.URL, nil)
	// The client has not listed: the bridge learns when the gateway objects.
	w.say(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"zählen","arguments":{"region":"Ärmel ","deep":{"n":3.0,"none":null},"evil":"x"},` + modernMeta + `}}`)
	w.hears(`{"jsonrpc":"2.0","id":1,"result":{}}`)
	headers, _ := g.seen("tools/call")
	if len(headers) != 2 {
		t.Fatalf("%d calls", len(headers))
	}
	for name, want := range map[string]string{
		protocol.HeaderProtocolVersion: "2026-07-28", protocol.HeaderMethod: "tools/call", protocol.HeaderName: protocol.EncodeHeader("zählen"),
		"Mcp-Param-Region": protocol.EncodeHeader("Ärmel "), "Mcp-Param-N": "3.0", "Mcp-Param-None": "", protocol.HeaderSessionID: "",
	} {
		if got := headers[1].Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	// A call that lacks it anyway is refused once, not for ever.
	w.say(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"zählen","arguments":{},` + modernMeta + `}}`)
	w.hears(`{"jsonrpc":"2.0","id":2,"error":{"code":-32020,"message":"a header does not equal the body"}}`)
	// Closing the stream is the cancellation; the gateway hears no other.
	closed := make(chan struct{})
	g.handle("prompts/get", func(w http.ResponseWriter, r *http.Request, _ *jsonrpc.Message) {
		events(w, ": begun\n\n")
		until(r.Context(), t)
		close(closed)
	})
	w.say(`{"jsonrpc":"2.0","id":3,"method":"prompts/get","params":{"name":"p",` + modernMeta + `}}`)
	eventually(t, "the request arrives", func() bool { _, got := g.seen("prompts/get"); return len(got) == 1 })
	w.say(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}`)
	<-closed
	w.say(`{"jsonrpc":"2.0","id":3,"method":"prompts/list","params":{` + modernMeta + `}}`)
	w.hears(`{"jsonrpc":"2.0","id":3,"result":{}}`)
	if got, _ := g.seen("notifications/cancelled"); len(got) != 0 {
		t.Error("the cancellation was posted")
	}
	if err := w.close(); err != nil {
		t.Error(err)
	}
	if got, _ := g.seen(http.MethodDelete); len(got) != 0 {
		t.Error("a session was ended that never was")
	}
}

// TestFailures: every request gets one answer, under its own id.
func TestFailures(t *testing.T) {
	refusal := `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"a valid API key is needed","data":{"reason":"unauthenticated","rules":[],"pointers":[]}}}`
	for _, tc := range []struct {
		name string
		do   func(w http.ResponseWriter, r *http.Request, m *jsonrpc.Message)
		want string
	}{
		{"401 of the gateway", func(w http.ResponseWriter, _ *http.Request, _ *jsonrpc.Message) { answer(w, 401, refusal) }, strings.Replace(refusal, "null", "7", 1)},
		{"without id", func(w http.ResponseWriter, _ *http.Request, _ *jsonrpc.Message) {
			answer(w, 429, `{"jsonrpc":"2.0","error":{"code":-32600,"message":"m"}}`)
		}, `{"id":7,"jsonrpc":"2.0","error":{"code":-32600,"message":"m"}}`},
		{"403 of the gateway", func(w http.ResponseWriter, _ *http.Request, m *jsonrpc.Message) {
			answer(w, 403, string(jsonrpc.NewError(m.ID, -31403, "blocked", nil)))
		}, `{"jsonrpc":"2.0","id":7,"error":{"code":-31403,"message":"blocked"}}`},
		{"403 of a proxy", func(w http.ResponseWriter, _ *http.Request, _ *jsonrpc.Message) {
			http.Error(w, "<html>", http.StatusForbidden)
		},
			`{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"the gateway answered with HTTP status Forbidden","data":{"status":403}}}`},
		{"502 with JSON of another kind", func(w http.ResponseWriter, _ *http.Request, _ *jsonrpc.Message) {
			answer(w, 502, `{"error":"bad gateway"}`)
		},
			`{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"the gateway answered with HTTP status Bad Gateway","data":{"status":502}}}`},
		{"404 without session", func(w http.ResponseWriter, _ *http.Request, _ *jsonrpc.Message) { w.WriteHeader(404) },
			`{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"the gateway answered with HTTP status Not Found","data":{"status":404}}}`},
		{"redirect", func(w http.ResponseWriter, r *http.Request, _ *jsonrpc.Message) {
			http.Redirect(w, r, "http://127.0.0.1:1/steal", http.StatusTemporaryRedirect)
		}, `{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"server answered with a redirect"}}`},
		{"no answer", func(w http.ResponseWriter, _ *http.Request, _ *jsonrpc.Message) { w.WriteHeader(202) }, string(failure([]byte("7"), errGone))},
		{"another's answer", func(w http.ResponseWriter, _ *http.Request, _ *jsonrpc.Message) {
			answer(w, 200, `{"jsonrpc":"2.0","id":8,"result":{}}`)
		}, string(failure([]byte("7"), errGone))},
		{"garbage", func(w http.ResponseWriter, _ *http.Request, _ *jsonrpc.Message) { answer(w, 200, `{"jsonrpc":`) }, string(failure([]byte("7"), errBroken))},
		{"duplicate keys", func(w http.ResponseWriter, _ *http.Request, _ *jsonrpc.Message) {
			answer(w, 200, `{"jsonrpc":"2.0","id":7,"result":{"a":1,"a":2}}`)
		}, string(failure([]byte("7"), errBroken))},
		{"too large", func(w http.ResponseWriter, _ *http.Request, _ *jsonrpc.Message) {
			answer(w, 200, `{"jsonrpc":"2.0","id":7,"result":{"a":"`+strings.Repeat("x", 100_000)+`"}}`)
		}, `{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"answer is too large"}}`},
		{"cut off", func(w http.ResponseWriter, r *http.Request, _ *jsonrpc.Message) {
			events(w, "data: {\"jsonrpc\":")
			panic(http.ErrAbortHandler)
		}, string(failure([]byte("7"), errGone))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newGateway(t)
			g.Config.ErrorLog = nil
			g.handle("tools/list", tc.do)
			w := start(t, g.URL, func(c *Config) { c.MessageBytes = 64 << 10 })
			w.say(`{"jsonrpc":"2.0","id":7,"method":"tools/list"}`)
			w.hears(tc.want)
			w.say(`{"jsonrpc":"2.0","id":9,"method":"ping"}`) // it goes on
			w.hears(`{"jsonrpc":"2.0","id":9,"result":{}}`)
			if err := w.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBadInput: what is no message is answered, and costs the others nothing.
func TestBadInput(t *testing.T) {
	g := newGateway(t)
	w := start(t, g.URL, func(c *Config) { c.MessageBytes = 64 << 10 })
	const refused = `"error":{"code":-32700,"message":"not one well-formed JSON-RPC message"}}`
	w.say("", "  ", "hello")
	w.hears(`{"jsonrpc":"2.0","id":null,` + refused)
	w.say(`{"jsonrpc":"2.0","id":4,"method":"x","Method":"y"}`)
	w.hears(`{"jsonrpc":"2.0","id":4,` + refused)
	w.say(`[{"jsonrpc":"2.0","id":4,"method":"x"}]`)
	w.hears(`{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"not one well-formed JSON-RPC message"}}`)
	w.say(`{"jsonrpc":"2.0","id":5,"method":"x","params":{"a":"` + strings.Repeat("x", 200_000) + `"}}`)
	w.hears(`{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the message is too large"}}`)
	w.say(`{"jsonrpc":"2.0","id":6,"method":"ping"}` + "\r")
	w.hears(`{"jsonrpc":"2.0","id":6,"result":{}}`)
	if _, bodies := g.seen("x"); len(bodies) != 0 {
		t.Errorf("sent %q", bodies)
	}
}

// TestManyAtOnce: answers come as they are ready, each to its own request, and
// there is an end to how many may wait.
func TestManyAtOnce(t *testing.T) {
	g := newGateway(t)
	release := make(chan struct{})
	g.handle("slow", func(w http.ResponseWriter, r *http.Request, m *jsonrpc.Message) {
		<-release
		answer(w, 200, string(jsonrpc.NewResult(m.ID, m.Params)))
	})
	const many = 100
	w := start(t, g.URL, func(c *Config) { c.MaxCalls = many; c.Grace = 10 * time.Second })
	for i := range many {
		w.say(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"slow","params":{"n":%d}}`, i, i))
	}
	w.say(`{"jsonrpc":"2.0","id":5,"method":"slow"}`)
	w.hears(`{"jsonrpc":"2.0","id":5,"error":{"code":-32600,"message":"a request with this id is under way"}}`)
	w.say(`{"jsonrpc":"2.0","id":"5","method":"slow"}`)
	w.hears(`{"jsonrpc":"2.0","id":"5","error":{"code":-32600,"message":"too many requests under way"}}`)
	w.in.Close() // what is under way is still answered
	close(release)
	seen := map[string]bool{}
	for range many {
		m, err := jsonrpc.Parse([]byte(w.hear()), jsonrpc.Limits{})
		if err != nil || string(m.Result) != `{"n":`+string(m.ID)+`}` {
			t.Errorf("%s: %v", m.Raw, err)
		}
		seen[string(m.ID)] = true
	}
	if len(seen) != many {
		t.Errorf("%d answers", len(seen))
	}
	if err := w.close(); err != nil {
		t.Error(err)
	}
}

// TestSessionLost: a gateway that was started anew knows no session. The bridge
// opens another with the client's own words; the client notices nothing.
func TestSessionLost(t *testing.T) {
	g := newGateway(t)
	g.sessions()
	known := func(next func(http.ResponseWriter, *jsonrpc.Message)) func(http.ResponseWriter, *http.Request, *jsonrpc.Message) {
		return func(w http.ResponseWriter, r *http.Request, m *jsonrpc.Message) {
			if r.Header.Get(protocol.HeaderSessionID) == "s1" {
				answer(w, 404, string(jsonrpc.NewError(m.ID, -32600, "no such session", nil)))
				return
			}
			next(w, m)
		}
	}
	ok := func(w http.ResponseWriter, m *jsonrpc.Message) { answer(w, 200, string(jsonrpc.NewResult(m.ID, nil))) }
	w := start(t, g.URL, nil)
	greet(t, g, w)
	g.handle("tools/call", known(ok))
	for i := range 20 { // all at once: one of them opens the session
		w.say(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"t"}}`, i))
	}
	for range 20 {
		if got := w.hear(); !strings.Contains(got, `"result":{}`) {
			t.Errorf("heard %s", got)
		}
	}
	_, hellos := g.seen("initialize")
	begun, _ := g.seen("notifications/initialized")
	if len(hellos) != 2 || hellos[1] != hello || len(begun) != 2 || begun[1].Get(protocol.HeaderSessionID) != "s2" {
		t.Errorf("hellos %q, initialized %d", hellos, len(begun))
	}
	// A gateway that refuses to open another is heard, once.
	g.handle("initialize", func(w http.ResponseWriter, _ *http.Request, m *jsonrpc.Message) {
		answer(w, 403, string(jsonrpc.NewError(m.ID, -31403, "not approved", nil)))
	})
	g.handle("tools/call", func(w http.ResponseWriter, _ *http.Request, m *jsonrpc.Message) {
		answer(w, 404, string(jsonrpc.NewError(m.ID, -32600, "no such session", nil)))
	})
	w.say(`{"jsonrpc":"2.0","id":"last","method":"tools/call","params":{"name":"t"}}`)
	w.hears(`{"jsonrpc":"2.0","id":"last","error":{"code":-31403,"message":"not approved"}}`)
}

// TestRestart: a gateway that does not listen for a while is waited for; what
// it had already taken is not sent again.
func TestRestart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	w := start(t, "http://"+addr, nil)
	w.say(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	eventually(t, "it is tried again", func() bool { return strings.Contains(w.log.String(), "trying again") })
	g := &gateway{t: t, on: map[string]func(http.ResponseWriter, *http.Request, *jsonrpc.Message){}}
	if l, err = net.Listen("tcp", addr); err != nil {
		t.Skip(err)
	}
	server := &http.Server{Handler: g}
	go server.Serve(l)
	w.hears(`{"jsonrpc":"2.0","id":1,"result":{}}`)
	taken := make(chan struct{})
	g.handle("tools/call", func(_ http.ResponseWriter, r *http.Request, _ *jsonrpc.Message) {
		close(taken)
		until(r.Context(), t)
	})
	w.say(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"t"}}`)
	<-taken
	server.Close()
	w.hears(string(failure([]byte("2"), errGone)))
	if _, got := g.seen("tools/call"); len(got) != 1 {
		t.Errorf("a call was sent %d times", len(got))
	}
}

// TestUnreachable: patience has an end.
func TestUnreachable(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	w := start(t, s.URL, func(c *Config) { c.Patience = 300 * time.Millisecond })
	w.say(`{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	w.hears(string(failure([]byte("1"), errUnreachable)))
	if err := w.close(); err != nil {
		t.Error(err)
	}
}

// TestResumption: an answer whose stream ends is asked for after the last
// event, and so is the stream of server messages.
func TestResumption(t *testing.T) {
	g := newGateway(t)
	g.sessions()
	g.handle("tools/call", func(w http.ResponseWriter, _ *http.Request, _ *jsonrpc.Message) {
		events(w, "id: c1\nretry: 10\ndata:\n\n")
	})
	g.handle(http.MethodGet, func(w http.ResponseWriter, r *http.Request, _ *jsonrpc.Message) {
		switch r.Header.Get(protocol.HeaderLastEventID) {
		case "c1":
			events(w, "id: c2\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progress\":1}}\n\n")
		case "c2":
			events(w, "id: c3\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"resumed\":true}}\n\n")
		case "":
			events(w, "id: g1\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n")
		case "g1":
			events(w, "id: g2\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/prompts/list_changed\"}\n\n")
		default:
			until(r.Context(), t)
		}
	})
	w := start(t, g.URL, nil)
	greet(t, g, w)
	w.hears(`{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
	w.hears(`{"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}`)
	w.say(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}`)
	w.hears(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}`)
	w.hears(`{"jsonrpc":"2.0","id":1,"result":{"resumed":true}}`)
	if _, got := g.seen("tools/call"); len(got) != 1 {
		t.Errorf("a call was sent %d times", len(got))
	}
}

// TestLegacyCancellation: the gateway is told, and nobody answers.
func TestLegacyCancellation(t *testing.T) {
	g := newGateway(t)
	g.sessions()
	ended := make(chan struct{})
	g.handle("tools/call", func(w http.ResponseWriter, r *http.Request, _ *jsonrpc.Message) {
		events(w, ": begun\n\n")
		until(r.Context(), t)
		close(ended)
	})
	w := start(t, g.URL, nil)
	greet(t, g, w)
	w.say(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}`)
	eventually(t, "the call arrives", func() bool { _, got := g.seen("tools/call"); return len(got) == 1 })
	const cancelled = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"enough"}}`
	w.say(cancelled)
	<-ended
	if _, got := g.seen("notifications/cancelled"); len(got) != 1 || got[0] != cancelled {
		t.Errorf("sent %q", got)
	}
	w.say(`{"jsonrpc":"2.0","id":2,"method":"ping"}`)
	w.hears(`{"jsonrpc":"2.0","id":2,"result":{}}`)
}

// TestEnds: the bridge ends with its input even while calls hang, and with its
// output.
func TestEnds(t *testing.T) {
	g := newGateway(t)
	g.handle("hang", func(_ http.ResponseWriter, r *http.Request, _ *jsonrpc.Message) { until(r.Context(), t) })
	w := start(t, g.URL, nil)
	w.say(`{"jsonrpc":"2.0","id":1,"method":"hang"}`)
	if err := w.close(); err != nil {
		t.Error(err)
	}
	g.handle("initialize", func(_ http.ResponseWriter, r *http.Request, _ *jsonrpc.Message) { until(r.Context(), t) })
	w = start(t, g.URL, nil)
	w.say(hello)
	if err := w.close(); err != nil {
		t.Error(err)
	}
	in, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- Run(t.Context(), Config{URL: g.URL, Token: secret, In: in, Out: brokenWriter{}}) }()
	fmt.Fprintln(out, `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	if err := <-ended; !errors.Is(err, errBrokenPipe) {
		t.Errorf("ended with %v", err)
	}
}

// FuzzInput: whatever a client writes, every line gets at most one answer and
// the output stays messages.
func FuzzInput(f *testing.F) {
	for _, seed := range []string{hello, initialized, "[]", "{}", "\x00", `{"jsonrpc":"2.0","id":null,"method":"x"}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled"}`, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1,"arguments":[],` + modernMeta + `}}`} {
		f.Add([]byte(seed))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if m, err := jsonrpc.Parse(body, jsonrpc.Limits{}); err == nil && m.Kind == jsonrpc.Request {
			answer(w, 200, string(jsonrpc.NewResult(m.ID, nil)))
		}
	}))
	f.Cleanup(server.Close)
	f.Fuzz(func(t *testing.T, line []byte) {
		var out safeBuffer
		c := Config{URL: server.URL, Token: secret, In: strings.NewReader(string(line)), Out: &out, MessageBytes: 4096}
		if err := Run(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		answers := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(answers) > strings.Count(string(line), "\n")+1 {
			t.Fatalf("%q: %d answers", line, len(answers))
		}
		for _, a := range answers {
			if _, err := jsonrpc.Parse([]byte(a), jsonrpc.Limits{}); a != "" && err != nil {
				t.Fatalf("%q: %q: %v", line, a, err)
			}
		}
	})
}
