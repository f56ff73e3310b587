package train

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// provenance says what a weights file was made from. It is committed beside the
// weights; the rows are not.
type provenance struct {
	Weights string            `json:"weights"` // SHA-256
	Corpora map[string]string `json:"corpora"` // file → SHA-256
	Groups  map[string]counts `json:"groups"`  // group → rows learnt from
	Written int               `json:"written"` // sentences of the phrasebook
}

type counts struct {
	Attack  int      `json:"attack"`
	Benign  int      `json:"benign"`
	Licence []string `json:"licence"`
}

// ship trains on every learnable row and writes weights and provenance.
func (t *task) ship(c *corpora, root string) error {
	m, err := t.material(c)
	if err != nil {
		return err
	}
	docs := m.without(func(*row) bool { return false })
	weights := m.weights(docs)
	sum := sha256.Sum256(weights)
	p := provenance{Weights: hex.EncodeToString(sum[:]), Corpora: c.digests, Groups: map[string]counts{}, Written: 2 * t.sentences}
	for _, d := range docs {
		n := p.Groups[d.row.group()]
		if d.attack {
			n.Attack++
		} else {
			n.Benign++
		}
		n.Licence = include(n.Licence, d.row.Licence)
		p.Groups[d.row.group()] = n
	}
	doc, err := json.Marshal(p, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	dir := filepath.Join(root, "plugins", t.name)
	if err := os.WriteFile(filepath.Join(dir, "provenance.json"), append(doc, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "weights.bin"), weights, 0o644)
}

func include(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}
