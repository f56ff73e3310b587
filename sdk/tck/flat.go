package tck

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

// layout says how an input is laid out in the flat encoding, where the ABI leaves
// the choice. The zero layout is the engine's.
type layout struct {
	header  int    // bytes that a later version has at the end of the header
	record  int    // and at the end of every record
	turned  bool   // strings first, then the tables from the last to the first, with gaps between
	shared  bool   // a string that occurs again is written once
	nothing uint32 // stands where an offset or a size means nothing
}

// Numbers of the flat encoding, by ABI.md.
var (
	flatPhases  = []string{"", "listing", "request", "result", "prompt", "resource"}
	flatCallers = []string{"", "user", "agent", "service"}
	flatKinds   = []string{"other", "name", "title", "description", "instructions", "parameter", "schema-title", "schema-description",
		"schema-value", "annotation", "meta", "uri", "argument", "argument-name", "text", "structured", "error", "mime", "server-info"}
)

// later is what a kind or caller is called that this version does not have, and
// its number.
const (
	later       = "hologram"
	laterNumber = 200
)

const flatHeader = 88

// later bytes are not zero: a scanner must not read them.
const laterByte = 0xa5

// block is a part of a flat input; its place is known when all are.
type block struct {
	b    []byte
	at   int
	refs []reference
}

// reference is a number in a block that becomes the place of another, plus add.
type reference struct {
	at  int
	to  *block
	add int
}

// flatWriter lays out an input.
type flatWriter struct {
	layout
	strings, params *block
}

func (in *input) flat(l layout) []byte {
	w := &flatWriter{layout: l, strings: new(block), params: new(block)}
	head := &block{b: make([]byte, flatHeader)}
	head.b = append(head.b, bytes.Repeat([]byte{laterByte}, l.header)...)
	copy(head.b, "BTZI")
	head.u32(4, flatHeader+l.header)
	head.b[12], head.b[13] = number(flatPhases, in.Phase), number(flatCallers, in.Caller)
	w.str(head, 16, in.Server)
	w.str(head, 24, in.Entry)
	head.u32(32, in.Limits.Findings)
	head.u32(36, in.Limits.OutputBytes)

	segments := w.table(head, 40, 32, len(in.Segments), func(t *block, at, i int) {
		s := &in.Segments[i]
		t.u32(at, int(number(flatKinds, s.Kind)))
		t.u32(at+4, s.Item)
		w.str(t, at+8, s.Pointer)
		w.str(t, at+16, s.Text)
		w.str(t, at+24, s.Provenance)
	})
	hits := w.table(head, 52, 16, len(in.Hits), func(t *block, at, i int) {
		h := in.Hits[i]
		t.u32(at, h.Pattern, h.Segment, h.Start, h.End)
	})
	flow := w.table(head, 64, 40, len(in.Flow), func(t *block, at, i int) {
		f := &in.Flow[i]
		t.u32(at, f.Segment, f.Start, f.End, f.Age)
		w.str(t, at+16, f.Mark)
		w.str(t, at+24, f.Origin.Server)
		w.str(t, at+32, f.Origin.Entry)
	})
	context := w.table(head, 76, 48, len(in.Context), func(t *block, at, i int) {
		e := &in.Context[i]
		for n, s := range []string{e.Server, e.Kind, e.Name, e.Title, e.Description} {
			w.str(t, at+8*n, s)
		}
		t.u32(at+40, int(w.nothing), len(e.Parameters))
		if len(e.Parameters) > 0 {
			t.refs = append(t.refs, reference{at + 40, w.params, len(w.params.b)})
		}
		for _, name := range e.Parameters {
			w.params.b = append(w.params.b, make([]byte, 8)...)
			w.str(w.params, len(w.params.b)-8, name)
		}
	})
	blocks := []*block{head, segments, hits, flow, context, w.params, w.strings}
	if l.turned {
		blocks = []*block{head, w.strings, w.params, context, flow, hits, segments}
	}
	return w.place(head, blocks)
}

// place puts the blocks one after another, each 8-aligned, and resolves what
// refers to them.
func (w *flatWriter) place(head *block, blocks []*block) []byte {
	size := 0
	for i, b := range blocks {
		size += -size & 7
		if w.turned && i > 0 {
			size += 24
		}
		b.at = size
		size += len(b.b)
	}
	head.u32(8, size)
	out := bytes.Repeat([]byte{laterByte}, size)
	for _, b := range blocks {
		for _, r := range b.refs {
			b.u32(r.at, r.to.at+r.add)
		}
	}
	for _, b := range blocks {
		copy(out[b.at:], b.b)
	}
	return out
}

// table makes a table of n records and refers to it from the header.
func (w *flatWriter) table(head *block, at, record, n int, fill func(t *block, at, i int)) *block {
	size := record + w.record
	t := &block{b: bytes.Repeat([]byte{laterByte}, n*size)}
	if n == 0 {
		head.u32(at, int(w.nothing), 0, int(w.nothing))
		return t
	}
	head.u32(at+4, n, size)
	head.refs = append(head.refs, reference{at, t, 0})
	for i := range n {
		clear(t.b[i*size : i*size+record])
		fill(t, i*size, i)
	}
	return t
}

// str writes a string and a reference to it.
func (w *flatWriter) str(b *block, at int, s string) {
	if s == "" {
		b.u32(at, int(w.nothing), 0)
		return
	}
	from := -1
	if w.shared {
		from = bytes.Index(w.strings.b, []byte(s)) // also within another one
	}
	if from < 0 {
		from = len(w.strings.b)
		w.strings.b = append(w.strings.b, s...)
	}
	b.refs = append(b.refs, reference{at, w.strings, from})
	b.u32(at+4, len(s))
}

func (b *block) u32(at int, values ...int) {
	for i, v := range values {
		binary.LittleEndian.PutUint32(b.b[at+4*i:], uint32(v))
	}
}

func number(of []string, s string) byte {
	if i := slices.Index(of, s); i >= 0 {
		return byte(i)
	}
	return laterNumber
}

// readTexts returns the texts of an input that may be broken: what a reader sees
// that looks at nothing but the segments. It is nil where they cannot be read.
func readTexts(b []byte) []string {
	if len(b) < flatHeader {
		return nil
	}
	get := func(at uint64) uint64 { return uint64(binary.LittleEndian.Uint32(b[at:])) }
	from, n, size := get(40), get(44), get(48)
	if n > 0 && (size < 32 || n*size > uint64(len(b)) || from+n*size > uint64(len(b))) {
		return nil
	}
	texts := make([]string, 0, n)
	for ; n > 0; n-- {
		at, length := get(from+16), get(from+20)
		if length > 0 && at+length > uint64(len(b)) {
			return nil
		}
		text := ""
		if length > 0 {
			text = string(b[at : at+length])
		}
		if !utf8.ValidString(text) {
			return nil
		}
		texts = append(texts, text)
		from += size
	}
	return texts
}
