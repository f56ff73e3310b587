package match

import (
	"fmt"
	"math/bits"
	"slices"
)

// builder makes an automaton: patterns become a trie of their anchors, its nodes
// become numbered states, and states learn where they go when they fail.
type builder struct {
	a       Automaton
	anchors []anchored
	sets    map[class]uint16
	trie    []node   // the root first
	own     []ending // what ends at nodes, as lists
}

// node is a node of the trie. Numbers of nodes and endings are 0 for none: the
// root is nobody's child, and ends nothing.
type node struct {
	child, sibling uint32 // the first child, the next one of the same parent
	own            uint32 // the first of what ends here, in builder.own, from 1
	state          uint32
	depth          uint16
	column         uint8 // on which its parent leads here
}

type ending struct {
	pattern int32
	next    uint32
}

// read adds a pattern to what is known.
func (b *builder) read(p Pattern) error {
	seq, err := p.positions()
	if err != nil {
		return err
	}
	at := anchor{0, len(seq)}
	if p.Shape != "" {
		if at, err = anchorOf(seq); err != nil {
			return err
		}
	}
	k := known{bytes: int32(len(seq)), tail: int32(len(seq) - at.to), places: uint32(len(b.a.places)), whole: p.Shape == "" && !p.Exact}
	if !k.whole {
		for _, c := range seq {
			b.a.places = append(b.a.places, b.set(c))
		}
	}
	b.a.known = append(b.a.known, k)
	x := anchored{ahead: seq[at.from:min(len(seq), max(at.to, at.from+headBytes))]}
	for _, c := range seq[at.from:at.to] {
		x.paths = append(x.paths, c.lower())
	}
	b.anchors = append(b.anchors, x)
	return nil
}

func (b *builder) set(c class) uint16 {
	id, ok := b.sets[c]
	if !ok {
		id = uint16(len(b.a.sets))
		b.sets[c] = id
		b.a.sets = append(b.a.sets, c)
	}
	return id
}

// columns gives each byte that occurs in an anchor a column; the others share
// the first.
func (b *builder) columns() {
	var used class
	for _, x := range b.anchors {
		for _, ways := range x.paths {
			for _, c := range ways {
				used.add(c)
			}
		}
	}
	n := uint8(0) // at most 230: bytes that are no upper-case letter
	for c := range 256 {
		if used.has(byte(c)) {
			n++
			b.a.column[c] = n
		}
	}
	for c := byte('A'); c <= 'Z'; c++ {
		b.a.column[c] = b.a.column[fold(c)]
	}
	b.a.shift = uint(bits.Len8(n))
	b.trie = make([]node, 1)
}

// insert adds every literal that the anchor of a pattern stands for.
func (b *builder) insert(pattern int) error {
	nodes := []uint32{0}
	for _, ways := range b.anchors[pattern].paths {
		deeper := make([]uint32, 0, len(nodes)*len(ways))
		for _, at := range nodes {
			for _, c := range ways {
				child, err := b.child(at, b.a.column[c])
				if err != nil {
					return err
				}
				deeper = append(deeper, child)
			}
		}
		nodes = deeper
	}
	for _, at := range nodes {
		b.own = append(b.own, ending{int32(pattern), b.trie[at].own})
		b.trie[at].own = uint32(len(b.own))
	}
	return nil
}

func (b *builder) child(parent uint32, column uint8) (uint32, error) {
	for child := b.trie[parent].child; child != 0; child = b.trie[child].sibling {
		if b.trie[child].column == column {
			return child, nil
		}
	}
	child := uint32(len(b.trie))
	if child >= maxStates {
		return 0, fmt.Errorf("%w: more than %d states", ErrPattern, maxStates)
	}
	b.trie = append(b.trie, node{sibling: b.trie[parent].child, depth: b.trie[parent].depth + 1, column: column})
	b.trie[parent].child = child
	return child, nil
}

// branches tells which nodes have a row: the first two levels, and those with
// several children.
func (b *builder) branches(n *node) bool {
	return n.depth < 2 || n.child != 0 && b.trie[n.child].sibling != 0
}

