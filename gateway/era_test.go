package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// TestModernStatuses holds the gateway to what 2026-07-28 says about statuses
// and codes, as the official conformance suite checks it.
func TestModernStatuses(t *testing.T) {
	s := newScript(t)
	h := open(t, auto)
	h.serve("srv", s.start())
	for _, method := range []string{"initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "no/such"} {
		r := h.call("srv", 3, method, "")
		if code, data := r.told(t); r.status != http.StatusNotFound || code != protocol.CodeMethodNotFound || data.Reason != ReasonMethodDenied {
			t.Errorf("%s: %d %s", method, r.status, r.body)
		}
		if !strings.Contains(string(r.body), `"id":3`) {
			t.Errorf("%s: the id is not echoed: %s", method, r.body)
		}
	}
	body, header := modern(1, "tools/list", "")
	header[0] = "MCP-Protocol-Version: 2031-01-01"
	h.raw("srv", body, header...).refused(t, http.StatusBadRequest, ReasonHeaderMismatch)
	body = strings.Replace(body, "2026-07-28", "2031-01-01", 1)
	h.raw("srv", body, header...).refused(t, http.StatusBadRequest, ReasonVersion)
	h.raw("srv", body, header[1:]...).refused(t, http.StatusBadRequest, ReasonVersion)
}

// TestLocalStatuses: a server over stdio knows no statuses; the modern era
// demands them of whoever speaks HTTP for it.
func TestLocalStatuses(t *testing.T) {
	h := open(t, auto)
	h.serve("every", upstream.Target{Command: []string{everything}})
	r := h.call("every", 1, "tools/call", `{"name":"test_missing_capability","arguments":{}}`)
	if code, _ := r.told(t); r.status != http.StatusBadRequest || code != protocol.CodeMissingClientCapability {
		t.Errorf("%d %s", r.status, r.body)
	}
	for code, want := range map[int]int{
		protocol.CodeMethodNotFound: 404, protocol.CodeInvalidParams: 400, protocol.CodeUnsupportedVersion: 400,
		protocol.CodeInternalError: 200, 0: 200,
	} {
		if got := statusOfError(code); got != want {
			t.Errorf("code %d: status %d, want %d", code, got, want)
		}
	}
}

// TestSessionVersionHeader: a client may name another legacy version than its
// session agreed on (the official conformance suite does); the upstream sees
// it, and its session is ended under the version that was agreed on.
func TestSessionVersionHeader(t *testing.T) {
	s := newScript(t)
	s.legacy = true
	ended := make(chan http.Header, 1)
	s.on(http.MethodDelete, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(protocol.HeaderSessionID) == sessionOfScript {
			ended <- r.Header.Clone()
		}
		w.WriteHeader(http.StatusNoContent)
	})
	h := open(t, auto)
	h.serve("srv", s.start())
	for len(ended) > 0 { // of the capture
		<-ended
	}
	session := h.initialize("srv")
	r := h.raw("srv", `{"jsonrpc":"2.0","id":5,"method":"tools/list"}`, session[0], "MCP-Protocol-Version: 2025-03-26")
	if r.status != http.StatusOK {
		t.Errorf("%d %s", r.status, r.body)
	}
	s.mu.Lock()
	seen := false
	for i, m := range s.got {
		seen = seen || fmt.Sprint(m.ID) == "5" && s.header[i].Get(protocol.HeaderProtocolVersion) == "2025-03-26"
	}
	s.mu.Unlock()
	if !seen {
		t.Error("the upstream did not see the version that the client named")
	}
	if r := h.do(http.MethodDelete, "/mcp/srv", "", session[0]); r.status != http.StatusNoContent {
		t.Fatalf("DELETE: %d %s", r.status, r.body)
	}
	if got := (<-ended).Get(protocol.HeaderProtocolVersion); got != "2025-11-25" {
		t.Errorf("the session was ended under version %q", got)
	}
}
