package scanner

import (
	"math"
	"unicode/utf8"
)

// An answer in the flat encoding (sdk/abi/ABI.md, "Encoding flat").
const (
	flatAnswerMagic = 'B' | 'T'<<8 | 'Z'<<16 | 'O'<<24

	flatOutHeader = 40
	flatFinding   = 56
	flatRange     = 16
)

// cleanFlat is the answer that nothing was found.
var cleanFlat = (&Output{}).appendFlat(nil)

// appendFlat appends the answer in the flat encoding. What the host refuses in
// the json encoding it refuses here as well: numbers that do not fit and
// severities that do not exist become ones that are out of every range.
func (o *Output) appendFlat(b []byte) []byte {
	w := flatWriter{b: b, base: len(b)}
	ranges := flatOutHeader + len(o.Findings)*flatFinding
	w.reserve(ranges + len(o.Unexamined)*flatRange)
	w.u32(0, flatAnswerMagic)
	w.u32(4, flatOutHeader)
	w.u32(8, 1) // complete
	if len(o.Findings) > 0 {
		w.table(12, flatOutHeader, len(o.Findings), flatFinding)
	}
	if len(o.Unexamined) > 0 {
		w.u32(8, 2) // partial
		w.table(24, ranges, len(o.Unexamined), flatRange)
	}
	for i := range o.Findings {
		w.finding(flatOutHeader+i*flatFinding, &o.Findings[i])
	}
	for i, r := range o.Unexamined {
		w.span(ranges+i*flatRange, r.Segment, r.Start, r.End)
	}
	return w.b
}

// flatWriter appends to b an answer that begins at base.
type flatWriter struct {
	b    []byte
	base int
	rule flatRule // the latest: a scanner that finds much finds much of one kind
}

type flatRule struct {
	id       string
	from, to int
}

// reserve appends n zero bytes.
func (w *flatWriter) reserve(n int) {
	for len(w.b)+n > cap(w.b) {
		w.b = append(w.b[:cap(w.b)], 0)[:len(w.b)]
	}
	w.b = w.b[:len(w.b)+n]
	clear(w.b[len(w.b)-n:])
}

func (w *flatWriter) finding(at int, f *Finding) {
	if f.Rule != w.rule.id || w.rule.to == 0 {
		w.rule = flatRule{f.Rule, len(w.b), 0}
		w.str(at, f.Rule)
		w.rule.to = len(w.b)
	} else {
		w.place(at, w.rule.from, w.rule.to)
	}
	bits := math.Float64bits(f.Confidence)
	w.u32(at+8, uint32(bits))
	w.u32(at+12, uint32(bits>>32))
	w.span(at+16, f.Segment, f.Start, f.End)
	w.b[w.base+at+28] = flatSeverity(f.Severity)
	w.str(at+32, f.Message)
	if f.Replacement != nil {
		w.b[w.base+at+29] = 1
		w.str(at+40, *f.Replacement)
	}
	w.str(at+48, f.Mark)
}

// str appends s and writes at the given offset where it is. Invalid UTF-8
// becomes U+FFFD.
func (w *flatWriter) str(at int, s string) {
	from := len(w.b)
	if utf8.ValidString(s) {
		w.b = append(w.b, s...)
	} else {
		for _, r := range s {
			w.b = utf8.AppendRune(w.b, r)
		}
	}
	w.place(at, from, len(w.b))
}

func (w *flatWriter) place(at, from, to int) {
	w.u32(at, uint32(from-w.base))
	w.u32(at+4, uint32(to-from))
}

func (w *flatWriter) span(at, segment, start, end int) {
	w.u32(at, fit(segment))
	w.u32(at+4, fit(start))
	w.u32(at+8, fit(end))
}

func (w *flatWriter) table(at, offset, count, record int) {
	w.u32(at, uint32(offset))
	w.u32(at+4, uint32(count))
	w.u32(at+8, uint32(record))
}

func (w *flatWriter) u32(at int, v uint32) {
	s := w.b[w.base+at:][:4]
	s[0], s[1], s[2], s[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
}

func fit(n int) uint32 {
	if n < 0 || n > math.MaxUint32 {
		return math.MaxUint32
	}
	return uint32(n)
}

func flatSeverity(s string) byte {
	switch s {
	case "":
		return 0
	case "info":
		return 1
	case "low":
		return 2
	case "medium":
		return 3
	case "high":
		return 4
	case "critical":
		return 5
	}
	return 255
}
