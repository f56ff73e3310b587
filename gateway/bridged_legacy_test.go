//lint:file-ignore SA1019 what the modern era deprecates, legacy clients and servers still speak.

package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// TestModernClientLegacyServer drives an unmodified modern client against
// servers that were approved for the legacy era only.
func TestModernClientLegacyServer(t *testing.T) {
	f := newFixture()
	h := open(t, auto)
	url := h.serve("fix", f.start(t, stateful), only(protocol.Legacy))
	var got heard
	s := connect(t, url, h.token, protocol.VersionModern, got.options())
	if v := s.InitializeResult(); v.ProtocolVersion != protocol.VersionModern || v.Instructions == "" || v.Capabilities.Tools == nil {
		t.Errorf("introduction: %+v", v)
	}
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
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			question := fmt.Sprintf("q%d", i)
			res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "sample", Arguments: map[string]any{"text": question}})
			if err != nil || res.Content[0].(*mcp.TextContent).Text != "model says "+question {
				t.Errorf("at once: %+v, %v", res, err)
			}
		})
	}
	wait.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, header := range f.headers {
		if header.Get("Authorization") != "" {
			t.Errorf("went upstream: %v", header)
		}
	}
}

// TestConformanceServerForModernClient: over HTTP and over stdio.
func TestConformanceServerForModernClient(t *testing.T) {
	targets := map[string]upstream.Target{"http": overHTTP(t, false), "stdio": {Command: []string{everything}}}
	for name, target := range targets {
		t.Run(name, func(t *testing.T) {
			h := open(t, auto)
			url := h.serve("every", target, only(protocol.Legacy))
			var got heard
			s := withRoots(t, url, h.token, protocol.VersionModern, got.person())
			callText(t, s, "test_simple_text", "")
			for tool, arguments := range map[string]map[string]any{
				"test_sampling":                          {"prompt": "hello"},
				"test_elicitation":                       {"message": "your name?"},
				"test_input_required_result_list_roots":  nil,
				"test_input_required_result_elicitation": nil,
			} {
				res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
				if err != nil || res.IsError {
					t.Errorf("%s: %+v, %v", tool, res, err)
				}
			}
			params := &mcp.CallToolParams{Name: "test_tool_with_progress"}
			params.SetProgressToken("token")
			if _, err := s.CallTool(t.Context(), params); err != nil {
				t.Fatal(err)
			}
			eventually(t, "progress", func() bool { got.mu.Lock(); defer got.mu.Unlock(); return len(got.progress) >= 3 })
		})
	}
}

// TestChangesForModernClient: what a legacy server says on its stream reaches
// subscriptions/listen.
func TestChangesForModernClient(t *testing.T) {
	f := newFixture()
	h := open(t, auto)
	url := h.serve("fix", f.start(t, stateful), only(protocol.Legacy))
	changed, updated := make(chan struct{}, 64), make(chan string, 64)
	s := connect(t, url, h.token, protocol.VersionModern, &mcp.ClientOptions{
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { changed <- struct{}{} },
		ResourceUpdatedHandler: func(_ context.Context, r *mcp.ResourceUpdatedNotificationRequest) { updated <- r.Params.URI },
	})
	if err := s.Subscribe(t.Context(), &mcp.SubscribeParams{URI: "test://static"}); err != nil {
		t.Fatal(err)
	}
	n := 0
	eventually(t, "an update arrives", func() bool {
		f.ResourceUpdated(t.Context(), &mcp.ResourceUpdatedNotificationParams{URI: "test://static"})
		return len(updated) > 0
	})
	eventually(t, "a change arrives", func() bool {
		if n++; n%20 == 1 {
			f.addTool(fmt.Sprintf("new%d", n), "New.", true, func(context.Context, *mcp.CallToolRequest, said) (string, error) { return "", nil })
		}
		return len(changed) > 0
	})
	if _, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "new1", Arguments: map[string]any{"text": ""}}); err == nil {
		t.Error("a tool that nobody approved was called")
	}
}

