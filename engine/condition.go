package engine

import (
	"slices"

	"github.com/bartizan-mcp/bartizan/engine/match"
)

// condition is a trigger made ready: names are numbers.
type condition struct {
	op       conditionOp
	of       []condition
	patterns seen // any of them
	mask     uint32
	members  *match.Automaton // of names
	digit    bool             // with members
}

type conditionOp uint8

const (
	ifHit conditionOp = iota // any pattern at all
	ifPatterns
	ifAny
	ifAll
	ifViews
	ifKinds
	ifMembers
	ifNonASCII
	ifContext
	ifFlow
	ifPhases
	ifMixedWord
	ifAlways
)

// conditionOf makes a checked trigger ready; without one any pattern will do.
func conditionOf(t *Trigger, patterns []Pattern) condition {
	if t == nil {
		return condition{op: ifHit}
	}
	index := make(map[string]int, len(patterns))
	for i, p := range patterns {
		index[p.ID] = i
	}
	return t.condition(index)
}

func (t *Trigger) condition(index map[string]int) condition {
	switch {
	case len(t.Any) > 0:
		return anyOf(t.Any, index)
	case len(t.All) > 0:
		c := condition{op: ifAll}
		for i := range t.All {
			c.of = append(c.of, t.All[i].condition(index))
		}
		return c
	case t.View == anyView:
		return condition{op: ifViews, mask: everything}
	case t.View != "":
		return condition{op: ifViews, mask: bitOf(decoders, t.View)}
	case len(t.Kind) > 0:
		c := condition{op: ifKinds}
		for _, kind := range t.Kind {
			c.mask |= bitOf(flatKinds[:], kind)
		}
		return c
	case t.Member != nil:
		names, err := t.Member.automaton()
		if err != nil {
			return condition{op: ifAlways} // never blind
		}
		return condition{op: ifMembers, members: names, digit: t.Member.Digit}
	case t.NonASCII:
		return condition{op: ifNonASCII}
	case t.Context:
		return condition{op: ifContext}
	case t.Flow:
		return condition{op: ifFlow}
	case len(t.Phase) > 0:
		c := condition{op: ifPhases}
		for _, phase := range t.Phase {
			c.mask |= bitOf(phases, phase)
		}
		return c
	case t.MixedWord:
		return condition{op: ifMixedWord}
	}
	pattern := index[t.Pattern]
	c := condition{op: ifPatterns, patterns: make(seen, pattern>>6+1)}
	c.patterns[pattern>>6] = 1 << (pattern & 63)
	return c
}

// anyOf asks for all patterns among the alternatives at once: there may be a
// thousand, and this is asked about every batch.
func anyOf(alternatives []Trigger, index map[string]int) condition {
	c := condition{op: ifAny}
	var patterns seen
	for i := range alternatives {
		inner := alternatives[i].condition(index)
		if inner.op != ifPatterns {
			c.of = append(c.of, inner)
			continue
		}
		for i, word := range inner.patterns {
			for len(patterns) <= i {
				patterns = append(patterns, 0)
			}
			patterns[i] |= word
		}
	}
	if patterns != nil {
		c.of = append([]condition{{op: ifPatterns, patterns: patterns}}, c.of...)
	}
	return c
}

// everything stands for what has no number of its own, too: a name that this
// engine does not know satisfies every condition of its sort.
const everything = ^uint32(0)

func bitOf[S ~string](names []S, name S) uint32 {
	if i := slices.Index(names, name); i >= 0 {
		return 1 << i
	}
	return everything
}

// holds evaluates a condition over what is known of a batch.
func (c *condition) holds(f *facts, seen seen) bool {
	switch c.op {
	case ifPatterns:
		return seen.meets(c.patterns)
	case ifAny, ifAll:
		for i := range c.of { // by index: this runs for every batch, and a copy would be on the heap
			if c.of[i].holds(f, seen) == (c.op == ifAny) {
				return c.op == ifAny
			}
		}
		return c.op == ifAll
	case ifViews:
		return f.views&c.mask != 0
	case ifKinds:
		return f.kinds&c.mask != 0
	case ifMembers:
		return f.inMember(c)
	case ifNonASCII:
		return f.nonASCII
	case ifContext:
		return f.context
	case ifFlow:
		return f.flow
	case ifPhases:
		return f.phase&c.mask != 0
	case ifMixedWord:
		return f.mixedWord()
	}
	return true
}

// seen has a bit for each pattern of a scanner that a batch holds; it is nil
// where there is none.
type seen []uint64

func seenIn(hits []hit, patterns int) seen {
	if len(hits) == 0 {
		return nil
	}
	s := make(seen, (patterns+63)/64)
	for _, h := range hits {
		s[h.pattern>>6] |= 1 << (h.pattern & 63)
	}
	return s
}

// meets reports a pattern that is in both.
func (s seen) meets(other seen) bool {
	for i := range min(len(s), len(other)) {
		if s[i]&other[i] != 0 {
			return true
		}
	}
	return false
}

// asksMore tells whether a condition asks about anything but hits.
func (c *condition) asksMore() bool {
	return c.op > ifAll || slices.ContainsFunc(c.of, func(inner condition) bool { return inner.asksMore() })
}
