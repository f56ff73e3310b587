// Package phrases holds what the guests of the benchmarks search for, and the
// automaton that they search with, as the guests in C and Rust have it. It is
// for guests and benchmarks: the engine's own is engine/match.
package phrases

import (
	_ "embed"
	"strings"
)

//go:embed phrases.txt
var lines string

// All are 63 marks of injections and secrets, in lower case.
var All = strings.Split(strings.TrimSpace(lines), "\n")

// Automaton finds phrases, ASCII letters of either case alike. The state at the
// beginning is 0.
type Automaton struct {
	Class [256]uint8   // of a byte; 0 is in no phrase
	Next  [][64]uint16 // by state and class
	Ends  []uint8      // by state: 1 + the phrase that ends there
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// New returns the automaton of phrases in lower case.
func New(phrases []string) *Automaton {
	d := &Automaton{Next: make([][64]uint16, 1), Ends: make([]uint8, 1)}
	classes := uint8(1)
	for _, p := range phrases {
		for _, c := range []byte(p) {
			if d.Class[lower(c)] == 0 {
				d.Class[lower(c)] = classes
				classes++
			}
		}
	}
	for c := 'A'; c <= 'Z'; c++ {
		d.Class[c] = d.Class[c+'a'-'A']
	}
	for i, p := range phrases {
		at := uint16(0)
		for _, c := range []byte(p) {
			to := d.Next[at][d.Class[c]]
			if to == 0 {
				to = uint16(len(d.Next))
				d.Next, d.Ends = append(d.Next, [64]uint16{}), append(d.Ends, 0)
				d.Next[at][d.Class[c]] = to
			}
			at = to
		}
		d.Ends[at] = uint8(i + 1)
	}
	d.complete(classes)
	return d
}

// complete fills in where a failed transition leads, breadth first.
func (d *Automaton) complete(classes uint8) {
	fail := make([]uint16, len(d.Next))
	var queue []uint16
	for _, to := range d.Next[0] {
		if to != 0 {
			queue = append(queue, to)
		}
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if d.Ends[at] == 0 {
			d.Ends[at] = d.Ends[fail[at]]
		}
		for c := range classes {
			other := d.Next[fail[at]][c]
			if to := d.Next[at][c]; to != 0 {
				fail[to] = other
				queue = append(queue, to)
			} else {
				d.Next[at][c] = other
			}
		}
	}
}