// legacyAsking is a legacy server whose tool "one" asks its client as often as
// rounds says and hands the replies over.
func legacyAsking(t *testing.T, rounds int) (s *script, replies chan *jsonrpc.Message) {
	s = newScript(t)
	s.legacy = true
	replies = make(chan *jsonrpc.Message, 64)
	s.on("", func(w http.ResponseWriter, r *http.Request) {
		replies <- parsed(t, read(r))
		w.WriteHeader(http.StatusAccepted)
	})
	s.on(protocol.MethodToolsCall, func(w http.ResponseWriter, r *http.Request) {
		m := parsed(t, read(r))
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range rounds {
			fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"elicitation/create\",\"params\":{\"message\":\"Sure?\",\"extra\":[1e2]}}\n\n", i)
			w.(http.Flusher).Flush()
			select {
			case <-replies:
			case <-r.Context().Done():
				return
			}
		}
		fmt.Fprintf(w, "data: {\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"content\":[],\"n\":9007199254740993}}\n\n", m.ID)
	})
	return s, replies
}

// modernCall is a call of a client that takes elicitations.
func (h *house) modernCall(id int, more string, extra ...string) reply {
	h.t.Helper()
	body, header := modern(id, protocol.MethodToolsCall, `{"name":"one","arguments":{"n":9007199254740993}`+more+`}`)
	body = strings.Replace(body, `clientCapabilities":{}`, `clientCapabilities":{"elicitation":{}}`, 1)
	return h.raw("srv", body, append(header, extra...)...)
}

func retry(state string) string {
	return `,"inputResponses":{"input":{"action":"accept","content":{"n":9007199254740993}}},"requestState":"` + state + `"`
}

// TestInputStateBelongsToItsCaller: what a call waits under opens for nobody
// else, not twice, not changed, and not for another entry.
func TestInputStateBelongsToItsCaller(t *testing.T) {
	s, _ := legacyAsking(t, 1)
	h := open(t, auto)
	target := s.start()
	h.serve("srv", target, only(protocol.Legacy))
	h.serve("twin", target, only(protocol.Legacy))
	mallory := "Authorization: Bearer " + h.keys.issue(t, "mallory", identity.RoleAgent)
	before := len(s.sent(protocol.MethodToolsCall))
	asked := h.modernCall(1, "").message(t)
	state := jsonrpc.Text(asked.Result, "/requestState")
	if want := `{"resultType":"input_required","inputRequests":{"input":{"method":"elicitation/create","params":{"message":"Sure?","extra":[1e2]}}},"requestState":"` + state + `"}`; string(asked.Result) != want {
		t.Fatalf("asked %s", asked.Raw)
	}
	h.modernCall(2, retry(state), mallory).refused(t, 403, ReasonStateForeign)
	h.modernCall(3, retry(state+"x")).refused(t, 403, ReasonStateForeign)
	h.modernCall(4, retry("bz1.AAAAAAAAAAAAAAAAAAAAAA.AAAA")).refused(t, 403, ReasonStateForeign)
	for alias, params := range map[string]string{
		"srv": `{"name":"two","arguments":{"n":9007199254740993}` + retry(state) + `}`, "twin": `{"name":"one","arguments":{"n":9007199254740993}` + retry(state) + `}`,
	} {
		body, header := modern(5, protocol.MethodToolsCall, params)
		h.raw(alias, body, header...).refused(t, 403, ReasonStateForeign)
	}
	body, header := modern(5, protocol.MethodToolsCall, `{"name":"one","arguments":{"n":9007199254740992}`+retry(state)+`}`)
	h.raw("srv", body, header...).refused(t, 403, ReasonStateForeign)
	h.modernCall(5, strings.Replace(retry(state), `"accept"`, `"BLOCK-ME"`, 1)).refused(t, 403, ReasonFinding)
	r := h.modernCall(6, retry(state))
	if m := r.message(t); string(m.Raw) != `{"jsonrpc":"2.0","id":6,"result":{"resultType":"complete","content":[],"n":9007199254740993}}` {
		t.Errorf("%d %s", r.status, m.Raw)
	}
	h.modernCall(7, retry(state)).refused(t, 403, ReasonStateForeign)
	calls := s.sent(protocol.MethodToolsCall)[before:]
	if len(calls) != 1 || string(calls[0].Params) != `{"name":"one","arguments":{"n":9007199254740993}}` {
		t.Errorf("%d calls reached the server: %s", len(calls), calls[0].Raw)
	}
}

