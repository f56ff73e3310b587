//lint:file-ignore SA1019 the deprecated transport is what this file is about.

package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/fixture/closing"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// startOlder serves the fixture over HTTP+SSE.
func (f *fixture) startOlder(t *testing.T) upstream.Target {
	t.Helper()
	server := httptest.NewServer(mcp.NewSSEHandler(func(*http.Request) *mcp.Server { return f.Server }, nil))
	t.Cleanup(func() { closing.Server(server) })
	return upstream.Target{URL: server.URL + "/sse", Transport: protocol.TransportSSE}
}

// TestServerOverHTTPSSE drives an unmodified client of streamable HTTP through
// everything that a server over the old transport offers.
func TestServerOverHTTPSSE(t *testing.T) {
	f := newFixture()
	h := open(t, auto)
	url := h.serve("old", f.startOlder(t))
	var got heard
	opts := got.options()
	changed := make(chan struct{}, 8)
	opts.ToolListChangedHandler = func(context.Context, *mcp.ToolListChangedRequest) { changed <- struct{}{} }
	s := connect(t, url, h.token, "2025-11-25", opts)
	offers(t, s)
	params := &mcp.CallToolParams{Name: "progress", Arguments: map[string]any{"text": "going"}}
	params.SetProgressToken("token")
	if _, err := s.CallTool(t.Context(), params); err != nil {
		t.Fatal(err)
	}
	eventually(t, "progress", func() bool { got.mu.Lock(); defer got.mu.Unlock(); return len(got.progress) == 3 })
	if got := callText(t, s, "sample", "tell me"); got != "model says tell me" {
		t.Errorf("sample = %q", got)
	}
	if got := callText(t, s, "elicit", "may I?"); got != "decline" {
		t.Errorf("elicit = %q", got)
	}
	if err := s.SetLoggingLevel(t.Context(), &mcp.SetLoggingLevelParams{Level: "debug"}); err != nil {
		t.Fatal(err)
	}
	callText(t, s, "log", "a line")
	eventually(t, "log line", func() bool { got.mu.Lock(); defer got.mu.Unlock(); return len(got.logs) == 1 })
	if err := s.Ping(t.Context(), nil); err != nil {
		t.Errorf("ping: %v", err)
	}

	// Cancellation reaches the server, and the session goes on.
	ctx, cancel := context.WithCancel(t.Context())
	before := f.called()
	waiting := make(chan error, 1)
	go func() {
		_, err := s.CallTool(ctx, &mcp.CallToolParams{Name: "wait", Arguments: map[string]any{"text": ""}})
		waiting <- err
	}()
	eventually(t, "the call under way", func() bool { return f.called() > before })
	cancel()
	if err := <-waiting; err == nil {
		t.Error("a cancelled call was answered")
	}
	if got := callText(t, s, "echo", "still here"); got != "still here" {
		t.Errorf("echo = %q", got)
	}

	// A change is told to the client, and refused by fingerprint.
	f.addTool("echo", "Say it twice.", true, func(_ context.Context, _ *mcp.CallToolRequest, in said) (string, error) { return in.Text, nil })
	select {
	case <-changed:
	case <-time.After(10 * time.Second):
		t.Error("the client was not told of the change")
	}
	eventually(t, "the drift", func() bool {
		_, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "echo", Arguments: map[string]any{"text": "x"}})
		return err != nil && strings.Contains(err.Error(), "approved")
	})
	if len(h.events(audit.Query{Code: "call_outcome"})) == 0 {
		t.Error("nothing is on record")
	}
}

// TestModernClientOfHTTPSSE: the bridge between the eras leads there too.
func TestModernClientOfHTTPSSE(t *testing.T) {
	f := newFixture()
	h := open(t, auto)
	url := h.serve("old", f.startOlder(t))
	var got heard
	s := connect(t, url, h.token, "", got.options())
	if version := s.InitializeResult().ProtocolVersion; version != protocol.VersionModern {
		t.Fatalf("client and gateway agreed on %q", version)
	}
	if got := callText(t, s, "echo", "hello"); got != "hello" {
		t.Errorf("echo = %q", got)
	}
	if got := callText(t, s, "sample", "tell me"); got != "model says tell me" {
		t.Errorf("sample = %q", got)
	}
}

