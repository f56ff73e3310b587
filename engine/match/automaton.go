package match

import (
	"fmt"
	"math/bits"
	"slices"
)

// Bounds of an automaton.
const (
	maxStates    = 1 << 17
	maxTable     = 32 << 20 // bytes of transitions
	maxEndings   = 1 << 20  // anchors that end at states, counted at each
	maxWorkAtEnd = 1024     // bytes compared where anchors end
)

// Automaton finds its patterns. It is immutable and safe for concurrent use.
//
// A state is the place of its row in next; the bit accepts says that anchors
// end there. States are numbered by depth, so that those of the first depths
// are told by a comparison.
type Automaton struct {
	next    []uint32
	column  [256]uint8            // of a byte in a row; letters fold here
	shift   uint                  // a row has 1<<shift columns
	level   [gramBytes + 1]uint32 // level[d] is the first state deeper than d
	endings []int32               // patterns by state
	ending  []uint32              // where those of a row begin in endings
	known   []known
	places  []uint16 // classes of what is compared, by pattern
	sets    []class
	filter  filter
	classed bool // the filter has patterns of classes beside its grams
}

const (
	accepts   = 1 << 31
	stateMask = accepts - 1
)

// known is a pattern as the automaton has it.
type known struct {
	bytes  int32  // length of a match
	tail   int32  // of which follow the anchor
	places uint32 // first of bytes in Automaton.places
	whole  bool   // the anchor is all of it: nothing is compared
}

// Compile makes an automaton. Its errors wrap ErrPattern.
func Compile(patterns []Pattern) (*Automaton, error) {
	if len(patterns) > MaxPatterns {
		return nil, fmt.Errorf("%w: %d of them, at most %d", ErrPattern, len(patterns), MaxPatterns)
	}
	b := builder{sets: make(map[class]uint16)}
	for i, p := range patterns {
		if err := b.read(p); err != nil {
			return nil, fmt.Errorf("pattern %d: %w", i, err)
		}
	}
	b.columns()
	for i := range b.anchors {
		if err := b.insert(i); err != nil {
			return nil, fmt.Errorf("pattern %d: %w", i, err)
		}
	}
	if err := b.link(); err != nil {
		return nil, err
	}
	b.a.classed = b.a.filter.build(b.anchors)
	return &b.a, nil
}

type builder struct {
	a       Automaton
	anchors []anchored
	sets    map[class]uint16
	trie    []uint32  // rows of children; 0 is none, since the root is nobody's child
	own     [][]int32 // patterns whose anchors end at a node
}

// anchored is what the automaton and its filter see of a pattern.
type anchored struct {
	paths [][]byte // the anchor's bytes, folded, by position
	ahead []class  // the same and what follows it, at least as far as the filter looks
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
	x := anchored{ahead: seq[at.from:min(len(seq), max(at.to, at.from+gramBytes))]}
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
	b.trie = make([]uint32, 1<<b.a.shift)
	b.own = make([][]int32, 1)
}

// insert adds every literal that the anchor of a pattern stands for.
func (b *builder) insert(pattern int) error {
	nodes := []uint32{0}
	for _, ways := range b.anchors[pattern].paths {
		deeper := make([]uint32, 0, len(nodes)*len(ways))
		for _, node := range nodes {
			for _, c := range ways {
				child, err := b.child(node, c)
				if err != nil {
					return err
				}
				deeper = append(deeper, child)
			}
		}
		nodes = deeper
	}
	for _, node := range nodes {
		b.own[node] = append(b.own[node], int32(pattern))
	}
	return nil
}

func (b *builder) child(node uint32, c byte) (uint32, error) {
	slot := node<<b.a.shift + uint32(b.a.column[c])
	if child := b.trie[slot]; child != 0 {
		return child, nil
	}
	child := uint32(len(b.own))
	switch {
	case child >= maxStates:
		return 0, fmt.Errorf("%w: more than %d states", ErrPattern, maxStates)
	case 4*(len(b.trie)+1<<b.a.shift) > maxTable:
		return 0, fmt.Errorf("%w: transitions of more than %d bytes", ErrPattern, maxTable)
	}
	b.trie[slot] = child
	b.trie = append(b.trie, make([]uint32, 1<<b.a.shift)...)
	b.own = append(b.own, nil)
	return child, nil
}

// link numbers the nodes by depth and makes the automaton of them: the row of a
// state is that of its longest proper suffix but where it has children. What
// ends at the suffix ends at the state too.
func (b *builder) link() error {
	a, shift := &b.a, b.a.shift
	width := 1 << shift
	type node struct{ trie, suffix uint32 } // suffix is a state, its row is done
	order := append(make([]node, 0, len(b.own)), node{})
	a.next = make([]uint32, 0, len(b.trie))
	depthEnd := 1
	for state, depth := 0, 0; state < len(order); state++ {
		if state == depthEnd {
			depth++
			depthEnd = len(order)
		}
		for d := depth; d < len(a.level); d++ {
			a.level[d] = uint32(state+1) << shift
		}
		n := order[state]
		a.next = a.next[:len(a.next)+width]
		row := a.next[len(a.next)-width:]
		copy(row, a.next[n.suffix:]) // the root is its own, and zero so far
		for column, child := range b.trie[int(n.trie)<<shift:][:width] {
			if child != 0 {
				order = append(order, node{child, row[column]})
				row[column] = uint32(len(order)-1) << shift
			}
		}
		a.ending = append(a.ending, uint32(len(a.endings)))
		if err := b.end(n.trie, n.suffix>>shift, state); err != nil {
			return err
		}
	}
	a.ending = append(a.ending, uint32(len(a.endings)))
	for i, state := range a.next {
		if row := state >> shift; a.ending[row] < a.ending[row+1] {
			a.next[i] |= accepts
		}
	}
	return nil
}

// end lists what ends at a state.
func (b *builder) end(trie, suffix uint32, state int) error {
	a := &b.a
	a.endings = append(a.endings, b.own[trie]...)
	if state > 0 {
		// The suffix is shorter, so that its own list is complete.
		a.endings = append(a.endings, a.endings[a.ending[suffix]:a.ending[suffix+1]]...)
	}
	mine := a.endings[a.ending[state]:]
	slices.Sort(mine)
	work := 0
	for _, id := range mine {
		if work++; !a.known[id].whole {
			work += int(a.known[id].bytes)
		}
	}
	switch {
	case work > maxWorkAtEnd:
		return fmt.Errorf("%w: %d patterns can end at one byte, more than %d bytes to compare there", ErrPattern, len(mine), maxWorkAtEnd)
	case len(a.endings) > maxEndings:
		return fmt.Errorf("%w: patterns end in one another more than %d times", ErrPattern, maxEndings)
	}
	return nil
}
