package cases_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/plugins"
)

// TestRealListings holds the scanners to what nobody would forgive: a listing
// of a server in everyday use is not refused. The listings are read where they
// are; they are no part of the repository.
func TestRealListings(t *testing.T) {
	dir := os.Getenv("BARTIZAN_LISTINGS")
	if dir == "" {
		dir = "../../../../shared/listings"
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("no listings of real servers here: set BARTIZAN_LISTINGS to their directory")
	}
	modules, err := plugins.Modules()
	if err != nil {
		t.Skip("the scanners are not built: run make plugins")
	}
	e, err := engine.New(t.Context(), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(t.Context())
	var scanners []*engine.Scanner
	for _, wasm := range modules {
		s, err := e.Load(t.Context(), wasm, engine.Options{Mode: engine.ModeEnforce})
		if err != nil {
			t.Fatal(err)
		}
		scanners = append(scanners, s)
	}
	set := engine.NewSet(scanners...)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			capture, err := listing.ParseCapture(raw)
			if err != nil {
				t.Fatal(err)
			}
			for i := range capture.Listings {
				m, err := message.FromListing(capture.Server, &capture.Listings[i])
				if err != nil {
					t.Fatal(err)
				}
				v := set.Scan(t.Context(), m)
				if len(v.Failures) > 0 || v.Unexamined {
					t.Errorf("failures %v, unexamined %v", v.Failures, v.Unexamined)
				}
				for _, f := range v.Findings {
					if f.Severity.AtLeast(engine.SeverityHigh) {
						t.Errorf("%s at %s", f.Rule, f.Pointer)
					}
				}
			}
		})
	}
}
