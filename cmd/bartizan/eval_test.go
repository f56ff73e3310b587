//go:build !race

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/scorecard"
	"github.com/bartizan-mcp/bartizan/plugins"
)

// TestEval measures rows of our own. Its parts share compiled scanners.
func TestEval(t *testing.T) {
	if _, err := plugins.Modules(); err != nil {
		t.Skip(err)
	}
	cache := filepath.Join(t.TempDir(), "cache")
	t.Run("counts", func(t *testing.T) { evalCounts(t, cache) })
	t.Run("order", func(t *testing.T) { evalOrder(t, cache) })
	t.Run("is scan", func(t *testing.T) { evalIsScan(t, cache) })
}

const (
	evalAttacks = "testdata/eval/attacks.jsonl"
	evalBenign  = "testdata/eval/benign.jsonl"
)

// evalCounts holds what is counted over rows of our own: attacks that every
// release has to find or is bound to miss, and ordinary rows.
func evalCounts(t *testing.T, cache string) {
	d := evalDocument(t, cache, "--corpus", "testdata/eval")
	if d.Rows != 21 || d.Unreadable != 2 || len(d.Files) != 2 || len(d.Scanners) != 4 {
		t.Errorf("%d rows, %d unreadable, %v, %v", d.Rows, d.Unreadable, d.Files, d.Scanners)
	}
	got := map[string][3]int{} // rows, flagged, failed
	for _, s := range d.Sources {
		if s.Class == scorecard.Attack || s.Kind == "result" && s.Family == "injection" {
			got[s.Family+" "+string(s.Class)+" "+s.Source] = [3]int{s.Rows, s.Flagged, s.Failed}
		}
	}
	want := map[string][3]int{
		"injection attack encoded-quay":          {1, 1, 0},
		"injection attack log":                   {1, 0, 0},
		"injection attack quay":                  {2, 1, 0}, // the other is no attack
		"injection ordinary quay":                {2, 0, 1}, // one without content
		"injection hard negative quay":           {1, 0, 0},
		"injection chat prompt wildguard-benign": {1, 0, 0},
		"exfil attack forms pii_contact":         {1, 0, 0},
		"exfil attack forms pii_strong":          {1, 1, 0},
		"exfil attack quay":                      {1, 1, 0},
		"poisoning attack cisco-eval":            {1, 0, 0},
		"poisoning attack quay":                  {1, 1, 0},
		"shadowing attack quay":                  {1, 1, 0},
		"session attack walks":                   {1, 1, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// evalOrder: neither the order of files nor that of rows changes anything
// but times.
func evalOrder(t *testing.T, cache string) {
	rows, err := os.ReadFile(evalAttacks)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(rows), "\n")
	var turned strings.Builder
	for i := range lines {
		turned.WriteString(lines[len(lines)-1-i])
	}
	other := filepath.Join(t.TempDir(), "attacks.jsonl")
	if err := os.WriteFile(other, []byte(turned.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	a := evalDocument(t, cache, "--corpus", evalAttacks, "--corpus", evalBenign)
	b := evalDocument(t, cache, "--corpus", evalBenign, other)
	for i := range a.Files {
		a.Files[i].Digest, b.Files[i].Digest = "", ""
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
}

// evalDocument is what eval prints as JSON, without times.
func evalDocument(t *testing.T, cache string, args ...string) scorecard.Document {
	t.Helper()
	var d scorecard.Document
	if err := json.Unmarshal([]byte(bartizan(t, append([]string{"eval", "--cache", cache, "-o", "json"}, args...)...)), &d, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	for i := range d.Sources {
		d.Sources[i].Cost = scorecard.Cost{}
	}
	for i := range d.Costs {
		if c := d.Costs[i].Cost; c.P50 <= 0 || c.P50 > c.P99 {
			t.Errorf("%s: p50 %v, p99 %v", d.Costs[i].Kind, c.P50, c.P99)
		}
		d.Costs[i].Cost = scorecard.Cost{}
	}
	return d
}

// evalIsScan: what eval counts is what `scan --jsonl` answers.
func evalIsScan(t *testing.T, cache string) {
	d := evalDocument(t, cache, "--corpus", "testdata/eval")
	flagged, rows := 0, 0
	for _, name := range []string{evalAttacks, evalBenign} {
		labels, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		answers := strings.Split(strings.TrimSpace(bartizan(t, "scan", "--jsonl", name, "--cache", cache)), "\n")
		for i, line := range strings.Split(strings.TrimSpace(string(labels)), "\n") {
			row, err := scorecard.ReadRow([]byte(line))
			if err != nil || !row.Attack {
				continue
			}
			var s scanned
			if err := json.Unmarshal([]byte(answers[i]), &s); err != nil {
				t.Fatal(err)
			}
			rows++
			if o := outcome(s); o.Found[row.Family] >= scorecard.Flagged || row.Family == scorecard.Sessions && len(o.Found) > 0 {
				flagged++
			}
		}
	}
	var sum scorecard.Tally
	for _, s := range d.Sources {
		if s.Class == scorecard.Attack {
			sum.Rows += s.Rows
			sum.Flagged += s.Flagged
		}
	}
	if sum.Rows != rows || sum.Flagged != flagged || flagged == 0 {
		t.Errorf("eval has %d of %d, scan %d of %d", sum.Flagged, sum.Rows, flagged, rows)
	}
}
