package registry

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
)

func TestConnectable(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.216.34": true, "10.1.2.3": true, "192.168.1.1": true, "2606:2800:220:1::1": true, "fd12::1": true,
		"169.254.169.254": false, "::ffff:169.254.169.254": false, "fe80::1": false, "100.100.100.200": false, "0.0.0.0": false, "::": false,
		"224.0.0.1": false, "ff02::1": false, "64:ff9b::a9fe:a9fe": false, "2002:a9fe:a9fe::1": false, "fec0::1": false, "198.18.0.1": false,
		"240.0.0.1": false, "255.255.255.255": false, "fd00:ec2::254": false, "::a9fe:a9fe": false, "127.0.0.1": false, "::1": false, "::ffff:127.0.0.1": false,
	} {
		if got := connectable(netip.MustParseAddr(address), false); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	for _, address := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1"} {
		if !connectable(netip.MustParseAddr(address), true) {
			t.Errorf("%s is loopback and allowed", address)
		}
	}
}

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
	h.upstream.Client = guardedClient(true)
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
	h.upstream.Client = guardedClient(true)
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
		"nobody listens":       {"http://127.0.0.1:1/mcp", true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.upstream.Client = guardedClient(tc.loopback)
			_, err := h.Publish(t.Context(), alice, Submission{ServerJSON: fmt.Appendf(nil, remoteJSON, tc.url)})
			wantRefusal(t, err, ErrInvalid, RefusedCapture)
			if all, err := h.List(t.Context(), "default"); err != nil || len(all) != 0 {
				t.Errorf("left behind: %v %v", all, err)
			}
		})
	}
}