// number gives the nodes with rows the first states, the root being 0, and
// those without the others, along their chains.
func (b *builder) number() error {
	a := &b.a
	for i := range b.trie {
		if b.branches(&b.trie[i]) {
			b.trie[i].state = a.branching
			a.branching++
		}
	}
	if size := int(a.branching) << a.shift * 4; size > maxRows {
		return fmt.Errorf("%w: transitions of %d bytes, at most %d", ErrPattern, size, maxRows)
	}
	next := a.branching
	for i := range b.trie {
		for n := &b.trie[i]; n.state == 0 && i > 0 && !b.branches(n); n = &b.trie[n.child] {
			n.state = next
			next++
			if n.child == 0 {
				break
			}
		}
	}
	a.rows = make([]uint32, int(a.branching)<<a.shift)
	a.chain = make([]link, next-a.branching)
	a.depth = make([]uint8, next)
	a.ending = make([]span, next)
	return nil
}

// link gives the states their transitions, nearest to the root first: a suffix
// is shorter than what it is a suffix of. The row of a state is that of its
// suffix but where it has children, and what ends at the suffix ends there too.
func (b *builder) link() error {
	a := &b.a
	width := 1 << a.shift
	type queued struct{ node, suffix uint32 } // suffix is a state
	queue := append(make([]queued, 0, len(b.trie)), queued{})
	for i := 0; i < len(queue); i++ {
		n, suffix := &b.trie[queue[i].node], queue[i].suffix
		a.depth[n.state] = uint8(min(n.depth, gramBytes))
		if err := b.end(n, suffix); err != nil {
			return err
		}
		for at := n.child; at != 0; at = b.trie[at].sibling {
			q := queued{node: at}
			if i > 0 {
				q.suffix = a.step(suffix, b.trie[at].column) & stateMask
			}
			queue = append(queue, q)
		}
		if n.state >= a.branching {
			a.chain[n.state-a.branching] = link{columnAndSuffix: noColumn<<24 | suffix}
			if n.child != 0 {
				child := &b.trie[n.child]
				a.chain[n.state-a.branching] = link{child.state, uint32(child.column)<<24 | suffix}
			}
			continue
		}
		row := a.rows[int(n.state)<<a.shift:][:width]
		for column := range row {
			if i > 0 {
				row[column] = a.step(suffix, uint8(column))
			}
		}
		for at := n.child; at != 0; at = b.trie[at].sibling {
			row[b.trie[at].column] = b.trie[at].state
		}
	}
	b.mark()
	return nil
}

// step returns the target of a state on a column.
func (a *Automaton) step(state uint32, column uint8) uint32 {
	for state >= a.branching {
		l := a.chain[state-a.branching]
		if uint8(l.columnAndSuffix>>24) == column {
			return l.target
		}
		state = l.columnAndSuffix & stateMask
	}
	return a.rows[int(state)<<a.shift+int(column)]
}

// end lists what ends at a state.
func (b *builder) end(n *node, suffix uint32) error {
	a := &b.a
	from := len(a.endings)
	for e := n.own; e != 0; e = b.own[e-1].next {
		a.endings = append(a.endings, b.own[e-1].pattern)
	}
	if n.depth > 0 {
		a.endings = append(a.endings, a.endings[a.ending[suffix].from:a.ending[suffix].to]...)
	}
	mine := a.endings[from:]
	slices.Sort(mine)
	work := 0
	for _, id := range mine {
		if work++; !a.known[id].whole {
			work += int(a.known[id].bytes)
		}
	}
	a.ending[n.state] = span{uint32(from), uint32(len(a.endings))}
	switch {
	case work > maxWorkAtEnd:
		return fmt.Errorf("%w: %d patterns can end at one byte, more than %d bytes to compare there", ErrPattern, len(mine), maxWorkAtEnd)
	case len(a.endings) > maxEndings:
		return fmt.Errorf("%w: patterns end in one another more than %d times", ErrPattern, maxEndings)
	}
	return nil
}

// mark makes targets of states.
func (b *builder) mark() {
	a := &b.a
	mark := func(target *uint32) {
		state := *target
		if a.ending[state].from < a.ending[state].to {
			*target |= accepts
		}
		if a.depth[state] == gramBytes {
			*target |= deep
		}
	}
	for i := range a.rows {
		mark(&a.rows[i])
	}
	for i := range a.chain {
		if uint8(a.chain[i].columnAndSuffix>>24) != noColumn {
			mark(&a.chain[i].target)
		}
	}
}
