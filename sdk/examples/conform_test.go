//go:build sdk

package examples

import (
	"os"
	"testing"

	"github.com/bartizan-mcp/bartizan/sdk/tck"
)

// conform holds a module to every point of the ABI that concerns it.
func conform(t *testing.T, wasm string) {
	t.Helper()
	module, err := os.ReadFile(wasm)
	if err != nil {
		t.Fatal(err)
	}
	report, err := tck.Run(t.Context(), module)
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, p := range report.Points {
		switch p.Outcome {
		case tck.Pass:
			passed++
		case tck.Fail:
			t.Errorf("fail %s: %s: %s", p.ID, p.Title, p.Detail)
		}
	}
	t.Logf("conformance: %d of %d points, the others do not concern it: %v", passed, len(report.Points), report.Skipped())
}
