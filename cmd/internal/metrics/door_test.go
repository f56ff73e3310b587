package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/cmd/internal/tracing"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/gateway"
	"github.com/bartizan-mcp/bartizan/gateway/measure"
)

func TestDoor(t *testing.T) {
	var h measure.Histogram
	h.Observe(2 * time.Millisecond)
	stats := gateway.Stats{
		Requests:  map[gateway.RequestKind]uint64{{Alias: "weather", Method: "tools/call", Outcome: "finding"}: 3},
		LocalEnds: map[string]uint64{"weather": 2}, Strikes: map[string]uint64{"weather": 15}, Suspended: 14, Total: h.Read(), AuditWrite: h.Read(),
		Groups: map[string]measure.Reading{gateway.GroupUpstream: h.Read()}, AuditFailed: 7, InFlight: 8, Streams: 4, Sessions: 5, Bridged: 12, Waiting: 13, Processes: 6, Draining: true,
	}
	issued := time.Time{}
	counted := tracing.Counts{Sent: 9, Failed: 10, Dropped: 11}
	handler := Handler(engine.NewLive(engine.NewSet()), Door{Stats: func() gateway.Stats { return stats }, Issued: func() time.Time { return issued }, Spans: func() (tracing.Counts, bool) { return counted, !issued.IsZero() }})
	page := func() string { return read(t, handler) }
	first := page()
	for _, want := range []string{
		`bartizan_gateway_requests_total{alias="weather",method="tools/call",outcome="finding"} 3`,
		`bartizan_gateway_local_exits_total{alias="weather"} 2`,
		`bartizan_gateway_server_strikes_total{alias="weather"} 15`, "bartizan_gateway_servers_suspended 14\n",
		`bartizan_gateway_request_duration_seconds_bucket{le="0.001"} 0`,
		`bartizan_gateway_request_duration_seconds_bucket{le="0.0025"} 1`,
		`bartizan_gateway_audit_write_duration_seconds_sum 0.002`,
		`bartizan_gateway_step_duration_seconds_count{step="upstream"} 1`,
		`bartizan_gateway_step_duration_seconds_count{step="identify"} 0`,
		"bartizan_gateway_streams_open 4\n", "bartizan_gateway_sessions_open 5\n", "bartizan_gateway_bridged_sessions_open 12\n", "bartizan_gateway_waiting_calls 13\n", "bartizan_gateway_local_processes 6\n", "bartizan_gateway_draining 1\n",
		"bartizan_gateway_audit_failures_total 7\n", "bartizan_gateway_requests_in_flight 8\n", "\ngo_goroutines ",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("no %s in\n%s", want, first)
		}
	}
	if strings.Contains(first, "snapshot_timestamp") || strings.Contains(first, "spans") {
		t.Error("a time without a snapshot, or spans that nobody makes")
	}
	issued = time.UnixMilli(1500)
	if !strings.Contains(page(), "bartizan_gateway_snapshot_timestamp_seconds 1.5\n") {
		t.Error("no time of the snapshot")
	}
	if !strings.Contains(page(), `bartizan_gateway_spans_total{outcome="dropped"} 11`) {
		t.Error("no dropped spans")
	}
}
