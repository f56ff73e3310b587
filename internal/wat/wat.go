// Package wat assembles WebAssembly text: the guests that tests are written
// against stand in files that a reader can follow, and a broken one is the same
// file with a line changed.
//
// It takes the part of the text format (core specification 2.0, §6) that such
// guests need: folded instructions, names for everything, one memory, functions,
// mutable globals, active data and custom sections. It checks no types, which is
// for engines to do, and must not be used on anything but our own files.
package wat

import (
	"errors"
	"fmt"
)

// ErrSyntax means that a text is not of the part that this package takes.
var ErrSyntax = errors.New("WebAssembly text")

// node is an atom, a string or a list.
type node struct {
	line int
	atom string
	text *string // of a string
	list []node  // nil for the others
}

// head is the first atom of a list.
func (n node) head() string {
	if len(n.list) > 0 {
		return n.list[0].atom
	}
	return ""
}

func (n node) bad(format string, args ...any) error {
	return fmt.Errorf("%w: line %d: %s", ErrSyntax, n.line, fmt.Sprintf(format, args...))
}

// Assemble returns the binary of one module.
func Assemble(src string) (wasm []byte, err error) {
	p := parser{src: src, line: 1}
	root, err := p.parse()
	if err != nil {
		return nil, err
	}
	if root.head() != "module" {
		return nil, root.bad("no module")
	}
	m := newModule()
	for _, field := range root.list[1:] {
		if err := m.declare(field); err != nil {
			return nil, err
		}
	}
	for _, field := range root.list[1:] {
		if err := m.define(field); err != nil {
			return nil, err
		}
	}
	return m.binary(), nil
}
