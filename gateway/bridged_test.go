//lint:file-ignore SA1019 what the modern era deprecates, legacy clients and servers still speak.

package gateway

import (
	"bufio"
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
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// only approves a server for one era, whatever else it speaks.
func only(era protocol.Era) func(*approval.Approval) {
	return func(a *approval.Approval) {
		for have := range a.Roots {
			if have != string(era) {
				delete(a.Roots, have)
			}
		}
	}
}

// person is a client's user who answers whatever is asked.
func (h *heard) person() *mcp.ClientOptions {
	opts := h.options()
	opts.ElicitationHandler = func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
		content := map[string]any{"username": "ada", "email": "ada@example.org"}
		switch {
		case strings.Contains(r.Params.Message, "name"):
			content["name"] = "Ada"
		case strings.Contains(r.Params.Message, "color"):
			content["color"] = "green"
		default:
			content["ok"], content["context"] = true, "context"
		}
		return &mcp.ElicitResult{Action: "accept", Content: content}, nil
	}
	return opts
}

// withRoots connects a client that offers a root beside everything else.
func withRoots(t *testing.T, url, token, version string, opts *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, opts)
	client.AddRoots(&mcp.Root{URI: "file:///home", Name: "home"})
	transport := &mcp.StreamableClientTransport{Endpoint: url, HTTPClient: &http.Client{Transport: bearer{token}}, MaxRetries: -1}
	s, err := client.Connect(t.Context(), transport, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// overHTTP starts the conformance server in the given mode.
func overHTTP(t *testing.T, stateless bool) upstream.Target {
	t.Helper()
	l := httptest.NewServer(nil) // finds a free port
	addr := l.Listener.Addr().String()
	l.Close()
	proc, err := upstream.StartProcess(t.Context(), upstream.Target{Command: []string{everything, "-http", addr, fmt.Sprintf("-stateless=%v", stateless)}}, upstream.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { proc.Close() })
	eventually(t, "the server listens", func() bool {
		resp, err := http.Get("http://" + addr)
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	return upstream.Target{URL: "http://" + addr + "/mcp"}
}

// TestLegacyClientModernServer drives an unmodified legacy client against
// servers that were approved for the modern era only.
func TestLegacyClientModernServer(t *testing.T) {
	for _, version := range []string{"2025-11-25", "2025-06-18", "2025-03-26"} {
		t.Run(version, func(t *testing.T) {
			f := newFixture()
			h := open(t, auto)
			url := h.serve("fix", f.start(t, stateless), only(protocol.Modern))
			var got heard
			s := connect(t, url, h.token, version, got.options())
			if v := s.InitializeResult(); v.ProtocolVersion != version || v.Instructions == "" || v.ServerInfo.Name != "fixture" || v.Capabilities.Tools == nil {
				t.Errorf("introduction: %+v", v)
			}
			offers(t, s)
			params := &mcp.CallToolParams{Name: "progress", Arguments: map[string]any{"text": "going"}}
			params.SetProgressToken("token")
			if _, err := s.CallTool(t.Context(), params); err != nil {
				t.Fatal(err)
			}
			eventually(t, "progress", func() bool { got.mu.Lock(); defer got.mu.Unlock(); return len(got.progress) == 3 })
			if err := s.SetLoggingLevel(t.Context(), &mcp.SetLoggingLevelParams{Level: "debug"}); err != nil {
				t.Fatal(err)
			}
			callText(t, s, "log", "a line")
			eventually(t, "log line", func() bool { got.mu.Lock(); defer got.mu.Unlock(); return len(got.logs) == 1 })
			if err := s.Ping(t.Context(), nil); err != nil {
				t.Errorf("ping: %v", err)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, header := range f.headers {
				if header.Get(protocol.HeaderSessionID) != "" || header.Get("Authorization") != "" {
					t.Errorf("went upstream: %v", header)
				}
			}
		})
	}
}

// TestInputForLegacyClient: what a modern server asks for in its results is
// asked of the legacy client, over HTTP and over stdio.
func TestInputForLegacyClient(t *testing.T) {
	targets := map[string]upstream.Target{"http": overHTTP(t, true), "stdio": {Command: []string{everything}}}
	for name, target := range targets {
		t.Run(name, func(t *testing.T) {
			h := open(t, auto)
			url := h.serve("every", target, only(protocol.Modern))
			var got heard
			s := withRoots(t, url, h.token, "2025-11-25", got.person())
			for tool, want := range map[string]string{
				"test_input_required_result_elicitation":     "Hello, Ada!",
				"test_input_required_result_sampling":        "Sampling response: model says What is the capital of France?",
				"test_input_required_result_list_roots":      "Client exposed 1 root(s): file:///home",
				"test_input_required_result_request_state":   "state-ok: requestState received and confirmation accepted",
				"test_input_required_result_multiple_inputs": "model says Generate a greeting Ada — 1 root(s) visible",
				"test_input_required_result_multi_round":     "Multi-round complete: Ada likes green",
				"test_input_required_result_tampered_state":  "state-ok: requestState received and confirmation accepted",
				"test_input_required_result_capabilities":    "Capability-aware input requests fulfilled",
			} {
				if got := callText(t, s, tool, ""); got != want {
					t.Errorf("%s = %q, want %q", tool, got, want)
				}
			}
			prompt, err := s.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "test_input_required_result_prompt"})
			if err != nil || len(prompt.Messages) == 0 {
				t.Errorf("prompt = %+v, %v", prompt, err)
			}
			var wait sync.WaitGroup
			for range 8 {
				wait.Go(func() {
					res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "test_input_required_result_multi_round"})
					if err != nil || res.Content[0].(*mcp.TextContent).Text != "Multi-round complete: Ada likes green" {
						t.Errorf("at once: %+v, %v", res, err)
					}
				})
			}
			wait.Wait()
		})
	}
}

