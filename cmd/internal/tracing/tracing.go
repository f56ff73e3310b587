// Package tracing sends spans to a receiver of OTLP over HTTP. It knows the
// OpenTelemetry SDK: sampling, a bounded queue, batches. It must not know what
// the spans tell of (gateway/trace), and nobody waits for it: a span that finds
// the queue full is dropped and counted, a receiver that is away costs its spans.
package tracing

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
)

// Bounds of what waits to be sent.
const (
	queue     = 8192 // spans, those in the batch under way included
	batch     = 512
	every     = 5 * time.Second
	attempt   = 10 * time.Second // for one batch, with its repetitions
	textBytes = 256              // of one attribute
)

// Sender is where spans go. The zero Sender takes none.
type Sender struct {
	provider *sdktrace.TracerProvider
	counts   *counts
}

// Start makes a Sender by the configuration; without an endpoint the zero one.
// Nothing is sent, nor connected to, before the first span.
func Start(ctx context.Context, c config.Tracing, version string, log *slog.Logger) (*Sender, error) {
	if c.Endpoint == "" {
		return &Sender{}, nil
	}
	headers := map[string]string{}
	if c.Headers != "" {
		body, err := os.ReadFile(c.Headers)
		if err == nil {
			headers, err = parseHeaders(body)
		}
		if err != nil {
			return nil, fmt.Errorf("tracing.headers: %w", err)
		}
	}
	// Every option is given, so that no OTEL_* variable decides instead.
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(c.Endpoint), otlptracehttp.WithHeaders(headers),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression), otlptracehttp.WithTimeout(attempt), otlptracehttp.WithHTTPClient(client()),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: time.Second, MaxInterval: attempt / 2, MaxElapsedTime: attempt}))
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	return newSender(exporter, c.SampleRatio, version, log), nil
}

// client follows no redirects: headers may hold a credential.
func client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func newSender(exporter sdktrace.SpanExporter, ratio float64, version string, log *slog.Logger) *Sender {
	counts := &counts{}
	batches := sdktrace.NewBatchSpanProcessor(&counted{SpanExporter: exporter, counts: counts, log: log},
		sdktrace.WithMaxQueueSize(queue), sdktrace.WithMaxExportBatchSize(batch), sdktrace.WithBatchTimeout(every), sdktrace.WithExportTimeout(attempt))
	limits := sdktrace.SpanLimits{
		AttributeValueLengthLimit: textBytes, AttributeCountLimit: 32, EventCountLimit: 8, LinkCountLimit: 2,
		AttributePerEventCountLimit: 8, AttributePerLinkCountLimit: 8,
	}
	return &Sender{counts: counts, provider: sdktrace.NewTracerProvider(
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio))),
		sdktrace.WithRawSpanLimits(limits),
		sdktrace.WithSpanProcessor(&bounded{SpanProcessor: batches, counts: counts}),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "bartizan-gateway"), attribute.String("service.version", version),
			attribute.String("service.instance.id", uuid.NewString()),
			attribute.String("telemetry.sdk.name", "opentelemetry"), attribute.String("telemetry.sdk.language", "go"),
		)),
	)}
}

// Provider makes tracers whose spans are sent; nil where none are.
func (s *Sender) Provider() trace.TracerProvider {
	if s.provider == nil {
		return nil
	}
	return s.provider
}

// Counts are spans since the start; false where none are sent.
func (s *Sender) Counts() (Counts, bool) {
	if s.counts == nil {
		return Counts{}, false
	}
	return s.counts.read(), true
}

// Close sends what waits, until ctx ends.
func (s *Sender) Close(ctx context.Context) error {
	if s.provider == nil {
		return nil
	}
	if err := s.provider.Shutdown(ctx); err != nil {
		return errors.Join(errUnsent, err)
	}
	return nil
}

var errUnsent = errors.New("tracing: the last spans were not sent")
