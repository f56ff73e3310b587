package gateway

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// TestPolling: a legacy upstream may close the stream of a request that it has
// not answered, when it has said when to come back (2025-11-25, streamable-http,
// "Sending Messages to the Server"). Only that is a reason for silence: whoever
// closes without a word, or after a message, has failed the request.
func TestPolling(t *testing.T) {
	message := `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"begun"}}`
	for name, c := range map[string]struct {
		stream string
		status int
		want   string // "" = the request failed
	}{
		"retry":                {"retry: 10\n\n", 200, "retry: 10\n\n"},
		"retry of a close":     {"event: close\nretry: 10\ndata: \n\n", 200, "retry: 10\n\n"},
		"message, then retry":  {"data: " + message + "\n\nretry: 10\n\n", 200, "event: message\ndata: " + message + "\n\nretry: 10\n\n"},
		"retry, then message":  {"retry: 10\n\ndata: " + message + "\n\n", 200, ""},
		"retry with a message": {"retry: 10\ndata: " + message + "\n\n", 200, ""},
		"nothing":              {"", 200, ""},
		"a foreign event":      {"event: close\ndata: BLOCK-ME\n\n", 200, ""},
		"retry of no time":     {"retry: soon\n\n", 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			s.legacy = true
			h := open(t, auto)
			h.serve("srv", s.start())
			session := h.initialize("srv")
			s.on(protocol.MethodToolsCall, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				io.WriteString(w, c.stream)
			})
			r := h.raw("srv", callOne, session...)
			if r.status != c.status {
				t.Errorf("status %d, want %d: %s", r.status, c.status, r.body)
			}
			if c.want != "" && string(r.body) != c.want {
				t.Errorf("the client got %q, want %q", r.body, c.want)
			}
			if c.want == "" && !strings.Contains(string(r.body), string(ReasonUpstreamGone)) {
				t.Errorf("nobody told the client that the request failed: %q", r.body)
			}
		})
	}
}

// TestPollingIsLegacy: the modern era has no stream to come back to.
func TestPollingIsLegacy(t *testing.T) {
	s := newScript(t)
	h := open(t, auto)
	h.serve("srv", s.start())
	s.on(protocol.MethodToolsCall, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "id: 1\nretry: 10\n\n")
	})
	h.call("srv", 1, "tools/call", `{"name":"one"}`).refused(t, http.StatusBadGateway, ReasonUpstreamGone)
}

// TestUnknownResource: the modern era says how a resource that does not exist
// is answered. Whatever else is refused stays a block.
func TestUnknownResource(t *testing.T) {
	s := newScript(t)
	h := open(t, auto)
	h.serve("srv", s.start())
	for uri, shown := range map[string]string{
		"test://none":                        "test://none",
		"test://" + strings.Repeat("n", 4e3): "",
	} {
		r := h.call("srv", 1, "resources/read", `{"uri":"`+uri+`"}`)
		code, data := r.told(t)
		if r.status != http.StatusBadRequest || code != protocol.CodeInvalidParams || data.Reason != ReasonEntryUnknown || data.URI != shown {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
	s.set(protocol.MethodResourcesList, `{"resultType":"complete","resources":[{"uri":"test://a","name":"a"},{"uri":"test://new","name":"new"}]}`)
	h.changed(h.approvals.All()[0], protocol.Modern)
	h.call("srv", 2, "resources/read", `{"uri":"test://new"}`).refused(t, http.StatusForbidden, ReasonEntryNotApproved)
	h.call("srv", 3, "tools/call", `{"name":"none"}`).refused(t, http.StatusForbidden, ReasonEntryUnknown)
	if got := s.sent(protocol.MethodResourcesRead); len(got) != 0 {
		t.Errorf("%d reads went through", len(got))
	}

	s = newScript(t)
	s.legacy = true
	h = open(t, auto)
	h.serve("srv", s.start())
	session := h.initialize("srv")
	h.raw("srv", `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"test://none"}}`, session...).
		refused(t, http.StatusForbidden, ReasonEntryUnknown)
}
