// Package metrics shows what became of messages, by scanner and at the gateway,
// in the text format of Prometheus. It knows counters and label names. It must
// not know, and so cannot show, who sent a message or what it said: labels are
// names from manifests and approvals, and words of closed lists.
package metrics

import (
	"math"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bartizan-mcp/bartizan/engine"
)

// Handler serves the metrics of the process, of the scanners in force, and of
// a gateway where there is one.
func Handler(scanners *engine.Live, doors ...Door) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector{scanners})
	for _, door := range doors {
		registry.MustRegister(doorCollector{door})
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Outcomes of a message, label of bartizan_scanner_messages_total.
const (
	outcomeCalled       = "called"
	outcomeNotTriggered = "not_triggered"
	outcomeSkipped      = "skipped"
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("bartizan_"+name, help, labels, nil)
}

var (
	generation  = desc("scanners_generation", "Number of the set of scanners in force; grows with every reload.")
	messages    = desc("scanner_messages_total", "Messages by what the scanner did: called, not_triggered, skipped by its breaker.", "scanner", "outcome")
	findings    = desc("scanner_findings_total", "Findings reported.", "scanner")
	failures    = desc("scanner_failures_total", "Failures by kind.", "scanner", "kind")
	lastFailure = desc("scanner_last_failure_timestamp_seconds", "Time of the last failure.", "scanner")
	fuel        = desc("scanner_fuel_total", "Fuel spent.", "scanner")
	openings    = desc("scanner_breaker_openings_total", "Times that the breaker opened for a principal.", "scanner")
	open        = desc("scanner_breaker_open", "Principals for whom the scanner is not called at present.", "scanner")
	duration    = desc("scanner_duration_seconds", "Time taken by one message.", "scanner")
)

// collector reads the counters when it is asked.
type collector struct{ scanners *engine.Live }

func (collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{generation, messages, findings, failures, lastFailure, fuel, openings, open, duration} {
		out <- d
	}
}

func (c collector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(generation, float64(c.scanners.Generation()))
	for _, h := range c.scanners.Health() {
		name := h.Scanner.Name
		count := func(d *prometheus.Desc, v int64, labels ...string) {
			out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), append([]string{name}, labels...)...)
		}
		count(messages, h.Called, outcomeCalled)
		count(messages, h.NotTriggered, outcomeNotTriggered)
		count(messages, h.Skipped, outcomeSkipped)
		count(findings, h.Findings)
		count(fuel, h.Fuel)
		count(openings, h.Openings)
		for kind, n := range h.Failures {
			count(failures, n, kind)
		}
		gauge(open, float64(h.Open), name)
		if !h.LastFailure.IsZero() {
			gauge(lastFailure, float64(h.LastFailure.UnixMilli())/1000, name)
		}
		out <- histogram(h.Durations, name)
	}
}

func histogram(d engine.Durations, name string) prometheus.Metric {
	buckets := make(map[float64]uint64, len(d.Buckets))
	for _, b := range d.Buckets {
		if b.UpTo != time.Duration(math.MaxInt64) { // the library adds +Inf from the count
			buckets[b.UpTo.Seconds()] = uint64(b.Count)
		}
	}
	return prometheus.MustNewConstHistogram(duration, uint64(d.Count), d.Sum.Seconds(), buckets, name)
}
