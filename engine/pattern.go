package engine

import (
	"fmt"

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
func checkPatterns(patterns []Pattern) error {
	if len(patterns) > maxPatterns {
		return fmt.Errorf("%w: patterns: %d, at most %d", ErrManifest, len(patterns), maxPatterns)
	}
	seen := make(map[string]bool, len(patterns))
	all := make([]match.Pattern, 0, len(patterns))
	for _, p := range patterns {
		switch {
		case !ruleForm.MatchString(p.ID) || len(p.ID) > maxName:
			return fmt.Errorf("%w: pattern id %q: want lower-case words joined by dots or hyphens", ErrManifest, p.ID)
		case seen[p.ID]:
			return fmt.Errorf("%w: pattern %q twice", ErrManifest, p.ID)
		}
		seen[p.ID] = true
		if err := p.match().Check(); err != nil {
			return fmt.Errorf("%w: pattern %s: %w", ErrManifest, p.ID, err)
		}
		all = append(all, p.match())
	}
	if _, err := match.Compile(all); err != nil {
		return fmt.Errorf("%w: patterns: %w", ErrManifest, err)
	}
	return nil
}
