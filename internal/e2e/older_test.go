//go:build e2e

package e2e

import (
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// TestOlderServer puts a real server over the deprecated HTTP+SSE behind both
// doors: clients of streamable HTTP get what a client of the old transport gets.
func TestOlderServer(t *testing.T) {
	w := newWorld(t)
	url := startNPMEverything(t, "sse") + "/sse"
	w.publishAndApprove(t, remote("everything-sse", protocol.TransportSSE, url))
	compare(t, w, "everything-sse", upstream.Target{URL: url, Transport: protocol.TransportSSE}, everythingCalls, everythingDifferent)
}
