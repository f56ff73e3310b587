//go:build !race

package tck

import (
	"os"
	"path/filepath"
	"testing"
)

// TestShippedScanners holds our own scanners to what a stranger's are held to.
func TestShippedScanners(t *testing.T) {
	files, err := filepath.Glob("../../plugins/dist/*.wasm")
	if err != nil || len(files) == 0 {
		t.Skip("plugins/dist is empty: make plugins")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			wasm, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Run(t.Context(), wasm)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range r.Points {
				if p.Outcome == Fail || testing.Verbose() {
					t.Logf("%s %s: %s", p.Outcome, p.ID, p.Detail)
				}
			}
			if !r.OK() {
				t.Error(r.Failed())
			}
		})
	}
}
