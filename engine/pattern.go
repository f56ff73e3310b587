package engine

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine/match"
)

// Pattern is what the host looks for on a scanner's behalf. Exactly one of Text
// and Shape is set.
type Pattern struct {
	ID    string `json:"id"`
	Text  string `json:"text,omitzero"`
	Shape string `json:"shape,omitzero"` // grammar: match.Pattern
	Exact bool   `json:"exact,omitzero"` // letters of ASCII match in their own case only
}

// maxPatterns of one scanner.
const maxPatterns = 4096

func (p Pattern) match() match.Pattern {
	return match.Pattern{Text: p.Text, Shape: p.Shape, Exact: p.Exact}
}

// checkPatterns also makes their automaton, so that a set of admitted scanners
// can always make its own: of fewer scanners at a time, if need be.
func checkPatterns(patterns []Pattern) *ManifestError {
	const at = jsontext.Pointer("/patterns")
	if len(patterns) > maxPatterns {
		return unfit(at, "found %d: want %d at most", len(patterns), maxPatterns)
	}
	seen := make(map[string]bool, len(patterns))
	all := make([]match.Pattern, 0, len(patterns))
	for i, p := range patterns {
		switch at := element(at, i); {
		case !ruleForm.MatchString(p.ID):
			return unfitText(at, "id", p.ID, idWanted)
		case len(p.ID) > maxName:
			return tooManyBytes(at+"/id", len(p.ID), maxName)
		case seen[p.ID]:
			return unfit(at+"/id", "found %s twice", quoted(p.ID))
		}
		seen[p.ID] = true
		if err := p.match().Check(); err != nil {
			return unfitPattern(element(at, i), err)
		}
		all = append(all, p.match())
	}
	if _, err := match.Compile(all); err != nil {
		return unfitPattern(at, err)
	}
	return nil
}
