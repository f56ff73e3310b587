package tracing

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
)

// receiver takes spans as a collector does.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	header http.Header
	names  []string
}

func newReceiver(t *testing.T, also http.HandlerFunc) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if also != nil {
			also(w, req)
			return
		}
		unzipped, err := gzip.NewReader(req.Body)
		if err != nil {
			t.Error(err)
			return
		}
		body, err := io.ReadAll(unzipped)
		var request collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &request)
		}
		if err != nil {
			t.Error(err)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.header = req.Header.Clone()
		for _, resource := range request.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, span := range scope.Spans {
					r.names = append(r.names, span.Name)
				}
			}
		}
	}))
	t.Cleanup(r.Close)
	return r
}

var quiet = slog.New(slog.DiscardHandler)

func start(t *testing.T, c config.Tracing, log *slog.Logger) *Sender {
	t.Helper()
	s, err := Start(t.Context(), c, "1.2.3", log)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func end(t *testing.T, s *Sender, names ...string) {
	t.Helper()
	for _, name := range names {
		_, span := s.Provider().Tracer("test").Start(t.Context(), name)
		span.End()
	}
}

// TestSend: spans arrive, with the operator's headers, by the configuration
// alone.
func TestSend(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_HEADERS": "x-other=1",
		"OTEL_TRACES_SAMPLER": "always_off", "OTEL_BSP_MAX_QUEUE_SIZE": "1", "OTEL_SERVICE_NAME": "other",
	} {
		t.Setenv(name, value)
	}
	r := newReceiver(t, nil)
	file := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(file, []byte("# of the receiver\nauthorization: Bearer s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, config.Tracing{Endpoint: r.URL + "/v1/traces", SampleRatio: 1, Headers: file}, quiet)
	end(t, s, "one", "two", "three")
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(r.names, " "); got != "one two three" {
		t.Errorf("%q arrived", got)
	}
	if r.header.Get("Authorization") != "Bearer s3cret" || r.header.Get("X-Other") != "" {
		t.Errorf("header %v", r.header)
	}
	if n, ok := s.Counts(); !ok || n != (Counts{Sent: 3}) {
		t.Errorf("%+v", n)
	}
	end(t, s, "late") // harms nobody
}

// TestOff makes nothing, and asks for nothing.
func TestOff(t *testing.T) {
	s := start(t, config.Tracing{Headers: "/does/not/exist"}, quiet)
	if _, ok := s.Counts(); ok || s.Provider() != nil || s.Close(t.Context()) != nil {
		t.Error("tracing that is off makes spans")
	}
	if _, err := Start(t.Context(), config.Tracing{Endpoint: "http://127.0.0.1:1/v1/traces", Headers: "/does/not/exist"}, "", quiet); err == nil {
		t.Error("a file of headers that is not there was passed over")
	}
}

// TestRatio: none of the traces that begin here.
func TestRatio(t *testing.T) {
	s := newSender(tracetest.NewInMemoryExporter(), 0, "", quiet)
	end(t, s, "one")
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, _ := s.Counts(); n != (Counts{}) {
		t.Errorf("%+v", n)
	}
}

// TestNoRedirect: a credential goes to the receiver that was named.
func TestNoRedirect(t *testing.T) {
	elsewhere := newReceiver(t, nil)
	r := newReceiver(t, func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, elsewhere.URL+"/v1/traces", http.StatusTemporaryRedirect)
	})
	s := start(t, config.Tracing{Endpoint: r.URL + "/v1/traces", SampleRatio: 1}, quiet)
	end(t, s, "one")
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, _ := s.Counts(); len(elsewhere.names) != 0 || n != (Counts{Failed: 1}) {
		t.Errorf("%q went elsewhere, %+v", elsewhere.names, n)
	}
}

// TestAway: a receiver that hangs costs spans, never time: what is too much is
// dropped and counted, the end comes in time, and the log has one line.
func TestAway(t *testing.T) {
	release := make(chan struct{})
	r := newReceiver(t, func(w http.ResponseWriter, req *http.Request) { <-release })
	defer close(release)
	s := start(t, config.Tracing{Endpoint: r.URL + "/v1/traces", SampleRatio: 1}, quiet)
	for range queue + 100 {
		end(t, s, "one")
	}
	if n, _ := s.Counts(); n.Dropped != 100 || n.Sent != 0 {
		t.Errorf("%+v", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Close(ctx); !errors.Is(err, errUnsent) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v", err)
	}
}

// broken is an exporter that fails, in words of its own.
type broken struct{ sdktrace.SpanExporter }

func (broken) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error {
	return errors.New("no " + strings.Repeat("x", 10_000))
}

// TestFailuresAreCounted, and told once.
func TestFailuresAreCounted(t *testing.T) {
	var log bytes.Buffer
	s := newSender(broken{tracetest.NewNoopExporter()}, 1, "", slog.New(slog.NewTextHandler(&log, nil)))
	for range 3 {
		end(t, s, "one", "two")
		if err := s.provider.ForceFlush(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n, _ := s.Counts(); n != (Counts{Failed: 6}) || s.counts.waiting.Load() != 0 {
		t.Errorf("%+v, %d wait", n, s.counts.waiting.Load())
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 || log.Len() > 2*textBytes+200 {
		t.Errorf("%d lines, %d bytes in the log", lines, log.Len())
	}
}
