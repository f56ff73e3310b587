package engine

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bartizan-mcp/bartizan/engine/match"
	"github.com/bartizan-mcp/bartizan/engine/message"
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

func bitOf(names []string, name string) uint32 {
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

// facts are what conditions ask about a batch beside its hits.
type facts struct {
	views, kinds      uint32
	nonASCII, context bool
	flow              bool // something that was marked occurs

	segments []message.Segment // of the message
	batch    []window
}

// inMember reports a text of the members that c asks for.
func (f *facts) inMember(c *condition) bool {
	var room [1]match.Hit
	for _, w := range f.batch {
		pointer := f.segments[w.segment].Pointer
		hits, complete := c.members.Append(room[:0], pointer[strings.LastIndexByte(pointer, '/')+1:], len(room))
		if (len(hits) > 0 || !complete) && (!c.digit || strings.ContainsAny(w.text, "0123456789")) {
			return true
		}
	}
	return false
}

func factsOf(p *prepared, batch []window) facts {
	f := facts{context: len(p.message.Context) > 0, segments: p.message.Segments, batch: batch}
	for _, w := range batch {
		s := &p.message.Segments[w.segment]
		f.kinds |= bitOf(flatKinds[:], s.Kind)
		if s.Provenance != "" {
			for name := range strings.SplitSeq(s.Provenance, ">") {
				f.views |= bitOf(decoders, name)
			}
		}
		f.nonASCII = f.nonASCII || !ascii(w.text)
	}
	return f
}

func ascii(s string) bool {
	for len(s) >= 8 {
		b := s[:8]
		if b[0]|b[1]|b[2]|b[3]|b[4]|b[5]|b[6]|b[7] >= utf8.RuneSelf {
			return false
		}
		s = s[8:]
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// asksMore tells whether a condition asks about anything but hits.
func (c *condition) asksMore() bool {
	return c.op > ifAll || slices.ContainsFunc(c.of, func(inner condition) bool { return inner.asksMore() })
}
