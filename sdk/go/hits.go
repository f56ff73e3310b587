package scanner

import (
	"slices"
	"unicode/utf8"
)

// Part is a part of a segment's text.
type Part struct {
	Segment    int
	Start, End int    // byte range in the segment's text
	Text       string // what is there
}

// Near returns the parts of the texts that lie within reach bytes of a hit, in
// their order, each byte once: where hits stand close together their parts are
// one. A scanner whose rules all need a hit nearby examines these in place of
// the whole message. Parts begin and end on UTF-8 boundaries.
func (in *Input) Near(reach int) []Part {
	parts := make([]Part, 0, len(in.Hits))
	for _, h := range in.Hits {
		if h.Segment < 0 || h.Segment >= len(in.Segments) || h.Start > h.End {
			continue
		}
		text := in.Segments[h.Segment].Text
		parts = append(parts, Part{Segment: h.Segment, Start: back(text, h.Start-reach), End: forth(text, h.End+reach)})
	}
	slices.SortFunc(parts, func(a, b Part) int {
		if a.Segment != b.Segment {
			return a.Segment - b.Segment
		}
		return a.Start - b.Start
	})
	joined := parts[:0]
	for _, p := range parts {
		if n := len(joined); n > 0 && joined[n-1].Segment == p.Segment && joined[n-1].End >= p.Start {
			joined[n-1].End = max(joined[n-1].End, p.End)
			continue
		}
		joined = append(joined, p)
	}
	for i := range joined {
		p := &joined[i]
		p.Text = in.Segments[p.Segment].Text[p.Start:p.End]
	}
	return joined
}

// back returns the start of the character at byte i.
func back(text string, i int) int {
	i = min(i, len(text))
	for i > 0 && i < len(text) && !utf8.RuneStart(text[i]) {
		i--
	}
	return max(i, 0)
}

// forth returns the first boundary between characters at byte i or behind it.
func forth(text string, i int) int {
	i = max(i, 0)
	for i < len(text) && !utf8.RuneStart(text[i]) {
		i++
	}
	return min(i, len(text))
}
