//lint:file-ignore SA1019 what the modern era deprecates, legacy clients and servers still speak.

package gateway

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// all serves several upstreams at /mcp.
func (h *house) all() string { return h.url + "/mcp" }

func toolNames(t *testing.T, s *mcp.ClientSession) []string {
	t.Helper()
	var names []string
	for tool, err := range s.Tools(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, tool.Name)
	}
	return names
}

func say(t *testing.T, s *mcp.ClientSession, tool, text string) string {
	t.Helper()
	res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: map[string]any{"text": text}})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	return res.Content[0].(*mcp.TextContent).Text
}

// Unmodified clients of both eras see two real servers as one.
func TestMergedServesRealServersAsOne(t *testing.T) {
	for _, tc := range []struct {
		name, version string
		opts          mcp.StreamableHTTPOptions
	}{
		{"legacy", "2025-11-25", stateful}, {"modern", "", stateless},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := open(t, auto)
			a, b := newFixture(), newFixture()
			h.approve("alpha", a.start(t, tc.opts))
			h.approve("beta", b.start(t, tc.opts))
			s := connect(t, h.all(), h.token, tc.version, nil)
			if got := s.InitializeResult().Instructions; !strings.Contains(got, "# alpha\n\nCall echo") || !strings.Contains(got, "# beta\n\nCall echo") {
				t.Errorf("instructions %q", got)
			}
			caps := s.InitializeResult().Capabilities
			if caps.Tools == nil || caps.Prompts == nil || caps.Resources == nil || caps.Completions == nil || !caps.Tools.ListChanged {
				t.Errorf("capabilities %+v", caps)
			}
			names := toolNames(t, s)
			for _, want := range []string{"alpha__echo", "beta__echo", "beta__wait"} {
				if !slices.Contains(names, want) {
					t.Errorf("%s is not among %v", want, names)
				}
			}
			if !slices.IsSorted(names) {
				t.Errorf("not in the order of aliases: %v", names)
			}
			for _, alias := range []string{"alpha", "beta"} {
				if got := say(t, s, alias+"__echo", "hello "+alias); got != "hello "+alias {
					t.Errorf("echo of %s: %q", alias, got)
				}
			}
			if a.called() != 1 || b.called() != 1 {
				t.Errorf("calls %d and %d, want one each", a.called(), b.called())
			}
			p, err := s.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "beta__greet", Arguments: map[string]string{"who": "Bo"}})
			if err != nil || p.Messages[0].Content.(*mcp.TextContent).Text != "Hello Bo" {
				t.Errorf("prompt %+v, %v", p, err)
			}
			c, err := s.Complete(t.Context(), &mcp.CompleteParams{
				Ref: &mcp.CompleteReference{Type: "ref/prompt", Name: "alpha__greet"}, Argument: mcp.CompleteParamsArgument{Name: "who", Value: "A"},
			})
			if err != nil || !slices.Equal(c.Completion.Values, []string{"A!"}) {
				t.Errorf("completion %+v, %v", c, err)
			}
			// Both servers list the same URIs: nobody's, rather than anybody's.
			resources, err := s.ListResources(t.Context(), nil)
			if err != nil || len(resources.Resources) != 0 {
				t.Errorf("contested resources are listed: %+v, %v", resources, err)
			}
			if _, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "test://static"}); err == nil || !strings.Contains(err.Error(), "more than one server") {
				t.Errorf("a contested resource was read: %v", err)
			}
			for _, server := range []string{"io.example/alpha", "io.example/beta"} {
				if got := len(h.events(audit.Query{Code: "call_outcome", Server: server, Entry: "echo"})); got != 1 {
					t.Errorf("%d outcomes of echo at %s are on record, want 1", got, server)
				}
			}
		})
	}
}

