package tck

import (
	"cmp"
	"slices"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/match"
)

// compile makes the automaton that finds the manifest's patterns, if there are any.
func compile(patterns []engine.Pattern) (*match.Automaton, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	all := make([]match.Pattern, len(patterns))
	for i, p := range patterns {
		all[i] = match.Pattern{Text: p.Text, Shape: p.Shape, Exact: p.Exact}
	}
	return match.Compile(all)
}

// find tells an input where the patterns match, as an engine does: a scanner may
// look at nothing else.
func (k *kit) find(in *input) {
	if k.patterns == nil || in.Hits != nil {
		return
	}
	for i, s := range in.Segments {
		room := min(mostHits-len(in.Hits), mostHits/len(in.Segments)+1)
		found, _ := k.patterns.Append(nil, s.Text, max(room, 0))
		slices.SortFunc(found, func(a, b match.Hit) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
		for _, h := range found {
			in.Hits = append(in.Hits, hit{Pattern: int(h.Pattern), Segment: i, Start: int(h.Start), End: int(h.End)})
		}
	}
}
