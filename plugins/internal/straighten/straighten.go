// Package straighten gives the functions of a module made by the Go toolchain
// their jumps back.
//
// Go's stacks grow and its goroutines change places, for which a function has to
// be entered again in its middle. The toolchain therefore makes of each function
// one loop around one br_table over all of its basic blocks, and of every jump a
// number and a branch back to the loop. A jump forward needs none of that: its
// target is the end of a block that is still open, and a branch goes there. The
// table then has to lead only where a function is entered again, behind its
// calls, and where loops begin; whatever values the variables may have there no
// longer concerns the code in between.
//
// The package knows the shape of that code (cmd/internal/obj/wasm) and leaves
// alone what has another. It must not know what a scanner is.
package straighten

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// ErrMalformed means that a module is none of the Go toolchain with the names of
// its functions.
var ErrMalformed = errors.New("straighten: no module of the Go toolchain")

// Sections of a module.
const (
	sectionImport = 2
	sectionCode   = 10
)

// firstPC is the number of a module's first own function in the runtime's
// program counters, whose low 16 bits number the blocks in a function.
const firstPC = 0x1000

// Module straightens the functions for whose names accept returns true, and
// removes the names and what is there for debuggers.
func Module(wasm []byte, accept func(name string) bool) ([]byte, error) {
	sections, err := wasmsection.Parse(wasm)
	if err != nil {
		return nil, err
	}
	var m module
	for _, s := range sections {
		switch {
		case s.ID == sectionImport:
			m.imports, err = functionsImported(s.Body)
		case s.ID == wasmsection.IDCustom && s.Name == "name":
			m.names, err = functionNames(s.Body)
		}
		if err != nil {
			return nil, err
		}
	}
	if m.names == nil {
		return nil, fmt.Errorf("%w: no names", ErrMalformed)
	}
	out := append([]byte(nil), wasm[:8]...)
	for _, s := range sections {
		switch {
		case s.ID == sectionCode:
			body, err := m.code(s.Body, accept)
			if err != nil {
				return nil, err
			}
			out = binary.AppendUvarint(append(out, s.ID), uint64(len(body)))
			out = append(out, body...)
		case s.ID == wasmsection.IDCustom && (s.Name == "name" || strings.HasPrefix(s.Name, ".debug_")):
		default:
			out = append(out, wasm[s.Start:s.End]...)
		}
	}
	return out, nil
}

// module is what the code of a function refers to.
type module struct {
	imports int
	names   map[int]string // of functions, by index
}

// code straightens the functions of a code section.
func (m *module) code(body []byte, accept func(name string) bool) ([]byte, error) {
	r := read(body)
	count := r.number()
	out := binary.AppendUvarint(make([]byte, 0, len(body)), uint64(count))
	for i := range count {
		f := r.Bytes(r.U32())
		if r.Bad() {
			return nil, fmt.Errorf("%w: code section", ErrMalformed)
		}
		if index := m.imports + i; accept(m.names[index]) {
			straight, err := m.function(f, int64(firstPC+i))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.names[index], err)
			}
			f = straight
		}
		out = append(binary.AppendUvarint(out, uint64(len(f))), f...)
	}
	return out, nil
}

// functionsImported counts the functions of an import section.
func functionsImported(body []byte) (n int, err error) {
	r := read(body)
	for range r.number() {
		r.Bytes(r.U32())
		r.Bytes(r.U32())
		if kind := r.Byte(); kind != 0 {
			return 0, fmt.Errorf("%w: an import of kind %d", ErrMalformed, kind)
		}
		r.number()
		n++
	}
	if r.Bad() {
		return 0, fmt.Errorf("%w: import section", ErrMalformed)
	}
	return n, nil
}

// functionNames reads the names of functions in a name section.
func functionNames(body []byte) (map[int]string, error) {
	const functions = 1
	names := make(map[int]string)
	for r := read(body); r.More(); {
		kind := r.Byte()
		sub := read(r.Bytes(r.U32()))
		if kind == functions {
			for range sub.number() {
				index := sub.number()
				names[index] = string(sub.Bytes(sub.U32()))
			}
		}
		if r.Bad() || sub.Bad() {
			return nil, fmt.Errorf("%w: name section", ErrMalformed)
		}
	}
	return names, nil
}
