package tracing

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Counts are what became of spans.
type Counts struct {
	Sent    uint64
	Failed  uint64 // the receiver did not take them, or not all of their batch
	Dropped uint64 // the queue was full
}

type counts struct {
	sent, failed, dropped atomic.Uint64
	waiting               atomic.Int64
	complained            atomic.Int64 // Unix time of the last line in the log
}

func (c *counts) read() Counts {
	return Counts{Sent: c.sent.Load(), Failed: c.failed.Load(), Dropped: c.dropped.Load()}
}

// bounded keeps spans from a processor whose queue is full. The processor would
// drop them by itself, and not tell how many.
type bounded struct {
	sdktrace.SpanProcessor
	counts *counts
}

// OnEnd implements sdktrace.SpanProcessor.
func (b *bounded) OnEnd(s sdktrace.ReadOnlySpan) {
	if b.counts.waiting.Add(1) > queue {
		b.counts.waiting.Add(-1)
		b.counts.dropped.Add(1)
		return
	}
	b.SpanProcessor.OnEnd(s)
}

// counted counts what an exporter sends, and keeps its failures to itself and
// the log.
type counted struct {
	sdktrace.SpanExporter
	counts *counts
	log    *slog.Logger
}

// complaints are at least this far apart.
const complaints = time.Minute

// ExportSpans implements sdktrace.SpanExporter. Its error would go to a handler
// that the whole process shares.
func (c *counted) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := c.SpanExporter.ExportSpans(ctx, spans)
	n := uint64(len(spans))
	c.counts.waiting.Add(-int64(n))
	if err == nil {
		c.counts.sent.Add(n)
		return nil
	}
	c.counts.failed.Add(n)
	now, last := time.Now().Unix(), c.counts.complained.Load()
	if now-last >= int64(complaints/time.Second) && c.counts.complained.CompareAndSwap(last, now) {
		text := err.Error()
		c.log.WarnContext(ctx, "spans could not be sent", "cause", text[:min(len(text), textBytes)], "failed", c.counts.failed.Load())
	}
	return nil
}
