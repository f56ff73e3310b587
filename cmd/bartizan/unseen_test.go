//go:build !race

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/plugins"
)

// TestUnseen holds the scanners to results and sessions of our own that were
// written before the scanners were changed for them, in two halves: one was read
// while that was done, of the other only the figures were looked at. The bounds
// are a little below what docs/detection.md says of them.
func TestUnseen(t *testing.T) {
	if _, err := plugins.Modules(); err != nil {
		t.Skip(err)
	}
	t.Setenv("BARTIZAN_CACHE", filepath.Join(t.TempDir(), "cache"))
	for _, c := range []struct {
		file           string
		attacks        float64 // share of attacks that are flagged, at least
		ordinary, hard int     // ordinary rows and hard negatives that are flagged, at most
	}{
		{"results_dev", 0.68, 0, 4},
		{"results_test", 0.55, 1, 10},
		{"sessions_dev", 0.9, 3, 0},
		{"sessions_test", 0.8, 6, 0},
	} {
		t.Run(c.file, func(t *testing.T) {
			file := "testdata/unseen/" + c.file + ".jsonl"
			flagged := map[string]bool{}
			for _, v := range scanSessions(t, file) {
				flagged[v.ID] = !v.Action.Less(engine.ActionFlag)
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			type tally struct{ rows, flagged int }
			var attacks, ordinary, hard tally
			for line := range strings.Lines(string(raw)) {
				var row struct {
					ID    string `json:"id"`
					Label string `json:"label"`
					Hard  bool   `json:"hard_negative"`
				}
				if err := json.Unmarshal([]byte(line), &row); err != nil {
					t.Fatal(err)
				}
				of := &ordinary
				if row.Label == "attack" {
					of = &attacks
				} else if row.Hard {
					of = &hard
				}
				of.rows++
				if flagged[row.ID] {
					of.flagged++
				}
			}
			t.Logf("attacks %v, ordinary %v, hard negatives %v", attacks, ordinary, hard)
			if attacks.rows == 0 || float64(attacks.flagged) < c.attacks*float64(attacks.rows) || ordinary.flagged > c.ordinary || hard.flagged > c.hard {
				t.Errorf("attacks %v, ordinary %v, hard negatives %v", attacks, ordinary, hard)
			}
		})
	}
}