// TestChangesForLegacyClient: list_changed and updates of resources reach the
// client's stream, through subscriptions/listen.
func TestChangesForLegacyClient(t *testing.T) {
	f := newFixture()
	h := open(t, auto)
	url := h.serve("fix", f.start(t, stateless), only(protocol.Modern))
	changed, updated := make(chan struct{}, 8), make(chan string, 8)
	s := connect(t, url, h.token, "2025-11-25", &mcp.ClientOptions{
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { changed <- struct{}{} },
		ResourceUpdatedHandler: func(_ context.Context, r *mcp.ResourceUpdatedNotificationRequest) { updated <- r.Params.URI },
	})
	if err := s.Subscribe(t.Context(), &mcp.SubscribeParams{URI: "test://static"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for done := false; !done; {
		if err := f.ResourceUpdated(ctx, &mcp.ResourceUpdatedNotificationParams{URI: "test://static"}); err != nil {
			t.Fatal(err)
		}
		select {
		case uri := <-updated:
			if uri != "test://static" {
				t.Errorf("updated %q", uri)
			}
			done = true
		case <-time.After(20 * time.Millisecond): // the stream may not be open yet
		case <-ctx.Done():
			t.Fatal("no update arrived")
		}
	}
	for n := 0; len(changed) == 0 && ctx.Err() == nil; n++ {
		f.addTool(fmt.Sprintf("new%d", n), "New.", true, func(context.Context, *mcp.CallToolRequest, said) (string, error) { return "", nil })
		time.Sleep(50 * time.Millisecond)
	}
	if ctx.Err() != nil {
		t.Error("no change arrived")
	}
	if _, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "new0", Arguments: map[string]any{"text": ""}}); err == nil {
		t.Error("a tool that nobody approved was called")
	}
	if tools, err := s.ListTools(t.Context(), nil); err != nil || len(tools.Tools) != 8 {
		t.Errorf("tools = %v", err)
	}
}