// TestAskedForEver: a legacy server that goes on asking is stopped.
func TestAskedForEver(t *testing.T) {
	s, _ := legacyAsking(t, 1000)
	h := open(t, auto)
	h.serve("srv", s.start(), only(protocol.Legacy))
	r, rounds := h.modernCall(1, ""), 0
	for ; rounds < 100 && r.message(t).Error == nil; rounds++ {
		r = h.modernCall(2+rounds, retry(jsonrpc.Text(r.message(t).Result, "/requestState")))
	}
	if _, data := r.told(t); data.Reason != ReasonUpstreamProtocol || rounds != 16 {
		t.Errorf("after %d rounds: %d %s", rounds, r.status, r.body)
	}
}

// TestWaitingCallsAreBounded in number and in time.
func TestWaitingCallsAreBounded(t *testing.T) {
	s, _ := legacyAsking(t, 1)
	h := open(t, func(c *Config) {
		c.AutoRoutes = true
		c.SessionsPerCaller = 2
		c.SilenceTimeout = 300 * time.Millisecond
	})
	h.serve("srv", s.start(), only(protocol.Legacy))
	state := jsonrpc.Text(h.modernCall(1, "").message(t).Result, "/requestState")
	h.modernCall(2, "")
	if _, data := h.modernCall(3, "").told(t); data.Reason != ReasonTooManyRequests {
		t.Errorf("a third call waits: %s", data.Reason)
	}
	eventually(t, "the server is told", func() bool { return len(s.sent(protocol.NotificationCancelled)) >= 3 })
	h.modernCall(4, retry(state)).refused(t, 403, ReasonStateForeign)
}

// TestNotOffered: a modern client without the capability is not asked, and the
// server learns so at once.
func TestNotOffered(t *testing.T) {
	s, _ := legacyAsking(t, 1)
	h := open(t, auto)
	h.serve("srv", s.start(), only(protocol.Legacy))
	if r := h.call("srv", 1, protocol.MethodToolsCall, `{"name":"one"}`); r.message(t).Result == nil || strings.Contains(string(r.body), "input_required") {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// TestSessionForgotten: a session that the legacy server no longer knows is
// opened anew, once, and the call is not lost.
func TestSessionForgotten(t *testing.T) {
	s := newScript(t)
	s.legacy = true
	var mu sync.Mutex
	forget := false
	s.on(protocol.MethodToolsCall, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if forget {
			forget = false
			w.WriteHeader(http.StatusNotFound)
			return
		}
		answer(w, read(r), `{"content":[]}`)
	})
	h := open(t, auto)
	h.serve("srv", s.start(), only(protocol.Legacy))
	for i := range 2 {
		if r := h.modernCall(1+i, ""); r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		mu.Lock()
		forget = i == 0
		mu.Unlock()
	}
	s.on(protocol.MethodToolsCall, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	if r := h.modernCall(9, ""); r.status == 200 {
		t.Errorf("a server that forgets every session: %s", r.body)
	}
}

// TestSessionsAreNotShared: two principals never meet in one upstream session.
func TestSessionsAreNotShared(t *testing.T) {
	s := newScript(t)
	s.legacy = true
	n := 0
	s.on(protocol.MethodInitialize, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		n++
		w.Header().Set(protocol.HeaderSessionID, fmt.Sprintf("s%d", n))
		result := s.results[protocol.MethodInitialize]
		s.mu.Unlock()
		answer(w, read(r), result)
	})
	seen := make(chan string, 64)
	s.on(protocol.MethodToolsCall, func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get(protocol.HeaderSessionID)
		answer(w, read(r), `{"content":[]}`)
	})
	h := open(t, auto)
	h.serve("srv", s.start(), only(protocol.Legacy))
	mallory := "Authorization: Bearer " + h.keys.issue(t, "mallory", identity.RoleAgent)
	h.modernCall(1, "")
	h.modernCall(2, "", mallory)
	h.modernCall(3, "")
	a, m, b := <-seen, <-seen, <-seen
	if a == "" || a == m || a != b {
		t.Errorf("sessions %q, %q, %q", a, m, b)
	}
	closed := make(chan string, 64)
	s.on(http.MethodDelete, func(w http.ResponseWriter, r *http.Request) { closed <- r.Header.Get(protocol.HeaderSessionID) })
	h.keys.change("mallory", revoke)
	if gone := <-closed; gone != m {
		t.Errorf("session %q was closed, hers is %q", gone, m)
	}
}

