package registry

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/egress"
)

const remoteJSON = `{"name":"io.github.acme/remote","description":"Weather for tests","version":"1.0.0","remotes":[{"type":"streamable-http","url":"%s"}]}`

func weatherServer(t *testing.T) *httptest.Server {
	t.Helper()
	type city struct {
		City string `json:"city" jsonschema:"name of the city"`
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "weather", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "get_forecast", Description: "Gets the forecast"}, func(_ context.Context, _ *mcp.CallToolRequest, in city) (*mcp.CallToolResult, city, error) {
		return nil, in, nil
	})
	mux := http.NewServeMux()
	mux.Handle("/", mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil))
	mux.Handle("/sse", mcp.NewSSEHandler(func(*http.Request) *mcp.Server { return server }, nil))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// TestOlderRemoteIsCaptured: a server over HTTP+SSE is read through that
// transport, which its approval then binds.
func TestOlderRemoteIsCaptured(t *testing.T) {
	h := newHouse(t)
	h.upstream.Client = egress.Policy{Loopback: true}.Client(nil)
	server := weatherServer(t)
	raw := []byte(strings.ReplaceAll(fmt.Sprintf(remoteJSON, server.URL+"/sse"), "streamable-http", "sse"))
	v, err := h.Publish(t.Context(), alice, Submission{ServerJSON: raw, Bundles: [][]byte{h.sign(h.publisher, sum(raw))}, Options: PublishOptions{Scopes: []string{}}})
	h.must(err)
	if v.State != admission.InReview || v.Binding != string(approval.BindingEndpoint) || v.Launch.URL != server.URL+"/sse" || v.Launch.Transport != "sse" {
		t.Fatalf("%s %q %+v", v.State, reasons(v), v)
	}
	h.approve(v)
	if len(h.listed("default")) != 1 {
		t.Error("not listed")
	}
}

func TestRemoteIsCaptured(t *testing.T) {
	h := newHouse(t)
	h.upstream.Client = egress.Policy{Loopback: true}.Client(nil)
	server := weatherServer(t)
	raw := fmt.Appendf(nil, remoteJSON, server.URL)
	v, err := h.Publish(t.Context(), alice, Submission{ServerJSON: raw, Bundles: [][]byte{h.sign(h.publisher, sum(raw))}, Options: PublishOptions{Scopes: []string{}}})
	h.must(err)
	if v.State != admission.InReview || v.Source != "registry" || v.Binding != string(approval.BindingEndpoint) || v.Launch.URL != server.URL {
		t.Fatalf("%s %q %+v", v.State, reasons(v), v)
	}
	entries, err := h.Entries(t.Context(), "default", v.Name, v.Version)
	h.must(err)
	found := false
	for _, e := range entries {
		found = found || e.Kind == "tool" && e.Key == "get_forecast"
	}
	if !found {
		t.Errorf("entries %v", entries)
	}
	h.approve(v)
	if len(h.listed("default")) != 1 {
		t.Error("not listed")
	}
}

func TestCaptureRefusals(t *testing.T) {
	moved := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest/meta-data", http.StatusFound))
	t.Cleanup(moved.Close)
	honest := weatherServer(t)
	for name, tc := range map[string]struct {
		url      string
		loopback bool
	}{
		"redirect":             {moved.URL, true},
		"loopback not allowed": {honest.URL, false},
		"metadata service":     {"http://169.254.169.254/mcp", true},
		"nobody listens":       {"http://127.0.0.1:2/mcp", true},
		"metadata, mapped":     {"http://[::ffff:169.254.169.254]/mcp", true},
		"metadata, NAT64":      {"http://[64:ff9b::a9fe:a9fe]/mcp", true},
		"metadata, 6to4":       {"http://[2002:a9fe:a9fe::1]/mcp", true},
		"loopback in octal":    {"http://0177.0.0.1/mcp", true},
		"loopback as a number": {"http://2130706433/mcp", true},
		"trailing dot":         {"http://localhost./mcp", true},
		"port of mail":         {"http://127.0.0.1:25/mcp", true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.upstream.Client = egress.Policy{Loopback: tc.loopback, Private: true}.Client(nil)
			_, err := h.Publish(t.Context(), alice, Submission{ServerJSON: fmt.Appendf(nil, remoteJSON, tc.url)})
			wantRefusal(t, err, ErrInvalid, RefusedCapture)
			if all, err := h.List(t.Context(), "default"); err != nil || len(all) != 0 {
				t.Errorf("left behind: %v %v", all, err)
			}
		})
	}
}
