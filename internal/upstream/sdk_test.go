package upstream

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/fixture/closing"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

type echoInput struct {
	Text string `json:"text"`
}

// sdkServer has enough tools for several pages, and one of everything else.
func sdkServer() *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "sdk", Version: "1"}, &mcp.ServerOptions{Instructions: "Be kind.", PageSize: 3})
	for i := range 10 {
		mcp.AddTool(s, &mcp.Tool{Name: fmt.Sprintf("echo%d", i), Description: "Echoes."},
			func(_ context.Context, _ *mcp.CallToolRequest, in echoInput) (*mcp.CallToolResult, any, error) {
				return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: in.Text}}}, nil, nil
			})
	}
	s.AddPrompt(&mcp.Prompt{Name: "p"}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return &mcp.GetPromptResult{}, nil
	})
	read := func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{}, nil
	}
	s.AddResource(&mcp.Resource{URI: "test:///r", Name: "r"}, read)
	s.AddResourceTemplate(&mcp.ResourceTemplate{URITemplate: "test:///{x}", Name: "t"}, read)
	return s
}

func serveSDK(t *testing.T, s *mcp.Server, opts *mcp.StreamableHTTPOptions) Target {
	t.Helper()
	h := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s }, opts))
	t.Cleanup(func() { closing.Server(h) })
	return Target{URL: h.URL}
}

func eras(c *listing.Capture) (all []protocol.Era) {
	for _, l := range c.Listings {
		all = append(all, l.Era)
	}
	return all
}

func TestSDKServersOverHTTP(t *testing.T) {
	for name, tc := range map[string]struct {
		opts mcp.StreamableHTTPOptions
		want string
	}{
		"stateless":           {mcp.StreamableHTTPOptions{Stateless: true}, "[legacy modern]"},
		"stateless, one JSON": {mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true}, "[legacy modern]"},
		"stateful":            {mcp.StreamableHTTPOptions{}, "[legacy]"},
		"stateful, one JSON":  {mcp.StreamableHTTPOptions{JSONResponse: true}, "[legacy]"},
	} {
		t.Run(name, func(t *testing.T) {
			target := serveSDK(t, sdkServer(), &tc.opts)
			c, err := Capture(t.Context(), target, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(eras(c)); got != tc.want {
				t.Errorf("eras %s, want %s", got, tc.want)
			}
			for _, l := range c.Listings {
				if len(l.Tools) != 10 || len(l.Prompts) != 1 || len(l.Templates) != 1 || len(l.Resources) != 1 {
					t.Errorf("%s: %d tools, %d prompts, %d templates, %d resources", l.Era, len(l.Tools), len(l.Prompts), len(l.Templates), len(l.Resources))
				}
				if l.Instructions == nil || *l.Instructions != "Be kind." || l.ServerInfo == nil || l.Capabilities == nil {
					t.Errorf("%s: %+v", l.Era, l)
				}
				if _, err := fingerprint.OfListing(&l, nil); err != nil {
					t.Errorf("%s: %v", l.Era, err)
				}
				client := dial(t, target, l.Era, Limits{})
				m, err := client.Call(t.Context(), protocol.MethodToolsCall, jsontext.Value(`{"name":"echo3","arguments":{"text":"a\u00e9"}}`))
				if err != nil {
					t.Fatal(err)
				}
				if text, _, _, _ := jsonrpc.Get(m.Result, "/content/0/text"); string(text) != `"aé"` {
					t.Errorf("%s: %s %s", l.Era, m.Result, m.Error)
				}
			}
		})
	}
}

// A change of the tools reaches us over every kind of stream.
func TestSDKNotifications(t *testing.T) {
	for name, tc := range map[string]struct {
		opts mcp.StreamableHTTPOptions
		era  protocol.Era
	}{
		"stateful, legacy GET stream":     {mcp.StreamableHTTPOptions{}, protocol.Legacy},
		"stateless, subscriptions/listen": {mcp.StreamableHTTPOptions{Stateless: true}, protocol.Modern},
	} {
		t.Run(name, func(t *testing.T) {
			s := sdkServer()
			c := dial(t, serveSDK(t, s, &tc.opts), tc.era, Limits{})
			got := make(chan string, 100)
			c.OnNotification(func(m *jsonrpc.Message) { got <- m.Method })
			stop := make(chan struct{})
			defer close(stop)
			go func() { // until the stream is open and has heard of it
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
						s.AddPrompt(&mcp.Prompt{Name: fmt.Sprint("new", i%2)}, nil)
						s.RemovePrompts(fmt.Sprint("new", (i+1)%2))
						time.Sleep(10 * time.Millisecond)
					}
				}
			}()
			for method := range got {
				if method == protocol.NotificationPromptsListChanged {
					return
				}
			}
		})
	}
}

func TestSessionIsGivenBackAndItsLossNoticed(t *testing.T) {
	s := sdkServer()
	target := serveSDK(t, s, &mcp.StreamableHTTPOptions{})
	sessions := func() (n int) {
		for range s.Sessions() {
			n++
		}
		return n
	}
	c := dial(t, target, protocol.Legacy, Limits{})
	if sessions() != 1 {
		t.Errorf("%d sessions", sessions())
	}
	c.Close()
	if sessions() != 0 {
		t.Errorf("%d sessions after Close", sessions())
	}
	c = dial(t, target, protocol.Legacy, Limits{})
	for session := range s.Sessions() {
		session.Close()
	}
	if _, err := c.Call(t.Context(), protocol.MethodToolsList, nil); err == nil {
		t.Error("a call in a session that is gone")
	}
	<-c.Done()
}

// everythingServer builds go-sdk's conformance server.
func everythingServer(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "everything-server")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "github.com/modelcontextprotocol/go-sdk/conformance/everything-server")
	build.Env = os.Environ()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func TestEverythingServerOverStdio(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a server")
	}
	target := Target{Command: []string{everythingServer(t)}, Dir: t.TempDir()}
	c, err := Capture(t.Context(), target, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(eras(c)); got != "[legacy modern]" {
		t.Errorf("eras %s", got)
	}
	var sets []*fingerprint.Set
	for _, l := range c.Listings {
		if len(l.Tools) != 28 {
			t.Errorf("%s: %d tools", l.Era, len(l.Tools))
		}
		set, err := fingerprint.OfListing(&l, nil)
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, set)
		client := dial(t, target, l.Era, Limits{})
		m, err := client.Call(t.Context(), protocol.MethodToolsCall, jsontext.Value(`{"name":"test_simple_text","arguments":{}}`))
		if err != nil || m.Result == nil {
			t.Errorf("%s: %+v, %v", l.Era, m, err)
		}
	}
	for _, e := range sets[0].Entries {
		if e.Kind != fingerprint.KindTool {
			continue
		}
		if modern, ok := sets[1].Lookup(e.Kind, e.Key); !ok || modern.Whole != e.Whole {
			t.Errorf("%s is another tool in the modern era", e.Key)
		}
	}
}
