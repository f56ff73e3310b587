//lint:file-ignore SA1019 what the modern era deprecates, legacy clients and servers still speak.

package gateway

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// heard collects what a client is told outside of answers.
type heard struct {
	mu       sync.Mutex
	progress []string
	logs     []any
}

func (h *heard) options() *mcp.ClientOptions {
	return &mcp.ClientOptions{
		CreateMessageHandler: func(_ context.Context, r *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			return &mcp.CreateMessageResult{Role: "assistant", Model: "m", Content: &mcp.TextContent{Text: "model says " + r.Params.Messages[0].Content.(*mcp.TextContent).Text}}, nil
		},
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return &mcp.ElicitResult{Action: "decline"}, nil
		},
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.progress = append(h.progress, r.Params.Message)
		},
		LoggingMessageHandler: func(_ context.Context, r *mcp.LoggingMessageRequest) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.logs = append(h.logs, r.Params.Data)
		},
	}
}

func callText(t *testing.T, s *mcp.ClientSession, tool, in string) string {
	t.Helper()
	res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: map[string]any{"text": in}})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	return res.Content[0].(*mcp.TextContent).Text
}

// TestHonestServer drives unmodified go-sdk clients of both eras through
// everything that a server offers.
func TestHonestServer(t *testing.T) {
	for _, tt := range []struct {
		name, client string
		server       mcp.StreamableHTTPOptions
		era          protocol.Era
		requests     bool // the server may ask the client
	}{
		{"modern", "", stateless, protocol.Modern, false},
		{"legacy with sessions", "2025-11-25", stateful, protocol.Legacy, true},
		{"legacy without sessions", "2025-06-18", stateless, protocol.Legacy, false},
		{"legacy JSON answers", "2025-11-25", mcp.StreamableHTTPOptions{JSONResponse: true}, protocol.Legacy, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture()
			h := open(t, auto)
			url := h.serve("fix", f.start(t, tt.server))
			var got heard
			s := connect(t, url, h.token, tt.client, got.options())
			if era := protocol.EraOf(s.InitializeResult().ProtocolVersion); era != tt.era {
				t.Fatalf("client and server agreed on %q, want era %q", s.InitializeResult().ProtocolVersion, tt.era)
			}
			if s.InitializeResult().Instructions == "" || s.InitializeResult().Capabilities.Tools == nil {
				t.Errorf("introduction lost: %+v", s.InitializeResult())
			}
			offers(t, s)
			if tt.server.JSONResponse {
				return
			}
			params := &mcp.CallToolParams{Name: "progress", Arguments: map[string]any{"text": "going"}}
			params.SetProgressToken("token")
			if _, err := s.CallTool(t.Context(), params); err != nil {
				t.Fatal(err)
			}
			eventually(t, "progress", func() bool { got.mu.Lock(); defer got.mu.Unlock(); return len(got.progress) == 3 })
			if tt.requests {
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
			}
			if tt.era == protocol.Legacy {
				if err := s.Ping(t.Context(), nil); err != nil {
					t.Errorf("ping: %v", err)
				}
			}
		})
	}
}

// offers exercises lists, calls, prompts, resources, templates and completion.
func offers(t *testing.T, s *mcp.ClientSession) {
	t.Helper()
	ctx := t.Context()
	tools, err := s.ListTools(ctx, nil)
	if err != nil || len(tools.Tools) != 8 {
		t.Fatalf("tools = %d, %v", len(tools.Tools), err)
	}
	if got := callText(t, s, "echo", "hällo ☂"); got != "hällo ☂" {
		t.Errorf("echo = %q", got)
	}
	if got := callText(t, s, "write", "x"); got != "kept" {
		t.Errorf("write = %q", got)
	}
	if res, err := s.CallTool(ctx, &mcp.CallToolParams{Name: "fail", Arguments: map[string]any{"text": "x"}}); err != nil || !res.IsError {
		t.Errorf("fail = %+v, %v", res, err)
	}
	prompts, err := s.ListPrompts(ctx, nil)
	if err != nil || len(prompts.Prompts) != 1 {
		t.Errorf("prompts = %+v, %v", prompts, err)
	}
	prompt, err := s.GetPrompt(ctx, &mcp.GetPromptParams{Name: "greet", Arguments: map[string]string{"who": "Ada"}})
	if err != nil || prompt.Messages[0].Content.(*mcp.TextContent).Text != "Hello Ada" {
		t.Errorf("prompt = %+v, %v", prompt, err)
	}
	resources, err := s.ListResources(ctx, nil)
	if err != nil || len(resources.Resources) != 1 {
		t.Errorf("resources = %+v, %v", resources, err)
	}
	templates, err := s.ListResourceTemplates(ctx, nil)
	if err != nil || len(templates.ResourceTemplates) != 1 {
		t.Errorf("templates = %+v, %v", templates, err)
	}
	for _, uri := range []string{"test://static", "test://rows/7"} {
		read, err := s.ReadResource(ctx, &mcp.ReadResourceParams{URI: uri})
		if err != nil || read.Contents[0].Text != "content of "+uri {
			t.Errorf("read %s = %+v, %v", uri, read, err)
		}
	}
	done, err := s.Complete(ctx, &mcp.CompleteParams{Ref: &mcp.CompleteReference{Type: "ref/prompt", Name: "greet"}, Argument: mcp.CompleteParamsArgument{Name: "who", Value: "A"}})
	if err != nil || done.Completion.Values[0] != "A!" {
		t.Errorf("complete = %+v, %v", done, err)
	}
	if err := s.Subscribe(ctx, &mcp.SubscribeParams{URI: "test://static"}); err != nil {
		t.Errorf("subscribe: %v", err)
	}
	if err := s.Unsubscribe(ctx, &mcp.UnsubscribeParams{URI: "test://static"}); err != nil {
		t.Errorf("unsubscribe: %v", err)
	}
}

