package rulepack

import (
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
)

var allPhases = []message.Phase{
	message.PhaseListing, message.PhaseRequest, message.PhaseResult, message.PhasePrompt, message.PhaseResource,
}

// use is one rule that looks for a pattern.
type use struct {
	rule, part int
	edges      uint32 // where no letter or digit may stand next to it
}

// Edges of a pattern.
const (
	before uint32 = 1 << iota
	after
)

// complete fills in what was left out and gathers the patterns.
func (p *Pack) complete() error {
	if p.Phases == nil {
		p.Phases = allPhases
	}
	index := map[engine.Pattern]int{}
	for i := range p.Rules {
		at := jsontext.Pointer("/rules").AppendToken(strconv.Itoa(i))
		if err := p.rule(i, at, index); err != nil {
			return err
		}
	}
	_, err := p.ManifestJSON()
	return err
}

func (p *Pack) rule(i int, at jsontext.Pointer, index map[engine.Pattern]int) error {
	r := &p.Rules[i]
	switch single := len(r.Phrases)+len(r.Shapes) > 0; {
	case single && len(r.All) > 0:
		return wrong(at.AppendToken("all"), "beside phrases or shapes: a rule has one or the other")
	case len(r.All) == 1 || len(r.All) > maxParts:
		return wrong(at.AppendToken("all"), "want 2 to %d parts", maxParts)
	case len(r.All) == 0 && r.Within != 0:
		return wrong(at.AppendToken("within"), "only for a rule with all")
	case len(r.All) > 0 && (r.Exact || r.Inside):
		return wrong(at, "exact and inside belong to the parts of all")
	case r.Within < 0 || r.Within > MaxWithin:
		return wrong(at.AppendToken("within"), "want 1 to %d bytes", MaxWithin)
	}
	if r.Within == 0 {
		r.Within = MaxWithin
	}
	if r.Confidence == nil {
		usual := DefaultConfidence
		r.Confidence = &usual
	}
	if err := r.check(p, at); err != nil {
		return err
	}
	if len(r.All) == 0 {
		return p.part(r.Part, use{rule: i}, at, index)
	}
	for j, part := range r.All {
		if err := p.part(part, use{rule: i, part: j}, at.AppendToken("all").AppendToken(strconv.Itoa(j)), index); err != nil {
			return err
		}
	}
	return nil
}

// check holds what no manifest would.
func (r *Rule) check(p *Pack, at jsontext.Pointer) error {
	switch {
	case !(*r.Confidence >= 0 && *r.Confidence <= 1):
		return wrong(at.AppendToken("confidence"), "want 0 to 1")
	case r.Replacement != nil && len(*r.Replacement) > 1024:
		return wrong(at.AppendToken("replacement"), "more than 1024 bytes")
	case len(r.Mark) > 64:
		return wrong(at.AppendToken("mark"), "more than 64 bytes")
	}
	for i, phase := range r.Phases {
		if !slices.Contains(p.Phases, phase) {
			return wrong(at.AppendToken("phases").AppendToken(strconv.Itoa(i)), "%q: not one of the pack's phases", phase)
		}
	}
	for i, kind := range r.Kinds {
		if !slices.Contains(kinds, kind) {
			return wrong(at.AppendToken("kinds").AppendToken(strconv.Itoa(i)), "%q: no kind of text", kind)
		}
	}
	return nil
}

// part adds the patterns of one part of a rule. A phrase of several rules is
// one pattern.
func (p *Pack) part(part Part, u use, at jsontext.Pointer, index map[engine.Pattern]int) error {
	if len(part.Phrases)+len(part.Shapes) == 0 {
		return wrong(at, "neither phrases nor shapes to look for")
	}
	add := func(pattern engine.Pattern, edges uint32, at jsontext.Pointer) error {
		if part.Inside {
			edges = 0
		}
		known, ok := index[pattern]
		if !ok {
			known = len(p.patterns)
			index[pattern] = known
			pattern.ID = "p" + strconv.Itoa(known)
			p.patterns = append(p.patterns, pattern)
			p.uses = append(p.uses, nil)
		}
		u.edges = edges
		if slices.Contains(p.uses[known], u) {
			return wrong(at, "the same twice")
		}
		if len(p.uses[known]) == maxShared {
			return wrong(at, "in more than %d rules", maxShared)
		}
		p.uses[known] = append(p.uses[known], u)
		return nil
	}
	for i, phrase := range part.Phrases {
		at := at.AppendToken("phrases").AppendToken(strconv.Itoa(i))
		if len(phrase) < 2 || len(phrase) > 256 {
			return wrong(at, "want 2 to 256 bytes")
		}
		if err := add(engine.Pattern{Text: phrase, Exact: part.Exact}, textEdges(phrase), at); err != nil {
			return err
		}
	}
	for i, shape := range part.Shapes {
		at := at.AppendToken("shapes").AppendToken(strconv.Itoa(i))
		all, err := expand(shape)
		if err != nil {
			return wrong(at, "%v", err)
		}
		for _, one := range all {
			if err := add(engine.Pattern{Shape: one, Exact: part.Exact}, shapeEdges(one), at); err != nil {
				return err
			}
		}
	}
	return nil
}
