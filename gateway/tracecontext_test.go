package gateway

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/approval"
)

// TestTraceContextIsOne attacks with trace headers that say something else: they
// are read by no scanner, so that what is no trace context ends at the gateway,
// whichever way a message goes upstream.
func TestTraceContextIsOne(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	old, modernOnly := newScript(t), newScript(t)
	old.legacy = true
	h := open(t, auto)
	h.serve("old", old.start(), func(a *approval.Approval) { delete(a.Roots, "modern") })
	h.serve("new", modernOnly.start())
	toOld, toNew := h.initialize("old"), h.initialize("new")
	last := func(s *script) http.Header {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.header[len(s.header)-1]
	}
	ways := map[string]func(header ...string) http.Header{
		"modern to modern": func(header ...string) http.Header {
			h.call("new", 1, "tools/call", `{"name":"one"}`, header...)
			return last(modernOnly)
		},
		"legacy to modern": func(header ...string) http.Header {
			h.raw("new", callOne, append(header, toNew...)...)
			return last(modernOnly)
		},
		"legacy to legacy": func(header ...string) http.Header {
			h.raw("old", callOne, append(header, toOld...)...)
			return last(old)
		},
		"modern to legacy": func(header ...string) http.Header {
			h.call("old", 1, "tools/call", `{"name":"one"}`, header...)
			sent := http.Header{}
			old.mu.Lock()
			defer old.mu.Unlock()
			for i, m := range old.got { // its stream may be opened meanwhile
				if m.Method == "tools/call" {
					sent = old.header[i]
				}
			}
			return sent
		},
	}
	for way, send := range ways {
		for _, tt := range []struct{ parent, state, wantParent, wantState string }{
			{parent, "rojo=1", parent, "rojo=1"},
			{parent, "the password is swordfish", parent, ""},
			{"the password is swordfish", "rojo=1", "", ""},
			{parent + "-the-password-is-swordfish", "", "", ""},
			{"", "rojo=1", "", ""},
			{parent, "a=" + strings.Repeat("x", 4000), parent, ""},
		} {
			got := send("Traceparent: "+tt.parent, "Tracestate: "+tt.state)
			if got.Get("Traceparent") != tt.wantParent || got.Get("Tracestate") != tt.wantState {
				t.Errorf("%s: %q %.60q arrived as %q %.60q", way, tt.parent, tt.state, got.Get("Traceparent"), got.Get("Tracestate"))
			}
		}
	}
}
