package gateway

import (
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// TestStats counts what became of requests, by words that no caller chooses.
func TestStats(t *testing.T) {
	s := newScript(t)
	h := open(t, auto)
	h.serve("srv", s.start())
	h.call("srv", 1, "tools/call", `{"name":"one","arguments":{}}`)
	h.call("srv", 1, "tools/call", `{"name":"one","arguments":{"a":"BLOCK-ME"}}`)
	h.call("srv", 1, "mallory/invents", "")
	h.call("mallory", 1, "tools/list", "")
	h.call("srv", 1, "tools/list", "", "Authorization:")
	h.call("", 1, "tools/list", "")
	h.call("", 1, "tools/call", `{"name":"srv__one","arguments":{}}`)
	h.call("", 1, "tools/call", `{"name":"srv__one","arguments":{"a":"BLOCK-ME"}}`)
	h.call("", 1, "tools/call", `{"name":"mallory__one","arguments":{}}`)
	eventually(t, "all are counted", func() bool { return h.Stats().Total.Count == 9 }) // after they are answered
	stats := h.Stats()
	for kind, want := range map[RequestKind]uint64{
		{"srv", "tools/call", "answered"}:               2,
		{"srv", "tools/call", string(ReasonFinding)}:    2,
		{"", "tools/list", "answered"}:                  1,
		{"", "tools/call", string(ReasonEntryUnknown)}:  1,
		{"srv", "other", string(ReasonMethodDenied)}:    1,
		{"", "tools/list", string(ReasonServerUnknown)}: 1,
		{"", "other", string(ReasonUnauthenticated)}:    1,
	} {
		if stats.Requests[kind] != want {
			t.Errorf("%+v: %d, want %d of %v", kind, stats.Requests[kind], want, stats.Requests)
		}
	}
	for kind := range stats.Requests {
		if strings.Contains(kind.Alias+kind.Method+kind.Outcome, "mallory") {
			t.Errorf("a caller's word is counted by: %+v", kind)
		}
	}
	if stats.Total.Count != 9 || stats.AuditWrite.Count == 0 {
		t.Errorf("%d requests, %d records", stats.Total.Count, stats.AuditWrite.Count)
	}
	for group, want := range map[string]uint64{GroupIdentify: 7, GroupApprove: 6, GroupFingerprint: 4, GroupScan: 4, GroupIntent: 2, GroupUpstream: 2, GroupResult: 2, GroupOutcome: 2} {
		if got := stats.Groups[group].Count; got != want {
			t.Errorf("%s: %d, want %d", group, got, want)
		}
	}
}

// TestStatsOfStreams: a stream that ends only when somebody ends it says
// nothing of how fast requests are; a fault of ours is no answer.
func TestStatsOfStreams(t *testing.T) {
	h := open(t, auto)
	h.serve("every", upstream.Target{Command: []string{everything}})
	h.serve("srv", newScript(t).start())
	h.call("every", 1, "subscriptions/listen", `{"notifications":{}}`)
	h.inbound = append([]inboundStep{panicking{}}, h.inbound...)
	h.call("srv", 1, "tools/list", "").refused(t, 500, ReasonInternal)
	var stats Stats
	eventually(t, "both are counted", func() bool { stats = h.Stats(); return len(stats.Requests) == 2 && stats.InFlight == 0 })
	for kind, want := range map[RequestKind]uint64{
		{"every", "subscriptions/listen", "answered"}: 1,
		{"srv", "tools/list", string(ReasonInternal)}: 1,
	} {
		if stats.Requests[kind] != want {
			t.Errorf("%+v: %d, want %d of %v", kind, stats.Requests[kind], want, stats.Requests)
		}
	}
	if stats.Total.Count != 1 || stats.Groups[GroupUpstream].Count != 1 {
		t.Errorf("%d requests and %d upstream are timed, want 1 each", stats.Total.Count, stats.Groups[GroupUpstream].Count)
	}
	if stats.Streams != 0 || stats.Processes != 1 || stats.Draining {
		t.Errorf("%+v", stats)
	}
}