// What the client asks of one server never comes to another, and servers that
// use the same ids for their own requests each get their own reply.
func TestMergedCollidingIDs(t *testing.T) {
	h := open(t, auto)
	const servers, rounds = 3, 20
	for i := range servers {
		h.approve(fmt.Sprintf("srv%d", i), newFixture().start(t, stateful))
	}
	s := connect(t, h.all(), h.token, "2025-11-25", &mcp.ClientOptions{
		CreateMessageHandler: func(_ context.Context, r *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			return &mcp.CreateMessageResult{Role: "assistant", Model: "m", Content: &mcp.TextContent{Text: "re: " + r.Params.Messages[0].Content.(*mcp.TextContent).Text}}, nil
		},
		ElicitationHandler: func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: map[bool]string{true: "accept", false: "decline"}[strings.Contains(r.Params.Message, "0")]}, nil
		},
	})
	errs := make(chan error, servers*rounds*2)
	for i := range servers {
		for j := range rounds {
			go func() {
				text := fmt.Sprintf("%d/%d", i, j)
				res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: fmt.Sprintf("srv%d__sample", i), Arguments: map[string]any{"text": text}})
				if err == nil && res.Content[0].(*mcp.TextContent).Text != "re: "+text {
					err = fmt.Errorf("srv%d asked %q and was told %q", i, text, res.Content[0].(*mcp.TextContent).Text)
				}
				errs <- err
			}()
			go func() {
				res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: fmt.Sprintf("srv%d__elicit", i), Arguments: map[string]any{"text": fmt.Sprint(i)}})
				want := map[bool]string{true: "accept", false: "decline"}[i == 0]
				if err == nil && res.Content[0].(*mcp.TextContent).Text != want {
					err = fmt.Errorf("srv%d: %q, want %q", i, res.Content[0].(*mcp.TextContent).Text, want)
				}
				errs <- err
			}()
		}
	}
	for range servers * rounds * 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestMergedProgressLoggingAndCancellation(t *testing.T) {
	h := open(t, auto)
	alpha := newFixture()
	h.approve("alpha", alpha.start(t, stateful))
	h.approve("beta", newFixture().start(t, stateful))
	progress, lines := make(chan string, 16), make(chan string, 16)
	s := connect(t, h.all(), h.token, "2025-11-25", &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
			progress <- fmt.Sprintf("%v %s", r.Params.ProgressToken, r.Params.Message)
		},
		LoggingMessageHandler: func(_ context.Context, r *mcp.LoggingMessageRequest) { lines <- fmt.Sprint(r.Params.Data) },
	})
	params := &mcp.CallToolParams{Name: "beta__progress", Arguments: map[string]any{"text": "b"}}
	params.SetProgressToken("tok")
	if _, err := s.CallTool(t.Context(), params); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got := <-progress; got != "tok b" {
			t.Errorf("progress %q", got)
		}
	}
	if err := s.SetLoggingLevel(t.Context(), &mcp.SetLoggingLevelParams{Level: "warning"}); err != nil {
		t.Fatal(err)
	}
	say(t, s, "beta__log", "to beta, which was there")
	say(t, s, "alpha__log", "to alpha, which joins later")
	for _, want := range []string{"to beta, which was there", "to alpha, which joins later"} {
		if got := <-lines; got != want {
			t.Errorf("log line %q, want %q", got, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := s.CallTool(ctx, &mcp.CallToolParams{Name: "alpha__wait", Arguments: map[string]any{"text": ""}})
		ended <- err
	}()
	eventually(t, "the call reached alpha", func() bool { return alpha.called() == 2 })
	cancel()
	if err := <-ended; err == nil {
		t.Error("a cancelled call succeeded")
	}
	if got := say(t, s, "alpha__echo", "still here"); got != "still here" {
		t.Errorf("after a cancellation: %q", got)
	}
}

// A merged session owns a session with each server that was needed, and no
// other; closing it closes them.
func TestMergedSessionOwnsItsUpstreamSessions(t *testing.T) {
	h := open(t, auto)
	a, b := newScript(t), newScript(t)
	a.legacy, b.legacy = true, true
	h.approve("alpha", a.start())
	h.approve("beta", b.start())
	opened := func(s *script) int { return len(s.sent(protocol.MethodInitialize)) }
	capturedA, capturedB := opened(a), opened(b)
	session := h.initialize("")
	if r := h.raw("", `{"jsonrpc":"2.0","id":5,"method":"tools/list"}`, session...); r.status != http.StatusOK {
		t.Fatalf("list: %d %s", r.status, r.body)
	}
	listedA, listedB := opened(a), opened(b) // the gateway's own conversations
	if listedA > capturedA+1 || listedB > capturedB+1 {
		t.Errorf("a list opened sessions for the client")
	}
	for range 2 {
		r := h.raw("", `{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"alpha__one","arguments":{}}}`, session...)
		if r.status != http.StatusOK || !strings.Contains(string(r.body), "fine") {
			t.Fatalf("call: %d %s", r.status, r.body)
		}
	}
	if opened(a) != listedA+1 || opened(b) != listedB {
		t.Errorf("sessions opened: alpha %d, beta %d; want one and none", opened(a)-listedA, opened(b)-listedB)
	}
	if got := a.sent(protocol.MethodToolsCall); jsonrpc.Text(got[0].Params, "/name") != "one" || string(got[0].ID) != "6" {
		t.Errorf("alpha got %s", got[0].Raw)
	}
	// Another server takes over the alias: so does another session, unseen.
	c := newScript(t)
	c.legacy = true
	h.approvals.set(nil, h.approvals.All()[1])
	h.approve("alpha", c.start(), func(a *approval.Approval) { a.Digest = strings.Repeat("c", 64) })
	if r := h.raw("", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"alpha__one"}}`, session...); r.status != http.StatusOK || len(c.sent(protocol.MethodToolsCall)) != 1 {
		t.Errorf("after the alias changed hands: %d %s", r.status, r.body)
	}
	a = c
	ends := make(chan struct{}, 4)
	a.on(http.MethodDelete, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(protocol.HeaderSessionID) == sessionOfScript {
			ends <- struct{}{}
		}
	})
	if r := h.do(http.MethodDelete, "/mcp", "", session...); r.status != http.StatusNoContent {
		t.Fatalf("delete: %d", r.status)
	}
	<-ends
	r := h.raw("", `{"jsonrpc":"2.0","id":7,"method":"ping"}`, session...)
	r.refused(t, http.StatusNotFound, ReasonSessionUnknown)
	if len(h.sessions.byID) != 0 {
		t.Errorf("%d sessions are left", len(h.sessions.byID))
	}
}

// Names that no client would take become ones that all take, and come back as
// what they were.
func TestMergedNamesComeBack(t *testing.T) {
	h := open(t, auto)
	s := newScript(t)
	long := strings.Repeat("n", 90)
	names := []string{"get.item", "get item", "plain", long, "a__b", `quo"te`, "ünï"}
	var list []string
	for _, n := range names {
		list = append(list, tool(n, "A tool."))
	}
	s.set(protocol.MethodToolsList, tools(list...))
	h.approve("srv", s.start())
	r := h.call("", 1, protocol.MethodToolsList, "")
	merged := map[string]bool{}
	elements := strings.Count(string(r.body), `"name":`)
	for _, part := range strings.Split(string(r.body), `"name":"`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		if len(name) > 64 || strings.ContainsFunc(name, func(c rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", c)
		}) {
			t.Errorf("%q is no legal name", name)
		}
		merged[name] = true
	}
	if len(merged) != len(names) || elements != len(names) {
		t.Fatalf("%d names of %d: %v", len(merged), len(names), merged)
	}
	for name := range merged {
		if r := h.call("", 2, protocol.MethodToolsCall, fmt.Sprintf(`{"name":%q,"arguments":{}}`, name)); r.status != http.StatusOK {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	var got []string
	for _, m := range s.sent(protocol.MethodToolsCall) {
		got = append(got, jsonrpc.Text(m.Params, "/name"))
	}
	slices.Sort(got)
	slices.Sort(names)
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("what the server was asked for (-want +got):\n%s", diff)
	}
}
