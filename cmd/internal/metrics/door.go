package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bartizan-mcp/bartizan/cmd/internal/tracing"
	"github.com/bartizan-mcp/bartizan/gateway"
	"github.com/bartizan-mcp/bartizan/gateway/measure"
)

// Door is a gateway as its counters show it.
type Door struct {
	Stats func() gateway.Stats
	// Issued is when the snapshot of approvals in force was signed; zero
	// before the first.
	Issued func() time.Time
	// Spans became what; false where none are made.
	Spans func() (tracing.Counts, bool)
}

var (
	requests    = desc("gateway_requests_total", "Requests by alias of an approved server, method, and answered or the reason of the refusal.", "alias", "method", "outcome")
	total       = desc("gateway_request_duration_seconds", "Time of requests, but for streams without an end of their own.")
	steps       = desc("gateway_step_duration_seconds", "Time of the steps of a call; upstream is the server's own.", "step")
	auditWrite  = desc("gateway_audit_write_duration_seconds", "Time until a record was durable, or could not be.")
	auditFailed = desc("gateway_audit_failures_total", "Records that could not be written.")
	inFlight    = desc("gateway_requests_in_flight", "HTTP requests under way, this one included.")
	streams     = desc("gateway_streams_open", "Streams without an end of their own.")
	sessions    = desc("gateway_sessions_open", "Legacy sessions.")
	bridged     = desc("gateway_bridged_sessions_open", "Sessions with legacy servers, held for modern clients.")
	waiting     = desc("gateway_waiting_calls", "Calls at legacy servers that wait for a modern client's input.")
	processes   = desc("gateway_local_processes", "Processes of local servers.")
	exits       = desc("gateway_local_exits_total", "Ends of local servers that nobody asked for; the next call starts them again.", "alias")
	strikes     = desc("gateway_server_strikes_total", "Messages of servers that scanners blocked.", "alias")
	suspended   = desc("gateway_servers_suspended", "Servers that are suspended for their strikes.")
	draining    = desc("gateway_draining", "1 while the gateway lets its last calls finish.")
	spans       = desc("gateway_spans_total", "Spans by what became of them: sent, failed, dropped where too many waited.", "outcome")
	issued      = desc("gateway_snapshot_timestamp_seconds", "When the snapshot of approvals in force was signed.")
)

// doorCollector reads the counters of a gateway when it is asked.
type doorCollector struct{ door Door }

func (doorCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{requests, total, steps, auditWrite, auditFailed, inFlight, streams, sessions, bridged, waiting, processes, exits, strikes, suspended, draining, issued, spans} {
		out <- d
	}
}

func (c doorCollector) Collect(out chan<- prometheus.Metric) {
	s := c.door.Stats()
	gauge := func(d *prometheus.Desc, v float64) { out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	for kind, n := range s.Requests {
		out <- prometheus.MustNewConstMetric(requests, prometheus.CounterValue, float64(n), kind.Alias, kind.Method, kind.Outcome)
	}
	for alias, n := range s.LocalEnds {
		out <- prometheus.MustNewConstMetric(exits, prometheus.CounterValue, float64(n), alias)
	}
	for alias, n := range s.Strikes {
		out <- prometheus.MustNewConstMetric(strikes, prometheus.CounterValue, float64(n), alias)
	}
	gauge(suspended, float64(s.Suspended))
	out <- reading(total, s.Total)
	out <- reading(auditWrite, s.AuditWrite)
	for _, group := range gateway.Groups {
		out <- reading(steps, s.Groups[group], group)
	}
	out <- prometheus.MustNewConstMetric(auditFailed, prometheus.CounterValue, float64(s.AuditFailed))
	gauge(inFlight, float64(s.InFlight))
	gauge(streams, float64(s.Streams))
	gauge(sessions, float64(s.Sessions))
	gauge(bridged, float64(s.Bridged))
	gauge(waiting, float64(s.Waiting))
	gauge(processes, float64(s.Processes))
	drains := 0.0
	if s.Draining {
		drains = 1
	}
	gauge(draining, drains)
	if n, ok := c.door.Spans(); ok {
		for outcome, count := range map[string]uint64{"sent": n.Sent, "failed": n.Failed, "dropped": n.Dropped} {
			out <- prometheus.MustNewConstMetric(spans, prometheus.CounterValue, float64(count), outcome)
		}
	}
	if at := c.door.Issued(); !at.IsZero() {
		gauge(issued, float64(at.UnixMilli())/1000)
	}
}

func reading(d *prometheus.Desc, r measure.Reading, labels ...string) prometheus.Metric {
	buckets := make(map[float64]uint64, len(r.UpTo))
	for i, n := range r.UpTo {
		buckets[measure.Bounds[i].Seconds()] = n
	}
	return prometheus.MustNewConstHistogram(d, r.Count, r.Sum.Seconds(), buckets, labels...)
}
