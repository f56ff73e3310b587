package gateway

import (
	"testing"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
)

// TestRecordsExplainFailures holds that a record says what an author is told.
func TestRecordsExplainFailures(t *testing.T) {
	f := engine.Failure{Scanner: "ticket", Kind: engine.FailureFuel, Detail: "bartizan_scan used more than 100040000 units of fuel", Skipped: true}
	got := verdictOf(message.PhaseRequest, engine.Verdict{
		Failures: []engine.Failure{f}, Scanners: []engine.ScannerRef{{Name: "ticket", Digest: "sha256:00"}},
	}).Failures[0]
	if got.Scanner != f.Scanner || got.Kind != f.Kind || got.Detail != f.Detail || !got.Skipped || got.Digest != "sha256:00" {
		t.Errorf("%+v of %+v", got, f)
	}
}
