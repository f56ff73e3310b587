//go:build !race

package main

import (
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/scorecard"
	"github.com/bartizan-mcp/bartizan/plugins"
	"github.com/bartizan-mcp/bartizan/plugins/train"
)

// floorParts are the sources that TestFloors leaves out: those that take no part
// in training cost nothing but their scans, and of the others one or two of each
// kind.
var floorParts = []string{
	"asb", "ms-agt", "cisco-tests", "live 0", "listing 0", // learnt from
	"neuralchemy", "bipia-train", "gitleaks", "kingfisher", "presidio", "bfcl", "toolalpaca", // only measured
	"imitation", "collision", "multiserver", "mcpsecbench", "sessions",
}

// TestFloors measures a sample of the corpora, sources left out, and holds each
// family to a little less than docs/detection.md publishes: what makes detection
// worse breaks the build. The corpora are no part of the repository.
func TestFloors(t *testing.T) {
	dir := os.Getenv("BARTIZAN_CORPORA")
	if dir == "" {
		dir = "../../../shared/corpora"
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*.jsonl")); len(found) == 0 {
		t.Skip("no corpora here: set BARTIZAN_CORPORA to their directory")
	}
	if testing.Short() {
		t.Skip("trains models")
	}
	if _, err := plugins.Modules(); err != nil {
		t.Skip(err)
	}
	files, err := corpusFiles([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	e, err := newEvaluation(filepath.Join(t.TempDir(), "cache"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	weights, err := train.LeaveOut(files)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := e.parts(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	for name, rows := range parts {
		if !slices.Contains(floorParts, name) {
			delete(parts, name)
		} else if len(rows) > 1000 {
			parts[name] = slices.DeleteFunc(rows, func(line []byte) bool { return !sampled(line) })
		}
	}
	if err := e.measureParts(t.Context(), weights, parts); err != nil {
		t.Fatal(err)
	}
	report := e.card.Report()
	for _, f := range floors {
		f.check(t, &report)
	}
}

// sampled picks a quarter of the rows, the same each time.
func sampled(line []byte) bool {
	row, err := scorecard.ReadRow(line)
	h := fnv.New32a()
	io.WriteString(h, row.ID)
	return err == nil && h.Sum32()>>8%4 == 0
}

// floor is what one part of the report must keep. A bound of 0 on a share of
// ordinary rows means none.
type floor struct {
	part         string
	recall, f1   float64
	ordinary     float64 // share of ordinary rows flagged, at most
	blockedAbove int     // ordinary rows blocked, at most
}

var floors = []floor{
	{"injection", 0.52, 0.68, 0.005, 0},
	{"injection in English, aimed at agents", 0.64, 0.77, 0.005, 0},
	{"injection buried in results", 0.95, 0.96, 0.005, 0},
	{"exfil without contact data", 0.85, 0.88, 0.002, 0},
	{"poisoning", 0.90, 0.92, 0.005, 0},
	{"shadowing", 0.95, 0.96, 0, 0},
	{"sessions", 0.90, 0.90, 0.05, 0},
}

func (f floor) check(t *testing.T, r *scorecard.Report) {
	t.Helper()
	i := slices.IndexFunc(r.Parts, func(p scorecard.Part) bool { return p.Name == f.part })
	if i < 0 || r.Parts[i].Attacks.Rows == 0 || r.Parts[i].Ordinary.Rows == 0 {
		t.Errorf("%s: nothing was measured", f.part)
		return
	}
	p := r.Parts[i]
	t.Logf("%s: recall %.3f, F1 %.3f, ordinary rows flagged %.4f (%d), blocked %d", f.part, p.Recall.Share, p.F1, p.Ordinary.FlagRate.Share, p.Ordinary.Flagged, p.Ordinary.Blocked)
	if p.Recall.Share < f.recall || p.F1 < f.f1 {
		t.Errorf("%s: recall %.3f and F1 %.3f, at least %.2f and %.2f", f.part, p.Recall.Share, p.F1, f.recall, f.f1)
	}
	if p.Ordinary.FlagRate.Share > f.ordinary || p.Ordinary.Blocked > f.blockedAbove {
		t.Errorf("%s: of ordinary rows %.4f flagged and %d blocked, at most %.4f and %d", f.part, p.Ordinary.FlagRate.Share, p.Ordinary.Blocked, f.ordinary, f.blockedAbove)
	}
	if n := p.Attacks.Failed + p.Ordinary.Failed; n > 0 {
		t.Errorf("%s: scanners failed on %d rows", f.part, n)
	}
}
