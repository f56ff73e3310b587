// Package wasmsection reads and writes the sections of a WebAssembly binary
// (core specification 2.0, §5.5) and the numbers and names that they are made
// of (§5.2), without running or compiling it. It knows where sections begin and
// end; it must not know what Bartizan keeps in them.
package wasmsection

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
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
	r := NewReader(wasm)
	r.pos = len(preamble)
	for r.More() {
		start := r.pos
		id := r.Byte()
		body := r.Bytes(r.U32())
		if r.Bad() {
			return nil, malformed("section at byte %d is cut short", start)
		}
		s := Section{ID: id, Body: body, Start: start, End: r.pos}
		if id == IDCustom {
			c := NewReader(body)
			s.Name = c.Name()
			if c.Bad() {
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
