//lint:file-ignore SA1019 what the modern era deprecates, legacy clients and servers still speak.

package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/fixture/closing"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// fixture is an honest go-sdk server with one of everything.
type fixture struct {
	*mcp.Server
	mu      sync.Mutex
	calls   int
	headers []http.Header // of every request that arrived
}

type said struct {
	Text string `json:"text"`
}

func newFixture() *fixture {
	f := &fixture{}
	f.Server = mcp.NewServer(&mcp.Implementation{Name: "fixture", Version: "1.0.0"}, &mcp.ServerOptions{
		Instructions: "Call echo to hear yourself.",
		CompletionHandler: func(_ context.Context, r *mcp.CompleteRequest) (*mcp.CompleteResult, error) {
			return &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{Values: []string{r.Params.Argument.Value + "!"}, Total: 1}}, nil
		},
		SubscribeHandler:   func(context.Context, *mcp.SubscribeRequest) error { return nil },
		UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
	})
	f.addTool("echo", "Say it again.", true, func(_ context.Context, _ *mcp.CallToolRequest, in said) (string, error) {
		return in.Text, nil
	})
	f.addTool("write", "Keep a note.", false, func(_ context.Context, _ *mcp.CallToolRequest, in said) (string, error) {
		return "kept", nil
	})
	f.addTool("fail", "Fail on purpose.", true, func(_ context.Context, _ *mcp.CallToolRequest, in said) (string, error) {
		return "", fmt.Errorf("failed: %s", in.Text)
	})
	f.addTool("progress", "Report progress.", true, func(ctx context.Context, r *mcp.CallToolRequest, in said) (string, error) {
		for i := range 3 {
			err := r.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
				ProgressToken: r.Params.GetProgressToken(), Progress: float64(i + 1), Total: 3, Message: in.Text,
			})
			if err != nil {
				return "", err
			}
		}
		return "done", nil
	})
	f.addTool("log", "Log a line.", true, func(ctx context.Context, r *mcp.CallToolRequest, in said) (string, error) {
		return "logged", r.Session.Log(ctx, &mcp.LoggingMessageParams{Level: "warning", Data: in.Text})
	})
	f.addTool("sample", "Ask the client's model.", true, func(ctx context.Context, r *mcp.CallToolRequest, in said) (string, error) {
		res, err := r.Session.CreateMessage(ctx, &mcp.CreateMessageParams{
			MaxTokens: 10, Messages: []*mcp.SamplingMessage{{Role: "user", Content: &mcp.TextContent{Text: in.Text}}},
		})
		if err != nil {
			return "", err
		}
		return res.Content.(*mcp.TextContent).Text, nil
	})
	f.addTool("elicit", "Ask the user.", true, func(ctx context.Context, r *mcp.CallToolRequest, in said) (string, error) {
		res, err := r.Session.Elicit(ctx, &mcp.ElicitParams{Message: in.Text})
		if err != nil {
			return "", err
		}
		return res.Action, nil
	})
	f.addTool("wait", "Wait until cancelled.", true, func(ctx context.Context, _ *mcp.CallToolRequest, _ said) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	})
	f.AddPrompt(&mcp.Prompt{Name: "greet", Arguments: []*mcp.PromptArgument{{Name: "who"}}},
		func(_ context.Context, r *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{{Role: "user", Content: &mcp.TextContent{Text: "Hello " + r.Params.Arguments["who"]}}}}, nil
		})
	read := func(_ context.Context, r *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: r.Params.URI, Text: "content of " + r.Params.URI}}}, nil
	}
	f.AddResource(&mcp.Resource{Name: "static", URI: "test://static"}, read)
	f.AddResourceTemplate(&mcp.ResourceTemplate{Name: "row", URITemplate: "test://rows/{id}"}, read)
	return f
}

// addTool adds a tool or replaces it, of which connected clients are told.
func (f *fixture) addTool(name, description string, readOnly bool, run func(context.Context, *mcp.CallToolRequest, said) (string, error)) {
	mcp.AddTool(f.Server, &mcp.Tool{Name: name, Description: description, Annotations: &mcp.ToolAnnotations{ReadOnlyHint: readOnly}},
		func(ctx context.Context, r *mcp.CallToolRequest, in said) (*mcp.CallToolResult, any, error) {
			f.mu.Lock()
			f.calls++
			f.mu.Unlock()
			out, err := run(ctx, r, in)
			if err != nil {
				return nil, nil, err
			}
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: out}}}, nil, nil
		})
}

func (f *fixture) called() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// start serves the fixture over streamable HTTP: stateless speaks both eras
// without sessions, else the legacy era with sessions.
func (f *fixture) start(t *testing.T, opts mcp.StreamableHTTPOptions) upstream.Target {
	t.Helper()
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return f.Server }, &opts)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.headers = append(f.headers, r.Header.Clone())
		f.mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { closing.Server(server) })
	return upstream.Target{URL: server.URL}
}

var (
	stateless = mcp.StreamableHTTPOptions{Stateless: true, PropagateRequestCancellation: true}
	stateful  = mcp.StreamableHTTPOptions{}
)
