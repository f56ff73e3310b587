// Package rulepack makes scanners of phrases: a scanner.yaml with rules and what
// they look for, and no code. The phrases become the manifest's patterns, which
// the host finds in one pass over each text and decoded view, and a guest of a
// few hundred instructions turns hits into findings: words that are not to be
// parts of others, rules of several parts, kinds of text, redaction. No
// toolchain takes part. It runs nothing and knows no files.
package rulepack

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/strictyaml"
)

// Language is how a scanner.yaml says that it is a rule pack.
const Language = "rulepack"

// ErrInvalid means that a pack cannot be made into a scanner. Where a line can
// be named it wraps a *strictyaml.Error.
var ErrInvalid = errors.New("rule pack")

// Pack is a scanner.yaml without code.
type Pack struct {
	ABI     int             `json:"abi,omitzero"`
	Name    string          `json:"name"`
	Version string          `json:"version"`
	Phases  []message.Phase `json:"phases,omitzero"` // all five if left out
	Rules   []Rule          `json:"rules"`
	Build   Build           `json:"build"`

	patterns []engine.Pattern
	uses     [][]use // of each pattern
}

// Build is what tells a pack from other scanners.
type Build struct {
	Language string `json:"language"`
}

// Rule is one rule: what the manifest says of it, and what it looks for, which
// is any of its phrases and shapes, or several parts near each other.
type Rule struct {
	ID          string          `json:"id"`
	Family      string          `json:"family"`
	Severity    engine.Severity `json:"severity"`
	Taxonomy    []string        `json:"taxonomy,omitzero"`
	Description string          `json:"description"`

	Part
	All    []Part `json:"all,omitzero"`    // in place of phrases and shapes: each of them in one text
	Within int    `json:"within,omitzero"` // bytes from the first part's begin to the last one's end

	Confidence  *float64        `json:"confidence,omitzero"`  // 0..1; 0.9 if left out
	Phases      []message.Phase `json:"phases,omitzero"`      // some of the pack's
	Kinds       []string        `json:"kinds,omitzero"`       // of texts (sdk/abi/ABI.md); all if left out
	Replacement *string         `json:"replacement,omitzero"` // redact with this
	Mark        string          `json:"mark,omitzero"`        // remember as this
}

// Part is a set of alternatives.
type Part struct {
	Phrases []string `json:"phrases,omitzero"`
	Shapes  []string `json:"shapes,omitzero"` // the manifest's, and <d4-8> for 4 to 8 digits
	Exact   bool     `json:"exact,omitzero"`  // letters match in their own case only
	Inside  bool     `json:"inside,omitzero"` // also where a letter or digit stands next to it
}

// Bounds of a rule.
const (
	DefaultConfidence = 0.9
	// MaxWithin is what windows of a long text overlap by: parts that lie
	// further apart might be seen by no call together.
	MaxWithin = 4096

	maxParts  = 8
	maxShared = 16 // rules that look for the same phrase
)

// Parse reads a pack and checks all of it.
func Parse(b []byte) (*Pack, error) {
	p := new(Pack)
	if err := strictyaml.Unmarshal(b, p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := p.complete(); err != nil {
		var m *mistake
		var manifest *engine.ManifestError
		switch {
		case errors.As(err, &m):
			err = strictyaml.At(b, m.at, m.problem)
		case errors.As(err, &manifest) && written(manifest.At):
			err = strictyaml.At(b, manifest.At, manifest.Problem)
		}
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return p, nil
}

// written reports whether a place of the manifest is one of the pack too, and
// not made of several.
func written(at jsontext.Pointer) bool {
	for name := range at.Tokens() {
		return name != "patterns" && name != "trigger"
	}
	return true
}

// mistake is something wrong at a place in the document.
type mistake struct {
	at      jsontext.Pointer
	problem string
}

func (m *mistake) Error() string { return m.problem }

func wrong(at jsontext.Pointer, format string, args ...any) error {
	return &mistake{at, fmt.Sprintf(format, args...)}
}