// TestCancelledByLegacyClient: notifications/cancelled closes the stream towards
// the modern server, and what the client still answers goes nowhere.
func TestCancelledByLegacyClient(t *testing.T) {
	f := newFixture()
	ended := make(chan error, 1)
	f.addTool("wait", "Wait until cancelled.", true, func(ctx context.Context, _ *mcp.CallToolRequest, _ said) (string, error) {
		<-ctx.Done()
		ended <- ctx.Err()
		return "", ctx.Err()
	})
	h := open(t, auto)
	h.serve("fix", f.start(t, stateless), only(protocol.Modern))
	session := h.initialize("fix")
	call := make(chan reply, 1)
	go func() {
		call <- h.raw("fix", `{"jsonrpc":"2.0","id":"w","method":"tools/call","params":{"name":"wait","arguments":{"text":""}}}`, session...)
	}()
	eventually(t, "the call is under way", func() bool { return f.called() > 0 })
	other := h.initialize("fix")
	for _, who := range [][]string{other, session} { // somebody else's session cancels nothing
		h.raw("fix", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"w"}}`, who...)
		if &who[0] == &other[0] && len(ended) > 0 {
			t.Error("cancelled from another session")
		}
	}
	<-ended
	if r := <-call; r.status != http.StatusOK || len(r.body) != 0 {
		t.Errorf("the cancelled call was answered: %d %s", r.status, r.body)
	}
	if r := h.raw("fix", `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":{"text":"x"}}}`, session...); r.status != 200 {
		t.Errorf("afterwards: %d %s", r.status, r.body)
	}
}

// asking is a modern server whose tool "one" asks for input as long as want
// says so.
func asking(t *testing.T, inputs string, want func(m *jsonrpc.Message) bool) *script {
	s := newScript(t)
	s.on(protocol.MethodToolsCall, func(w http.ResponseWriter, r *http.Request) {
		body := read(r)
		if want(parsed(t, body)) {
			answer(w, body, `{"resultType":"input_required","requestState":"secret-state","inputRequests":`+inputs+`}`)
			return
		}
		answer(w, body, `{"resultType":"complete","content":[{"type":"text","text":"fine"}]}`)
	})
	return s
}

func parsed(t *testing.T, body string) *jsonrpc.Message {
	m, err := jsonrpc.Parse([]byte(body), jsonrpc.Limits{})
	if err != nil {
		t.Errorf("%q: %v", body, err)
		return &jsonrpc.Message{}
	}
	return m
}

// converse posts a call and answers every request that comes on its stream.
func (h *house) converse(alias, body string, session []string, reply func(m *jsonrpc.Message) string) (status int, last *jsonrpc.Message, asked []*jsonrpc.Message, whole string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.url+"/mcp/"+alias, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	for _, line := range append([]string{"Content-Type: application/json", "Accept: application/json, text/event-stream", "Authorization: Bearer " + h.token}, session...) {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Content-Type") == "application/json" {
		b, _ := io.ReadAll(resp.Body)
		m, err := jsonrpc.Parse(b, jsonrpc.Limits{})
		if err != nil {
			h.t.Fatalf("%d %q: %v", resp.StatusCode, b, err)
		}
		return resp.StatusCode, m, nil, string(b)
	}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		line := lines.Text()
		whole += line + "\n"
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		m, err := jsonrpc.Parse([]byte(data), jsonrpc.Limits{})
		if err != nil {
			h.t.Fatalf("%q: %v", data, err)
		}
		switch m.Kind {
		case jsonrpc.Response:
			last = m
		case jsonrpc.Request:
			asked = append(asked, m)
			if text := reply(m); text != "" {
				h.raw(alias, text, session...)
			}
		}
	}
	return resp.StatusCode, last, asked, whole
}

const callWithID = `{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":"one","arguments":{"n":9007199254740993},"_meta":{"x/y":1}}}`

func accept(m *jsonrpc.Message) string {
	return `{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":{"action":"accept","content":{"n":9007199254740993}}}`
}