// older is a server over HTTP+SSE whose every byte a test decides. What script
// answers over HTTP goes to the stream; on takes over where that is not enough.
type older struct {
	*script
	endpoint string
	mu       sync.Mutex
	streams  []chan string // of every session, the newest last
	closed   int           // sessions that have ended
	posts    []http.Header
	on       map[string]func(m *jsonrpc.Message, say func(string), w http.ResponseWriter)
}

func newOlder(t *testing.T) *older {
	s := newScript(t)
	s.legacy = true
	return &older{script: s, endpoint: "/messages?session=%d", on: map[string]func(*jsonrpc.Message, func(string), http.ResponseWriter){}}
}

func (o *older) start() upstream.Target {
	server := httptest.NewServer(o)
	o.t.Cleanup(func() { closing.Server(server) })
	return upstream.Target{URL: server.URL + "/sse", Transport: protocol.TransportSSE}
}

func (o *older) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		o.take(w, r)
		return
	}
	out := make(chan string, 64)
	o.mu.Lock()
	o.streams = append(o.streams, out)
	n := len(o.streams) - 1
	o.mu.Unlock()
	defer func() { o.mu.Lock(); o.closed++; o.mu.Unlock() }()
	w.Header().Set("Content-Type", "text/event-stream")
	endpoint := o.endpoint
	if strings.Contains(endpoint, "%d") {
		endpoint = fmt.Sprintf(endpoint, n)
	}
	fmt.Fprintf(w, "event: endpoint\ndata: %s\n\n", endpoint)
	for {
		w.(http.Flusher).Flush()
		select {
		case text := <-out:
			if text == "" {
				return
			}
			io.WriteString(w, text)
		case <-r.Context().Done():
			return
		}
	}
}

func (o *older) take(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m, err := jsonrpc.Parse(body, jsonrpc.Limits{})
	if err != nil {
		o.t.Errorf("upstream got %q: %v", body, err)
		return
	}
	var n int
	fmt.Sscanf(r.URL.Query().Get("session"), "%d", &n)
	o.script.mu.Lock()
	o.got = append(o.got, m)
	result := o.results[m.Method]
	o.script.mu.Unlock()
	o.mu.Lock()
	o.posts = append(o.posts, r.Header.Clone())
	out, on := o.streams[n], o.on[m.Method]
	o.mu.Unlock()
	say := func(text string) { out <- text }
	switch {
	case on != nil:
		on(m, say, w)
		return
	case m.Kind == jsonrpc.Request && result == "":
		say(onStream(string(jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "no such method", nil))))
	case m.Kind == jsonrpc.Request:
		say(onStream(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":` + result + `}`))
	}
	w.WriteHeader(http.StatusAccepted)
}

func (o *older) answers(method string, f func(m *jsonrpc.Message, say func(string), w http.ResponseWriter)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.on[method] = f
}

func (o *older) sessions() (opened, closed int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.streams), o.closed
}

func onStream(raw string) string { return "event: message\ndata: " + raw + "\n\n" }

