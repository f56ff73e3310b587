package api

import (
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
	"github.com/bartizan-mcp/bartizan/internal/wat"
)

const trapping = `(module (memory (export "memory") 1)
  (func (export "bartizan_alloc") (param i32) (result i32) (i32.const 8))
  (func (export "bartizan_scan") (param i32 i32) (result i64) unreachable))`

const trappingManifest = `{"abi":1,"name":"trapping","version":"1.0.0","phases":["listing"],"encoding":"json","form":"reactor","call":"always",` +
	`"rules":[{"id":"x.y","family":"integrity","severity":"low","taxonomy":[],"description":"None."}]}`

// TestScanners holds who is told which scanners there are, and who how they fare.
func TestScanners(t *testing.T) {
	e := newEdge(t, func(c *Config) {
		c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "counters") })
	})
	none, err := e.as("bob").Scanners(t.Context())
	e.must(err)
	if len(none) != 0 {
		t.Errorf("%+v", none)
	}
	wasm, err := wat.Assemble(trapping)
	e.must(err)
	wasm, err = wasmsection.Attach(wasm, engine.ManifestSection, []byte(trappingManifest))
	e.must(err)
	eng, err := engine.New(t.Context(), engine.Config{})
	e.must(err)
	t.Cleanup(func() { eng.Close(t.Context()) })
	s, err := eng.Load(t.Context(), wasm, engine.Options{})
	e.must(err)
	live := engine.NewLive(engine.NewSet(s))
	e.service.Scanners = live
	for range 4 {
		live.ScanWith(t.Context(), &message.Message{Phase: message.PhaseListing, Segments: []message.Segment{{Kind: message.KindText, Text: "x"}}},
			engine.ScanOptions{Principal: "default/mallory"})
	}
	want := registryapi.Scanner{
		Name: "trapping", Version: "1.0.0", Digest: engine.Digest(wasm), Phases: []string{"listing"},
		Form: "reactor", Encoding: "json", Call: "always", Mode: "enforce", OnFailure: "deny",
	}
	health := registryapi.Health{Called: 3, Skipped: 1, Failures: map[string]int64{"trap": 3}, Breaker: registryapi.Breaker{Open: 1, Openings: 1}}
	for _, who := range []string{"bob", "root", "eve"} {
		got, err := e.as(who).Scanners(t.Context())
		e.must(err)
		if len(got) != 1 {
			t.Fatalf("%s is told %+v", who, got)
		}
		if who == "eve" { // of another tenant
			if diff := cmp.Diff(want, got[0]); diff != "" {
				t.Errorf("eve: %s", diff)
			}
			continue
		}
		fares := got[0].Health
		if fares == nil || fares.LastFailure.IsZero() {
			t.Fatalf("%s: %+v", who, fares)
		}
		fares.LastFailure = health.LastFailure
		if diff := cmp.Diff(&health, fares); diff != "" {
			t.Errorf("%s: %s", who, diff)
		}
		got[0].Health = nil
		if diff := cmp.Diff(want, got[0]); diff != "" {
			t.Errorf("%s: %s", who, diff)
		}
	}
	for who, status := range map[string]int{"": 401, "agent": 403, "alice": 403, "bob": 403, "eve": 403, "ada": 200, "root": 200} {
		resp := e.request("GET", "/metrics", who, "")
		body, err := io.ReadAll(resp.Body)
		e.must(err)
		if resp.StatusCode != status || (string(body) == "counters") != (status == 200) {
			t.Errorf("metrics for %q: %d %s", who, resp.StatusCode, body)
		}
	}
	for who, status := range map[string]int{"alice": 403, "ada": 403, "gw": 403} {
		if resp := e.request("GET", "/api/v1/scanners", who, ""); resp.StatusCode != status {
			t.Errorf("scanners for %q: %d", who, resp.StatusCode)
		}
	}
}
