package gateway

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// faulty is a step that panics at what one server says.
type faulty struct{ alias string }

func (s faulty) do(_ context.Context, x *exchange, _ *inbound) *refusal {
	if x.alias == s.alias {
		panic("a fault of ours")
	}
	return nil
}

// A fault over what one server says takes that server from the list, and
// nothing else: neither the process nor the others.
func TestMergedSurvivesFaults(t *testing.T) {
	h := open(t, auto)
	h.scripted(true, "good", "bad")
	h.Gateway.inbound = append([]inboundStep{faulty{"bad"}}, h.Gateway.inbound...)
	session := h.initialize("")
	for _, r := range []reply{h.raw("", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, session...), h.call("", 1, protocol.MethodToolsList, "")} {
		if got := string(r.body); r.status != http.StatusOK || !strings.Contains(got, "good__one") || strings.Contains(got, "bad__") {
			t.Errorf("list: %d %s", r.status, got)
		}
	}
	h.stream(http.MethodGet, "/mcp", "", session...)
	body, header := modern(2, protocol.MethodSubscriptionsListen, `{"notifications":{"toolsListChanged":true,"resourceSubscriptions":[]}}`)
	if m := <-h.stream(http.MethodPost, "/mcp", body, header...); m.Method != protocol.NotificationSubscriptionsAck {
		t.Errorf("subscription began with %s", m.Raw)
	}
	if r := h.raw("", `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"bad__one"}}`, session...); r.status != http.StatusInternalServerError {
		t.Errorf("its own call: %d %s", r.status, r.body)
	}
	if r := h.raw("", `{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"good__one"}}`, session...); r.status != http.StatusOK {
		t.Errorf("its neighbour: %d %s", r.status, r.body)
	}
}