// TestStoppedQuestion: a question that must not reach the client holds nothing.
func TestStoppedQuestion(t *testing.T) {
	s := newScript(t)
	s.legacy = true
	replies := make(chan *jsonrpc.Message, 64)
	s.on("", func(w http.ResponseWriter, r *http.Request) {
		replies <- parsed(t, read(r))
		w.WriteHeader(http.StatusAccepted)
	})
	s.on(protocol.MethodToolsCall, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"elicitation/create\",\"params\":{\"message\":\"BLOCK-ME\"}}\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	h := open(t, auto)
	h.serve("srv", s.start(), only(protocol.Legacy))
	h.modernCall(1, "").refused(t, 403, ReasonFinding)
	if reply := <-replies; string(reply.ID) != "7" || reply.Error == nil {
		t.Errorf("the server was answered %s", reply.Raw)
	}
	eventually(t, "the server is told", func() bool { return len(s.sent(protocol.NotificationCancelled)) == 1 })
	if _, waiting := h.bridges.Open(); waiting != 0 {
		t.Errorf("%d calls wait", waiting)
	}
}

// TestRevokedWhileAsked: what waits for a client is over when its key is.
func TestRevokedWhileAsked(t *testing.T) {
	s, _ := legacyAsking(t, 1)
	h := open(t, auto)
	h.serve("srv", s.start(), only(protocol.Legacy))
	state := jsonrpc.Text(h.modernCall(1, "").message(t).Result, "/requestState")
	h.keys.change("alice", revoke)
	eventually(t, "nothing is held", func() bool { sessions, waiting := h.bridges.Open(); return sessions+waiting == 0 })
	h.modernCall(2, retry(state)).refused(t, 401, ReasonUnauthenticated)
}

// TestLegacyServerDies in a call: one error, and the call is not sent again.
func TestLegacyServerDies(t *testing.T) {
	t.Run("http", func(t *testing.T) {
		s := newScript(t)
		s.legacy = true
		s.on(protocol.MethodToolsCall, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			conn.Close()
		})
		h := open(t, auto)
		h.serve("srv", s.start(), only(protocol.Legacy))
		h.modernCall(1, "").refused(t, 502, ReasonUpstreamGone)
		if n := len(s.sent(protocol.MethodToolsCall)); n != 1 {
			t.Errorf("the call was sent %d times", n)
		}
		s.on(protocol.MethodToolsCall, nil)
		if r := h.modernCall(2, ""); r.status != 200 {
			t.Errorf("afterwards: %d %s", r.status, r.body)
		}
	})
	t.Run("stdio", func(t *testing.T) {
		w := wires(t)[1]
		h := open(t, auto)
		h.serve("parrot", w.target(t), only(protocol.Legacy))
		h.call("parrot", 1, protocol.MethodToolsCall, `{"name":"die"}`).refused(t, 502, ReasonUpstreamGone)
		calls := func() (n int) {
			for _, m := range w.heard(t) {
				if m.Method == protocol.MethodToolsCall {
					n++
				}
			}
			return n
		}
		if n := calls(); n != 1 {
			t.Errorf("the call was sent %d times", n)
		}
		eventually(t, "it is started again", func() bool { return h.call("parrot", 2, protocol.MethodToolsCall, `{"name":"say"}`).status == 200 })
		if n := calls(); n != 2 {
			t.Errorf("%d calls arrived", n)
		}
	})
}

