// Package wasmsection reads and writes the sections of a WebAssembly binary
// (core specification 2.0, §5.5) without running or compiling it. It knows
// where sections begin and end; it must not know what Bartizan keeps in them.
package wasmsection

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// ErrMalformed means that the bytes are not a core WebAssembly module.
var ErrMalformed = errors.New("malformed wasm module")

// IDCustom is the section id of custom sections.
const IDCustom = 0

var preamble = []byte{0, 'a', 's', 'm', 1, 0, 0, 0}

// Section is one section. For a custom section Body is what follows its name.
type Section struct {
	ID         byte
	Name       string // custom sections only
	Body       []byte // shares the module's memory
	Start, End int    // byte range of the whole section, header included
}

// Parse splits a module into its sections.
func Parse(wasm []byte) ([]Section, error) {
	if len(wasm) < len(preamble) || !slices.Equal(wasm[:len(preamble)], preamble) {
		return nil, malformed("no version 1 preamble")
	}
	var sections []Section
	r := reader{b: wasm, pos: len(preamble)}
	for r.pos < len(wasm) {
		start := r.pos
		id := r.byte()
		body := r.bytes(r.u32())
		if r.bad {
			return nil, malformed("section at byte %d is cut short", start)
		}
		s := Section{ID: id, Body: body, Start: start, End: r.pos}
		if id == IDCustom {
			c := reader{b: body}
			s.Name = c.name()
			if c.bad {
				return nil, malformed("custom section at byte %d has no name", start)
			}
			s.Body = body[c.pos:]
		}
		sections = append(sections, s)
	}
	return sections, nil
}

// Custom returns the bodies of all custom sections called name.
func Custom(wasm []byte, name string) ([][]byte, error) {
	sections, err := Parse(wasm)
	if err != nil {
		return nil, err
	}
	var bodies [][]byte
	for _, s := range sections {
		if s.ID == IDCustom && s.Name == name {
			bodies = append(bodies, s.Body)
		}
	}
	return bodies, nil
}

// Attach returns the module with exactly one custom section called name, at
// its end: sections of that name already there are removed.
func Attach(wasm []byte, name string, body []byte) ([]byte, error) {
	sections, err := Parse(wasm)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(preamble)
	for _, s := range sections {
		if s.ID != IDCustom || s.Name != name {
			out = append(out, wasm[s.Start:s.End]...)
		}
	}
	content := binary.AppendUvarint(nil, uint64(len(name)))
	content = append(append(content, name...), body...)
	out = binary.AppendUvarint(append(out, IDCustom), uint64(len(content)))
	return append(out, content...), nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}

// reader reads the binary format's primitives; after a fault it stays bad.
type reader struct {
	b   []byte
	pos int
	bad bool
}

func (r *reader) byte() byte {
	if b := r.bytes(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) bytes(n uint32) []byte {
	if r.bad || uint64(n) > uint64(len(r.b)-r.pos) {
		r.bad = true
		return nil
	}
	b := r.b[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return b
}

// u32 reads an unsigned LEB128 of at most five bytes.
func (r *reader) u32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if v > 1<<32-1 {
				r.bad = true
			}
			return uint32(v)
		}
	}
	r.bad = true
	return 0
}

func (r *reader) name() string {
	s := string(r.bytes(r.u32()))
	if !utf8.ValidString(s) {
		r.bad = true
	}
	return s
}