// TestHostileOlderServers: each fault is one clear error, nothing is sent
// twice, and the client can open another session.
func TestHostileOlderServers(t *testing.T) {
	result := func(m *jsonrpc.Message, text string) string {
		return onStream(`{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":{"content":[{"type":"text","text":"` + text + `"}]}}`)
	}
	for _, tt := range []struct {
		name   string
		answer func(m *jsonrpc.Message, say func(string), w http.ResponseWriter)
		status int
		reason Reason
		ends   bool // the session with it
	}{
		{"stream closed mid-call", func(_ *jsonrpc.Message, say func(string), w http.ResponseWriter) { say("") }, 502, ReasonUpstreamGone, true},
		{"stream closed inside an event", func(_ *jsonrpc.Message, say func(string), w http.ResponseWriter) { say(`data: {"jsonrpc`); say("") }, 502, ReasonUpstreamGone, true},
		{"endless event", func(_ *jsonrpc.Message, say func(string), w http.ResponseWriter) {
			say("data: ")
			for range 40 {
				say(strings.Repeat("x", 1<<19))
			}
		}, 502, ReasonUpstreamTooLarge, true},
		{"rubbish", func(_ *jsonrpc.Message, say func(string), w http.ResponseWriter) { say(onStream("rubbish")) }, 502, ReasonUpstreamProtocol, true},
		{"a batch", func(m *jsonrpc.Message, say func(string), w http.ResponseWriter) {
			say(onStream(`[{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":{}}]`))
		}, 502, ReasonUpstreamProtocol, true},
		{"a second endpoint", func(m *jsonrpc.Message, say func(string), w http.ResponseWriter) {
			say("event: endpoint\ndata: /other\n\n")
		}, 502, ReasonUpstreamProtocol, true},
		{"answer to an unknown id only", func(_ *jsonrpc.Message, say func(string), w http.ResponseWriter) {
			say(onStream(`{"jsonrpc":"2.0","id":4711,"result":{"content":[]}}`))
			w.WriteHeader(http.StatusAccepted)
		}, 504, ReasonUpstreamTimeout, false},
		{"message refused", func(_ *jsonrpc.Message, _ func(string), w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, 502, ReasonUpstreamRefused, false},
		{"message redirected", func(_ *jsonrpc.Message, _ func(string), w http.ResponseWriter) {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, 502, ReasonUpstreamProtocol, false},
		{"what a scanner blocks", func(m *jsonrpc.Message, say func(string), w http.ResponseWriter) {
			say(result(m, "BLOCK-ME"))
			w.WriteHeader(http.StatusAccepted)
		}, 403, ReasonFinding, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOlder(t)
			h := open(t, func(c *Config) {
				c.AutoRoutes = true
				if c.SilenceTimeout = time.Minute; tt.reason == ReasonUpstreamTimeout {
					c.SilenceTimeout = 500 * time.Millisecond
				}
			})
			h.serve("old", o.start())
			session := h.initialize("old")
			h.raw("old", callOne, session...)
			o.answers("tools/call", tt.answer)
			before := len(o.sent("tools/call"))
			data := h.raw("old", callOne, session...).refused(t, tt.status, tt.reason)
			if n := len(o.sent("tools/call")) - before; n != 1 {
				t.Errorf("the call was sent %d times", n)
			}
			if found := h.events(audit.Query{ID: data.AuditID, Code: "call_outcome"}); len(found) == 0 {
				t.Error("no outcome on record")
			}
			o.answers("tools/call", nil)
			if tt.ends {
				eventually(t, "the end of the session", func() bool { return h.raw("old", callOne, session...).status == http.StatusNotFound })
				session = h.initialize("old")
			}
			if r := h.raw("old", callOne, session...); r.status != 200 {
				t.Errorf("the next call: %d %s", r.status, r.body)
			}
		})
	}
}

// TestOlderAnswersTwice: of two answers the first counts, and neither a second
// nor one for another's id reaches anybody.
func TestOlderAnswersTwice(t *testing.T) {
	o := newOlder(t)
	h := open(t, auto)
	h.serve("old", o.start())
	session := h.initialize("old")
	o.answers("tools/call", func(m *jsonrpc.Message, say func(string), w http.ResponseWriter) {
		for _, id := range []string{"99", string(m.ID), string(m.ID), "98"} {
			say(onStream(`{"jsonrpc":"2.0","id":` + id + `,"result":{"content":[{"type":"text","text":"for ` + id + ` in ` + string(m.ID) + `"}]}}`))
		}
		w.WriteHeader(http.StatusAccepted)
	})
	for _, id := range []string{"98", "1", "99", "1"} {
		r := h.raw("old", strings.Replace(callOne, `"id":1`, `"id":`+id, 1), session...)
		if text := jsonrpc.Text(r.message(t).Raw, "/result/content/0/text"); text != "for "+id+" in "+id {
			t.Errorf("the answer to %s is %q", id, text)
		}
	}
}

// TestOlderSessionsAreApart: each client has a stream of its own, which closes
// with its session, and nobody else can use it.
func TestOlderSessionsAreApart(t *testing.T) {
	o := newOlder(t)
	target := o.start()
	target.Header = http.Header{"Authorization": {"Bearer upstream-credential"}}
	h := open(t, nil, Route{Alias: "old", Server: "io.example/old", Target: target})
	h.approve("old", target)
	base, _ := o.sessions()
	first, second := h.initialize("old"), h.initialize("old")
	opened, _ := o.sessions()
	if opened < base+2 {
		t.Fatalf("%d streams for two sessions", opened-base)
	}
	mallory := "Authorization: Bearer " + h.keys.issue(t, "mallory", identity.RoleAgent)
	h.raw("old", callOne, append(first, mallory)...).refused(t, 404, ReasonSessionUnknown)
	h.raw("old", callOne).refused(t, 400, ReasonSessionRequired)
	if r := h.raw("old", callOne, append(second, "Cookie: canary", "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")...); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	o.mu.Lock()
	last := o.posts[len(o.posts)-1]
	o.mu.Unlock()
	var dump strings.Builder
	last.Write(&dump)
	if last.Get("Authorization") != "Bearer upstream-credential" || last.Get("Traceparent") == "" ||
		strings.Contains(dump.String(), h.token) || strings.Contains(dump.String(), "canary") {
		t.Errorf("the upstream saw\n%s", dump.String())
	}
	_, before := o.sessions()
	if r := h.do(http.MethodDelete, "/mcp/old", "", first...); r.status != http.StatusNoContent {
		t.Fatalf("DELETE: %d", r.status)
	}
	eventually(t, "the stream closed with the session", func() bool { _, closed := o.sessions(); return closed == before+1 })
	h.raw("old", callOne, first...).refused(t, 404, ReasonSessionUnknown)
	h.keys.change("alice", revoke)
	eventually(t, "the stream closed with the key", func() bool { _, closed := o.sessions(); return closed == before+2 })
}

// TestForeignEndpointEvent: a server that was approved at one origin cannot
// have the gateway talk, with its credential, to another.
func TestForeignEndpointEvent(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another origin got %s %s", r.Method, r.URL)
	}))
	defer elsewhere.Close()
	o := newOlder(t)
	h := open(t, auto)
	h.serve("old", o.start())
	hello := `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	for _, endpoint := range []string{
		elsewhere.URL + "/messages", strings.Replace(elsewhere.URL, "http:", "", 1), "https://127.0.0.1/m", "http://x:y@127.0.0.1/m", "",
	} {
		o.endpoint = endpoint
		h.raw("old", hello).refused(t, 502, ReasonUpstreamProtocol)
	}
}

// TestTransportIsApproved: the transport is part of the launch identity, and a
// server over HTTP+SSE is spoken to in the legacy era, whatever was approved.
func TestTransportIsApproved(t *testing.T) {
	o := newOlder(t)
	target := o.start()
	plain := target
	plain.Transport = ""
	h := open(t, nil, Route{Alias: "old", Server: "io.example/old", Target: plain})
	h.approve("old", target)
	h.raw("old", callOne).refused(t, 403, ReasonLaunchMismatch)

	h = open(t, auto)
	h.serve("old", target, func(a *approval.Approval) { a.Roots[string(protocol.Modern)] = a.Roots[string(protocol.Legacy)] })
	if r := h.call("old", 1, "tools/call", `{"name":"one"}`); r.status != 200 || len(o.sent(protocol.MethodDiscover)) != 0 {
		t.Errorf("a modern client: %d %s", r.status, r.body)
	}

	h = open(t, auto)
	h.serve("old", target, func(a *approval.Approval) {
		a.Roots = map[string]fingerprint.Digest{string(protocol.Modern): a.Roots[string(protocol.Legacy)]}
	})
	h.call("old", 1, "tools/call", `{"name":"one"}`).refused(t, 400, ReasonVersion)
}
