package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
)

// synthetic writes small corpora of our own and returns their directory.
func synthetic(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	line := func(i int, family, label, kind, group, licence, text string) {
		content := fmt.Sprintf(`"content":%q`, text)
		if kind == "listing" {
			content = fmt.Sprintf(`"tool":{"name":"t%d","description":%q}`, i, text)
		}
		fmt.Fprintf(&b, `{"id":"%s-%d","family":%q,"label":%q,"kind":%q,"group":%q,"licence":%q,%s}`+"\n", group, i, family, label, kind, group, licence, content)
	}
	for i, s := range phrases(attackForms, 60, 1) {
		line(i, "injection", "attack", "result", "one", "MIT", s)
		line(i, "injection", "attack", "result", "neuralchemy", "Apache-2.0 (dataset card, unverified)", s)
		line(i, "poisoning", "attack", "listing", "two", "MIT", s)
	}
	for i, s := range phrases(ordinaryForms, 60, 2) {
		line(i, "benign", "benign", "result", "live:"+strconv.Itoa(i), "MIT", s)
		line(i, "benign", "benign", "listing", "listing:"+strconv.Itoa(i), "MIT", s)
	}
	if err := os.WriteFile(filepath.Join(dir, "rows.jsonl"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSameCorporaSameBytes(t *testing.T) {
	dir := synthetic(t)
	var roots [2]string
	for i := range roots {
		roots[i] = t.TempDir()
		for _, task := range tasks {
			if err := os.MkdirAll(filepath.Join(roots[i], "plugins", task.name), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := Ship(dir, roots[i]); err != nil {
			t.Fatal(err)
		}
	}
	for _, task := range tasks {
		for _, file := range []string{"weights.bin", "provenance.json"} {
			a, errA := os.ReadFile(filepath.Join(roots[0], "plugins", task.name, file))
			b, errB := os.ReadFile(filepath.Join(roots[1], "plugins", task.name, file))
			if err := errors.Join(errA, errB); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a, b) {
				t.Errorf("%s %s differs between two runs", task.name, file)
			}
			if file == "weights.bin" {
				if _, err := textmodel.Load(string(a)); err != nil {
					t.Errorf("%s: %v", task.name, err)
				}
			} else if bytes.Contains(a, []byte("neuralchemy")) {
				t.Errorf("%s learnt from rows of unverified licence", task.name)
			}
		}
	}
}

func TestLearnable(t *testing.T) {
	for _, c := range []struct {
		row  row
		want bool
	}{
		{row{Group: "asb", Label: "attack", Licence: "MIT"}, true},
		{row{Group: "composed-asb", Label: "attack", Licence: "MIT"}, true},
		{row{Group: "encoded-asb", Label: "attack", Licence: "MIT"}, false},
		{row{Group: "neuralchemy", Licence: "MIT"}, false},
		{row{Group: "other", Licence: "Apache-2.0 (dataset card, unverified)"}, false},
		{row{Group: "bipia-train", Label: "attack", Licence: "MIT"}, false},
		{row{Group: "bipia-train", Label: "benign", Licence: "MIT"}, true},
	} {
		if got := c.row.learnable(); got != c.want {
			t.Errorf("%s %s: %v", c.row.Group, c.row.Licence, got)
		}
	}
}

func TestLeavingOutTakesDerivedRows(t *testing.T) {
	for group, want := range map[string]string{"asb": "asb", "encoded-asb": "asb", "composed-asb": "asb", "safemcp:SAFE-T1": "safemcp"} {
		if got := partOf(&row{Group: group}); got != want {
			t.Errorf("%s leaves with %s, want %s", group, got, want)
		}
	}
}

// TestCommittedWeights ties the weights that are embedded to their provenance.
func TestCommittedWeights(t *testing.T) {
	for _, task := range tasks {
		dir := filepath.Join("..", "..", "plugins", task.name)
		weights, err := os.ReadFile(filepath.Join(dir, "weights.bin"))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, "provenance.json"))
		if err != nil {
			t.Fatal(err)
		}
		var p provenance
		if err := json.Unmarshal(raw, &p); err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(weights); p.Weights != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: provenance.json is of other weights; run cmd/train", task.name)
		}
		for group, n := range p.Groups {
			if originOf(group) == "neuralchemy" || group == "bipia-train" && n.Attack > 0 {
				t.Errorf("%s learnt from %s", task.name, group)
			}
			for _, licence := range n.Licence {
				if strings.Contains(licence, "unverified") {
					t.Errorf("%s: %s has licence %q", task.name, group, licence)
				}
			}
		}
		if _, err := textmodel.Load(string(weights)); err != nil {
			t.Errorf("%s: %v", task.name, err)
		}
	}
}

func TestNoCorpora(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		if err := Ship(dir, t.TempDir()); !errors.Is(err, errCorpora) {
			t.Errorf("%q: %v", dir, err)
		}
	}
}

func TestLogistic(t *testing.T) {
	for x, want := range map[float64]float64{0: 0.5, 30: 1, -30: 0, 2: 0.8808, -2: 0.1192} {
		if got := logistic(x); got < want-0.002 || got > want+0.002 {
			t.Errorf("logistic(%v) = %v", x, got)
		}
	}
}
