package gateway

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// TestWithdrawnServersEnd: with its approval a server loses its sessions of
// every kind, and one that runs here its processes, though nobody asks it
// anything. Another server keeps its own.
func TestWithdrawnServersEnd(t *testing.T) {
	h := open(t, auto)
	legacy, bridged, kept := newScript(t), newScript(t), newScript(t)
	legacy.legacy, bridged.legacy, kept.legacy = true, true, true
	h.approve("old", legacy.start())
	h.approve("bridged", bridged.start(), only(protocol.Legacy))
	h.approve("every", upstream.Target{Command: []string{everything}})
	stays := h.approve("kept", kept.start())
	for _, alias := range []string{"old", "every", "kept"} {
		h.initialize(alias)
	}
	if r := h.call("bridged", 1, protocol.MethodToolsCall, `{"name":"one"}`); r.status != http.StatusOK {
		t.Fatalf("bridged: %d %s", r.status, r.body)
	}
	if r := h.call("every", 1, protocol.MethodPromptsGet, `{"name":"test_simple_prompt"}`); r.status != http.StatusOK {
		t.Fatalf("shared: %d %s", r.status, r.body)
	}
	if waiting, _ := h.bridges.Open(); waiting != 1 || h.sessions.len() != 3 || h.local.Running() < 2 {
		t.Fatalf("%d bridges, %d sessions, %d processes", waiting, h.sessions.len(), h.local.Running())
	}
	h.approvals.set(nil, stays)
	eventually(t, "the withdrawn servers have nothing left", func() bool {
		bridges, _ := h.bridges.Open()
		return bridges == 0 && h.sessions.len() == 1 && h.local.Running() == 0
	})
}

// stuckLink takes no reply before its context ends.
type stuckLink struct {
	link
	now, most, all atomic.Int64
}

func (l *stuckLink) send(ctx context.Context, _ *exchange, _ *jsonrpc.Message) (answers, error) {
	l.all.Add(1)
	l.most.Store(max(l.most.Load(), l.now.Add(1)))
	defer l.now.Add(-1)
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestRepliesAreBounded: a server that asks what it may not, and takes no
// answers, is not waited for without end.
func TestRepliesAreBounded(t *testing.T) {
	h := open(t, auto)
	l := &stuckLink{}
	x := &exchange{svc: &service{instance: "i"}}
	for i := range 4 * repliesAtOnce {
		h.replyInstead(t.Context(), x, l, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"error":{"code":-32601,"message":"no"}}`, i))
	}
	eventually(t, "the replies are on their way", func() bool { return l.now.Load() == repliesAtOnce })
	if got := l.all.Load(); got != repliesAtOnce {
		t.Errorf("%d replies were begun", got)
	}
}

// TestNameHeaderIsScanned: where params hold no name, the header that repeats
// it is a text like any other.
func TestNameHeaderIsScanned(t *testing.T) {
	h := open(t, auto)
	s := h.scripted(false, "srv")["srv"]
	before := len(s.sent(protocol.MethodToolsList))
	for _, header := range []string{"Mcp-Name: BLOCK-ME", "Mcp-Name: " + protocol.EncodeHeader("BLOCK-ME ü")} {
		h.call("srv", 1, protocol.MethodToolsList, `{"x":1}`, header).refused(t, http.StatusForbidden, ReasonFinding)
	}
	h.call("srv", 1, protocol.MethodToolsList, `{"x":1}`, "Mcp-Name: =?base64?!?=").refused(t, http.StatusBadRequest, ReasonHeaderMismatch)
	if got := len(s.sent(protocol.MethodToolsList)); got != before {
		t.Errorf("%d of them reached the server", got-before)
	}
}
