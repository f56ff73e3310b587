package engine

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bartizan-mcp/bartizan/engine/match"
	"github.com/bartizan-mcp/bartizan/engine/message"
)

// facts are what conditions ask about a batch beside its hits.
type facts struct {
	views, kinds      uint32
	phase             uint32
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

// mixedWord reports a text with a word that mixes letters with something else.
func (f *facts) mixedWord() bool {
	return slices.ContainsFunc(f.batch, func(w window) bool { return mixedWord(w.text) })
}

func factsOf(p *prepared, batch []window) facts {
	f := facts{phase: bitOf(phases, p.message.Phase), context: len(p.message.Context) > 0, segments: p.message.Segments, batch: batch}
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
