package metrics

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
	"github.com/bartizan-mcp/bartizan/internal/wat"
)

const (
	module = `(module (memory (export "memory") 1)
  (func (export "bartizan_alloc") (param i32) (result i32) (i32.const 8))
  (func (export "bartizan_scan") (param i32 i32) (result i64) unreachable))`
	manifest = `{"abi":1,"name":"trapping","version":"1.0.0","phases":["request"],"encoding":"json","form":"reactor","call":"always",` +
		`"rules":[{"id":"x.y","family":"integrity","severity":"low","taxonomy":[],"description":"None."}]}`
)

// trapping is a set of one scanner that fails on everything.
func trapping(t *testing.T) *engine.Live {
	t.Helper()
	wasm, err := wat.Assemble(module)
	if err != nil {
		t.Fatal(err)
	}
	if wasm, err = wasmsection.Attach(wasm, engine.ManifestSection, []byte(manifest)); err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(t.Context(), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(context.WithoutCancel(t.Context())) })
	s, err := e.Load(t.Context(), wasm, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return engine.NewLive(engine.NewSet(s))
}

var secretive = &message.Message{Phase: message.PhaseRequest, Server: "io.example/hidden", Segments: []message.Segment{{Kind: message.KindText, Text: "a secret"}}}

// read returns what a handler shows.
func read(t *testing.T, h http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Fatalf("%d %s: %s", w.Code, w.Header(), w.Body)
	}
	return w.Body.String()
}

// TestMetrics holds the counters to what happened, and the page to saying
// nothing of whose messages they were.
func TestMetrics(t *testing.T) {
	live := trapping(t)
	h := Handler(live)
	page := func() string { return read(t, h) }
	if before := page(); strings.Contains(before, "bartizan_scanner_last_failure") {
		t.Errorf("a failure before the first: %s", before)
	}
	for range 4 {
		live.ScanWith(t.Context(), secretive, engine.ScanOptions{Principal: "default/mallory"})
	}
	after := page()
	for _, want := range []string{
		"bartizan_scanners_generation 1\n",
		`bartizan_scanner_messages_total{outcome="called",scanner="trapping"} 3`,
		`bartizan_scanner_messages_total{outcome="skipped",scanner="trapping"} 1`,
		`bartizan_scanner_failures_total{kind="trap",scanner="trapping"} 3`,
		`bartizan_scanner_failures_total{kind="fuel",scanner="trapping"} 0`,
		`bartizan_scanner_breaker_openings_total{scanner="trapping"} 1`,
		`bartizan_scanner_fuel_total{scanner="trapping"} `,
		`bartizan_scanner_last_failure_timestamp_seconds{scanner="trapping"} `,
		`bartizan_scanner_duration_seconds_bucket{scanner="trapping",le="+Inf"} 3`,
		`bartizan_scanner_duration_seconds_count{scanner="trapping"} 3`,
	} {
		if !strings.Contains(after, want) {
			t.Errorf("no %s in\n%s", want, after)
		}
	}
	for _, secret := range []string{"mallory", "hidden", "secret", "default/"} {
		if strings.Contains(after, secret) {
			t.Errorf("the page holds %q", secret)
		}
	}
	if err := live.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if closed := page(); !strings.Contains(closed, "bartizan_scanners_generation 0\n") {
		t.Errorf("after the end:\n%s", closed)
	}
}
