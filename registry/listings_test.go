package registry

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
)

// TestRealListings publishes what real servers list: nothing of it may be
// refused, and nothing that the registry can answer by itself blocks it.
func TestRealListings(t *testing.T) {
	dir := os.Getenv("BARTIZAN_LISTINGS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "listings")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Skipf("no listings in %s; set BARTIZAN_LISTINGS to run this test", dir)
	}
	h := newHouse(t)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sub := h.submission(name, "1.0.0", h.publisher)
			sub.Listing = raw
			sub.Options.Alias = strings.Trim(name[:min(len(name), 20)], "-")
			v, err := h.Publish(t.Context(), alice, sub)
			if err != nil {
				t.Fatal(err)
			}
			if v.State != admission.InReview || v.Source != "operator" {
				t.Fatalf("%s %v", v.State, v.Reasons)
			}
			r, err := h.Review(t.Context(), "default", v.Review)
			if err != nil {
				t.Fatal(err)
			}
			// No scanners are loaded here, and nobody has voted; nothing else is
			// in the way of an honest server.
			if diff := cmp.Diff([]string{checklist.CodeScan, "AUTH-2", "votes"}, r.Blocking); diff != "" {
				t.Error(diff)
			}
		})
	}
}