// capable opens a session of a client that takes every kind of request.
func (h *house) capable(alias string, header ...string) []string {
	h.t.Helper()
	r := h.raw(alias, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{},"sampling":{},"roots":{}},"clientInfo":{"name":"t","version":"1"}}}`, header...)
	if r.status != http.StatusOK {
		h.t.Fatalf("initialize: %d %s", r.status, r.body)
	}
	return append([]string{"Mcp-Session-Id: " + r.header.Get(protocol.HeaderSessionID), "MCP-Protocol-Version: 2025-11-25"}, header...)
}

const oneQuestion = `{"q":{"method":"elicitation/create","params":{"message":"Sure?","requestedSchema":{"type":"object","properties":{}},"extra":{"deep":[1e2]}}}}`

// TestRoundsKeepBytes: params and replies travel byte for byte, the server's
// requestState comes back to it and never reaches the client.
func TestRoundsKeepBytes(t *testing.T) {
	s := asking(t, oneQuestion, func(m *jsonrpc.Message) bool { return jsonrpc.Text(m.Params, "/requestState") == "" })
	h := open(t, auto)
	h.serve("srv", s.start(), only(protocol.Modern))
	session := h.capable("srv")
	before := len(s.sent(protocol.MethodToolsCall))
	status, last, asked, whole := h.converse("srv", fmt.Sprintf(callWithID, `"a"`), session, accept)
	if status != 200 || last == nil || string(last.Raw) != `{"jsonrpc":"2.0","id":"a","result":{"content":[{"type":"text","text":"fine"}]}}` {
		t.Fatalf("%d %s", status, whole)
	}
	if strings.Contains(whole, "secret-state") {
		t.Error("the client saw the server's requestState")
	}
	if len(asked) != 1 || string(asked[0].Params) != `{"message":"Sure?","requestedSchema":{"type":"object","properties":{}},"extra":{"deep":[1e2]}}` {
		t.Errorf("asked %s", whole)
	}
	calls := s.sent(protocol.MethodToolsCall)[before:]
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{},"sampling":{},"roots":{}},"io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"x/y":1}}`
	first := `{"name":"one","arguments":{"n":9007199254740993},` + meta
	second := `{"inputResponses":{"q":{"action":"accept","content":{"n":9007199254740993}}},"requestState":"secret-state",` + first[1:]
	if len(calls) != 2 || string(calls[0].Params) != first || string(calls[1].Params) != second || string(calls[0].ID) == string(calls[1].ID) {
		t.Errorf("upstream saw %s\n%s", calls[0].Raw, calls[len(calls)-1].Raw)
	}
}

// TestRoundsAttacked: a hostile server or client gets nothing out of the rounds.
func TestRoundsAttacked(t *testing.T) {
	always := func(*jsonrpc.Message) bool { return true }
	once := func(m *jsonrpc.Message) bool { return jsonrpc.Text(m.Params, "/requestState") == "" }
	for name, tt := range map[string]struct {
		inputs string
		want   func(*jsonrpc.Message) bool
		reply  func(*jsonrpc.Message) string
		reason Reason // "" where the call succeeds
		code   int
		asked  int
	}{
		"asks for ever":           {oneQuestion, always, accept, ReasonUpstreamProtocol, 0, 16},
		"asks for patience only":  {`{}`, once, accept, "", 0, 0},
		"asks for a ping":         {`{"q":{"method":"ping"}}`, once, accept, ReasonUpstreamProtocol, 0, 0},
		"asks for a tool":         {`{"q":{"method":"tools/call","params":{"name":"two"}}}`, once, accept, ReasonUpstreamProtocol, 0, 0},
		"inputs are no object":    {`[1]`, once, accept, ReasonUpstreamProtocol, 0, 0},
		"params are no object":    {`{"q":{"method":"elicitation/create","params":1}}`, once, accept, ReasonUpstreamProtocol, 0, 0},
		"the question is blocked": {strings.Replace(oneQuestion, "Sure?", "BLOCK-ME", 1), once, accept, "", 0, 0},
		"the client declines":     {oneQuestion, once, refuseInput, "", 0, 1},
		"no model":                {`{"q":{"method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}}`, once, refuseInput, "", protocol.CodeInternalError, 1},
		"the reply is blocked":    {oneQuestion, once, blockedReply, "", 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := asking(t, tt.inputs, tt.want)
			h := open(t, auto)
			h.serve("srv", s.start(), only(protocol.Modern))
			session := h.capable("srv")
			_, last, asked, whole := h.converse("srv", fmt.Sprintf(callWithID, "7"), session, tt.reply)
			if last == nil || string(last.ID) != "7" {
				t.Fatalf("answer %s", whole)
			}
			if len(asked) != tt.asked {
				t.Errorf("asked %d times, want %d", len(asked), tt.asked)
			}
			if tt.reason == "" && tt.code == 0 {
				if last.Error != nil {
					t.Errorf("answer %s", last.Raw)
				}
				return
			}
			if got := jsonrpc.Text(last.Error, "/data/reason"); got != string(tt.reason) {
				t.Errorf("answer %s, want %q", last.Raw, tt.reason)
			}
			if code, _ := last.Code(); tt.code != 0 && code != tt.code {
				t.Errorf("answer %s, want code %d", last.Raw, tt.code)
			}
		})
	}
}