// TestLegacyServerChanges: a server that says that its tools changed is listed
// anew at once, though nobody subscribed.
func TestLegacyServerChanges(t *testing.T) {
	s := newScript(t)
	s.legacy = true
	stream := make(chan string)
	s.on(http.MethodGet, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		for {
			select {
			case event := <-stream:
				fmt.Fprintf(w, "data: %s\n\n", event)
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				return
			}
		}
	})
	h := open(t, auto)
	h.serve("srv", s.start(), only(protocol.Legacy))
	if r := h.modernCall(1, "", "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	s.mu.Lock()
	if s.header[len(s.header)-1].Get("Traceparent") == "" {
		t.Error("the trace ends at the gateway")
	}
	s.mu.Unlock()
	s.set(protocol.MethodToolsList, tools(tool("one", "Another.")))
	stream <- `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`
	eventually(t, "the change is known", func() bool { return h.modernCall(2, "").status == 403 })
	h.modernCall(3, "").refused(t, 403, ReasonEntryDrifted)
}

// TestNobodyHearsAnother: many callers with the same ids and tokens, asked in
// the middle of their calls, each get their own.
func TestNobodyHearsAnother(t *testing.T) {
	f := newFixture()
	h := open(t, auto)
	url := h.serve("fix", f.start(t, stateful), only(protocol.Legacy))
	var wait sync.WaitGroup
	for who := range 6 {
		name := fmt.Sprintf("caller%d", who)
		token := h.keys.issue(t, name, identity.RoleAgent)
		client := mcp.NewClient(&mcp.Implementation{Name: "same", Version: "1"}, &mcp.ClientOptions{
			CreateMessageHandler: func(_ context.Context, r *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
				question := r.Params.Messages[0].Content.(*mcp.TextContent).Text
				if !strings.HasPrefix(question, name+" ") {
					t.Errorf("%s was asked %q", name, question)
				}
				return &mcp.CreateMessageResult{Model: "m", Role: "assistant", Content: &mcp.TextContent{Text: name + " answers " + question}}, nil
			},
		})
		transport := &mcp.StreamableClientTransport{Endpoint: url, HTTPClient: &http.Client{Transport: bearer{token}}, MaxRetries: -1}
		session, err := client.Connect(t.Context(), transport, &mcp.ClientSessionOptions{ProtocolVersion: protocol.VersionModern})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { session.Close() })
		for n := range 8 {
			wait.Go(func() {
				question := fmt.Sprintf("%s asks %d", name, n)
				res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "sample", Arguments: map[string]any{"text": question}})
				if err != nil || res.Content[0].(*mcp.TextContent).Text != name+" answers "+question {
					t.Errorf("%s %d: %+v, %v", name, n, res, err)
				}
			})
		}
	}
	wait.Wait()
	if sessions, waiting := h.bridges.Open(); sessions != 6 || waiting != 0 {
		t.Errorf("%d sessions, %d wait", sessions, waiting)
	}
}

// TestLegacyErrorsForModernClient: statuses and codes are those of the modern era.
func TestLegacyErrorsForModernClient(t *testing.T) {
	s := newScript(t)
	s.legacy = true
	h := open(t, auto)
	h.serve("srv", s.start(), only(protocol.Legacy))
	say := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, strings.ReplaceAll(body, "%s", string(parsed(t, read(r)).ID)))
		}
	}
	s.on(protocol.MethodResourcesRead, say(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32002,"message":"m"}}`))
	if r := h.call("srv", 3, protocol.MethodResourcesRead, `{"uri":"test://a"}`); r.status != 400 || string(r.body) != `{"jsonrpc":"2.0","id":3,"error":{"code":-32602,"message":"m"}}` {
		t.Errorf("%d %s", r.status, r.body)
	}
	s.on(protocol.MethodResourcesRead, events())
	h.call("srv", 4, protocol.MethodResourcesRead, `{"uri":"test://a"}`).refused(t, 502, ReasonUpstreamGone)
	s.on(protocol.MethodResourcesRead, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })
	h.call("srv", 5, protocol.MethodResourcesRead, `{"uri":"test://a"}`).refused(t, 502, ReasonUpstreamRefused)
	h.call("srv", 6, "initialize", "").refused(t, 404, ReasonMethodDenied)
	h.call("srv", 7, "tasks/get", `{"taskId":"x"}`).refused(t, 404, ReasonMethodDenied)
	if r := h.call("srv", 8, protocol.MethodToolsList, ""); !strings.Contains(string(r.body), `"cacheScope":"private"`) && !strings.Contains(string(r.body), `"ttlMs"`) {
		t.Errorf("%s", r.body)
	}
}
