package match

import "fmt"

// Bounds of an automaton.
const (
	maxStates    = 1 << 20
	maxRows      = 32 << 20 // bytes of full rows
	maxEndings   = 1 << 20  // anchors that end at states, counted at each
	maxWorkAtEnd = 1024     // bytes compared where anchors end
)

// Automaton finds its patterns. It is immutable and safe for concurrent use.
//
// States where anchors part, and the first two levels, have a full row of
// transitions. The others have one way on at most, and lie behind one another
// along it: far from where anchors part, eight of them share a cache line. On
// any other byte such a state is left for its longest proper suffix, which is
// asked in its place. That happens at most once for each byte read before.
type Automaton struct {
	rows      []uint32 // of the states below branching, as targets
	chain     []link   // the states from branching on
	branching uint32
	column    [256]uint8 // of a byte in a row; letters fold here
	shift     uint       // a row has 1<<shift columns
	depth     []uint8    // by state, gramBytes for all that is as deep or deeper
	endings   []int32    // patterns by state
	ending    []span     // what ends at a state, in endings
	known     []known
	places    []uint16 // classes of what is compared, by pattern
	sets      []class
	filter    filter
	paired    bool // the filter has pairs beside its grams
}

// A target is a state and what is to be known when it is reached.
const (
	accepts   = 1 << 31 // anchors end there
	deep      = 1 << 30 // its depth is gramBytes or more
	stateMask = 1<<24 - 1
)

// link is a state of a chain: the target on one column, and the suffix.
type link struct{ target, columnAndSuffix uint32 }

// noColumn is that of a state where a chain ends. Rows have at most 231 columns.
const noColumn = 0xff

type span struct{ from, to uint32 }

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
	if err := b.number(); err != nil {
		return nil, err
	}
	if err := b.link(); err != nil {
		return nil, err
	}
	b.a.paired = b.a.filter.build(b.anchors)
	return &b.a, nil
}

// anchored is what the automaton and its filter see of a pattern.
type anchored struct {
	paths [][]byte // the anchor's bytes, folded, by position
	ahead []class  // the same and what follows it, at least as far as the filter looks
}