func refuseInput(m *jsonrpc.Message) string {
	return string(jsonrpc.NewError(m.ID, -1, "no", nil))
}

func blockedReply(m *jsonrpc.Message) string {
	return `{"jsonrpc":"2.0","id":` + string(m.ID) + `,"result":{"action":"accept","content":{"x":"BLOCK-ME"}}}`
}

// TestRoundsBelongToTheirSession: nobody else can answer, twice counts once,
// and an answer that comes too late goes nowhere.
func TestRoundsBelongToTheirSession(t *testing.T) {
	s := asking(t, oneQuestion, func(m *jsonrpc.Message) bool { return jsonrpc.Text(m.Params, "/requestState") == "" })
	h := open(t, auto)
	h.serve("srv", s.start(), only(protocol.Modern))
	mallory := "Authorization: Bearer " + h.keys.issue(t, "mallory", identity.RoleAgent)
	theirs, session := h.capable("srv", mallory), h.capable("srv")
	before := len(s.sent(protocol.MethodToolsCall))
	var seen *jsonrpc.Message
	_, last, _, whole := h.converse("srv", fmt.Sprintf(callWithID, "7"), session, func(m *jsonrpc.Message) string {
		seen = m
		h.raw("srv", accept(m), theirs...).refused(t, 400, ReasonReplyUnexpected)
		h.raw("srv", accept(m), append(session[:2:2], mallory)...).refused(t, 404, ReasonSessionUnknown)
		if n := len(s.sent(protocol.MethodToolsCall)) - before; n != 1 {
			t.Errorf("%d tries before anybody answered", n)
		}
		return accept(m)
	})
	if last == nil || last.Error != nil {
		t.Fatalf("answer %s", whole)
	}
	h.raw("srv", accept(seen), session...).refused(t, 400, ReasonReplyUnexpected)
	if n := len(s.sent(protocol.MethodToolsCall)) - before; n != 2 {
		t.Errorf("%d tries reached the server, want 2", n)
	}
	for _, member := range []string{`"requestState":"secret-state"`, `"inputResponses":{}`} { // what a legacy client never has
		h.raw("srv", `{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"one",`+member+`}}`, session...).refused(t, 403, ReasonStateForeign)
	}
	if n := len(s.sent(protocol.MethodToolsCall)) - before; n != 2 {
		t.Error("a forged state reached the server")
	}
}

// TestAnswerAfterCancellation: the reply to a request of a call that was
// cancelled meanwhile is taken, and goes nowhere.
func TestAnswerAfterCancellation(t *testing.T) {
	s := asking(t, oneQuestion, func(m *jsonrpc.Message) bool { return true })
	h := open(t, auto)
	h.serve("srv", s.start(), only(protocol.Modern))
	session := h.capable("srv")
	before := len(s.sent(protocol.MethodToolsCall))
	var seen *jsonrpc.Message
	_, last, _, whole := h.converse("srv", fmt.Sprintf(callWithID, "7"), session, func(m *jsonrpc.Message) string {
		seen = m
		return `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`
	})
	if last != nil {
		t.Errorf("a cancelled call was answered: %s", whole)
	}
	if r := h.raw("srv", accept(seen), session...); r.status != http.StatusAccepted {
		t.Errorf("late reply: %d %s", r.status, r.body)
	}
	if n := len(s.sent(protocol.MethodToolsCall)) - before; n != 1 {
		t.Errorf("%d tries reached the server, want 1", n)
	}
	if used := h.events(audit.Query{Code: "call_outcome", Entry: "one"}); len(used) != 1 {
		t.Errorf("%d outcomes on record", len(used))
	}
}

// TestNeverOffered: what a client did not declare is not asked of it.
func TestNeverOffered(t *testing.T) {
	s := asking(t, oneQuestion, func(*jsonrpc.Message) bool { return true })
	h := open(t, auto)
	h.serve("srv", s.start(), only(protocol.Modern))
	_, last, asked, _ := h.converse("srv", fmt.Sprintf(callWithID, "7"), h.initialize("srv"), accept)
	if len(asked) != 0 || last == nil || jsonrpc.Text(last.Error, "/data/reason") != string(ReasonUpstreamProtocol) {
		t.Errorf("asked %d, answer %v", len(asked), last)
	}
}

