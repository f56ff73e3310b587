package gateway

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// TestForwardedHeader: an empty parameter is mirrored by an empty header
// (2026-07-28, streamable-http, "Custom Headers from Tool Parameters"), and
// nothing passes that is not listed.
func TestForwardedHeader(t *testing.T) {
	sent := http.Header{
		"Mcp-Param-Empty": {""}, "Mcp-Param-Region": {"eu"}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {""},
		"Authorization": {"Bearer secret"}, "Cookie": {"a=b"}, "X-Forwarded-For": {"10.0.0.1"}, "Tracestate": {""},
	}
	want := http.Header{
		"Mcp-Param-Empty": {""}, "Mcp-Param-Region": {"eu"}, "Mcp-Method": {"tools/call"},
		"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"},
	}
	if diff := cmp.Diff(want, forwardedHeader(&exchange{era: protocol.Modern, spoken: protocol.Modern, header: sent})); diff != "" {
		t.Errorf("modern (-want +got):\n%s", diff)
	}
	for _, name := range []string{"Mcp-Param-Empty", "Mcp-Param-Region", "Mcp-Method"} {
		delete(want, name)
	}
	if diff := cmp.Diff(want, forwardedHeader(&exchange{era: protocol.Legacy, spoken: protocol.Legacy, header: sent})); diff != "" {
		t.Errorf("legacy (-want +got):\n%s", diff)
	}
}