// TestLocalServer runs the conformance server over stdio in both eras.
func TestLocalServer(t *testing.T) {
	for _, version := range []string{"2025-11-25", "2026-07-28"} {
		t.Run(version, func(t *testing.T) {
			h := open(t, auto)
			url := h.serve("every", upstream.Target{Command: []string{everything}})
			var got heard
			s := connect(t, url, h.token, version, got.options())
			if s.InitializeResult().ProtocolVersion != version {
				t.Fatalf("agreed on %s", s.InitializeResult().ProtocolVersion)
			}
			tools, err := s.ListTools(t.Context(), nil)
			if err != nil || len(tools.Tools) < 20 {
				t.Fatalf("tools = %v", err)
			}
			callText(t, s, "test_simple_text", "")
			params := &mcp.CallToolParams{Name: "test_tool_with_progress"}
			params.SetProgressToken("token")
			if _, err := s.CallTool(t.Context(), params); err != nil {
				t.Fatal(err)
			}
			eventually(t, "progress", func() bool { got.mu.Lock(); defer got.mu.Unlock(); return len(got.progress) >= 3 })
			if version == "2025-11-25" {
				res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "test_sampling", Arguments: map[string]any{"prompt": "hello"}})
				if err != nil || !strings.Contains(res.Content[0].(*mcp.TextContent).Text, "model says") {
					t.Errorf("sampling = %+v, %v", res, err)
				}
			}
			if used := h.events(audit.Query{Code: "unsafe_used"}); len(used) == 0 {
				t.Error("local starts are not on record")
			}
		})
	}
}

// TestCancellation proves that a client that gives up reaches the server.
func TestCancellation(t *testing.T) {
	for version, opts := range map[string]mcp.StreamableHTTPOptions{"2025-11-25": stateful, "2026-07-28": stateless} {
		t.Run(version, func(t *testing.T) {
			f := newFixture()
			ended := make(chan error, 1)
			f.addTool("wait", "Wait until cancelled.", true, func(ctx context.Context, _ *mcp.CallToolRequest, _ said) (string, error) {
				<-ctx.Done()
				ended <- ctx.Err()
				return "", ctx.Err()
			})
			h := open(t, auto)
			s := connect(t, h.serve("fix", f.start(t, opts)), h.token, version, nil)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				for f.called() == 0 {
					time.Sleep(time.Millisecond)
				}
				cancel()
			}()
			if _, err := s.CallTool(ctx, &mcp.CallToolParams{Name: "wait", Arguments: map[string]any{"text": ""}}); !errors.Is(err, context.Canceled) {
				t.Fatalf("call = %v", err)
			}
			<-ended
			if got := callText(t, s, "echo", "still here"); got != "still here" {
				t.Errorf("after a cancelled call: %q", got)
			}
		})
	}
}

// TestReadOnlyNeedsNoIntent holds which calls leave an intent behind.
func TestReadOnlyNeedsNoIntent(t *testing.T) {
	h := open(t, auto)
	s := connect(t, h.serve("fix", newFixture().start(t, stateless)), h.token, "", nil)
	callText(t, s, "echo", "x")
	callText(t, s, "write", "x")
	for tool, want := range map[string]int{"echo": 0, "write": 1} {
		if got := len(h.events(audit.Query{Code: "call_intent", Entry: tool})); got != want {
			t.Errorf("%s left %d intents, want %d", tool, got, want)
		}
		if got := len(h.events(audit.Query{Code: "call_outcome", Entry: tool})); got != 1 {
			t.Errorf("%s left %d outcomes, want 1", tool, got)
		}
	}
}