// TestModernErrorsForLegacyClient: statuses stay those that a legacy client
// understands, and the session outlives them.
func TestModernErrorsForLegacyClient(t *testing.T) {
	s := newScript(t)
	h := open(t, auto)
	h.serve("srv", s.start(), only(protocol.Modern))
	session := h.capable("srv")
	fail := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			io.WriteString(w, strings.ReplaceAll(body, "%s", string(parsed(t, read(r)).ID)))
		}
	}
	readA := `{"jsonrpc":"2.0","id":3,"method":"resources/read","params":{"uri":"test://a"}}`
	s.on(protocol.MethodResourcesRead, fail(400, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"m","data":{"uri":"test://a"}}}`))
	if r := h.raw("srv", readA, session...); r.status != 200 || string(r.body) != `{"jsonrpc":"2.0","id":3,"error":{"code":-32002,"message":"m","data":{"uri":"test://a"}}}` {
		t.Errorf("%d %s", r.status, r.body)
	}
	s.on(protocol.MethodResourcesRead, fail(404, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"m"}}`))
	if r := h.raw("srv", readA, session...); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	s.on(protocol.MethodResourcesRead, fail(401, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32600,"message":"m"}}`))
	h.raw("srv", readA, session...).refused(t, 502, ReasonUpstreamRefused)
	s.on(protocol.MethodResourcesRead, events(`{"jsonrpc":"2.0","id":"x","method":"sampling/createMessage","params":{}}`))
	h.raw("srv", readA, session...).refused(t, 502, ReasonUpstreamProtocol)
	s.on(protocol.MethodResourcesRead, events())
	h.raw("srv", readA, session...).refused(t, 502, ReasonUpstreamGone)
	s.on(protocol.MethodResourcesRead, nil)
	if r := h.raw("srv", readA, session...); r.status != 200 {
		t.Errorf("the session did not outlive errors: %d %s", r.status, r.body)
	}
	h.raw("srv", `{"jsonrpc":"2.0","id":3,"method":"logging/setLevel","params":{"level":"loud"}}`, session...).refused(t, 400, ReasonInvalidParams)
	if r := h.do(http.MethodGet, "/mcp/srv", "", append(session, "Last-Event-ID: 1")...); r.status != 400 {
		t.Errorf("resumption: %d", r.status)
	}
	s.on(protocol.MethodSubscriptionsListen, fail(404, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"m"}}`))
	h.do(http.MethodGet, "/mcp/srv", "", session...).refused(t, 405, ReasonHTTPMethod)
	if r := h.do(http.MethodDelete, "/mcp/srv", "", session...); r.status != http.StatusNoContent {
		t.Errorf("DELETE: %d", r.status)
	}
	h.raw("srv", readA, session...).refused(t, 404, ReasonSessionUnknown)
}

// TestParamHeadersForLegacyClient: the headers that a tool's schema demands are
// written for a client whose era has none.
func TestParamHeadersForLegacyClient(t *testing.T) {
	s := newScript(t)
	s.set(protocol.MethodToolsList, tools(`{"name":"one","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},"n":{"type":"object","properties":{"deep":{"type":"integer","x-mcp-header":"Deep"}}},"evil":{"type":"string","x-mcp-header":"a b"}}}}`))
	got := make(chan http.Header, 1)
	s.on(protocol.MethodToolsCall, func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Clone()
		answer(w, read(r), `{"resultType":"complete","content":[]}`)
	})
	h := open(t, auto)
	h.serve("srv", s.start(), only(protocol.Modern))
	session := h.capable("srv")
	r := h.raw("srv", `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"one","arguments":{"region":"Zürich","n":{"deep":7},"evil":"x"}}}`, session...)
	if r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	header := <-got
	for name, want := range map[string]string{
		"Mcp-Param-Region": protocol.EncodeHeader("Zürich"), "Mcp-Param-Deep": "7", protocol.HeaderName: "one",
		protocol.HeaderMethod: protocol.MethodToolsCall, protocol.HeaderProtocolVersion: protocol.VersionModern, protocol.HeaderSessionID: "",
	} {
		if header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, header.Get(name), want)
		}
	}
}
