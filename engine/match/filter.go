package match

import (
	"math/bits"
	"slices"
)

// gramBytes is how far the filter looks ahead of the place it judges.
const gramBytes = 4

// headBytes is how far it looks where it found a gram.
const headBytes = 8

const (
	gramBits   = 17
	gramWays   = 256                // grams that the beginning of one anchor may stand for
	gramFactor = 0x9E3779B1         // 2^32 divided by the golden ratio
	headFactor = 0x9E3779B97F4A7C15 // 2^64 divided by it
	gramStep   = 5                  // places that eight bytes of text decide
	buckets    = 8
)

// filter passes over places where no anchor begins. It has a bitmap of hashed
// grams, which are the first four bytes of anchors with all digits and both cases
// of letters alike, and one of pairs, the first two bytes of anchors whose grams
// would be too many. Both fit into the first-level cache.
//
// Words of ordinary text begin like anchors all the time, so that more is asked
// before the automaton is. Behind a gram the anchor has to go on as the text
// does, for as many of its first eight bytes as stand for few literals. Anchors
// behind pairs are in eight buckets: byte j of lanes[b] tells in which of them b
// may stand at position j.
type filter struct {
	grams *[1 << gramBits / 64]uint64
	pairs *[1 << 16 / 64]uint64
	reach *[1 << gramBits]uint8       // by hash of a gram: how many bytes are in heads
	heads *[1 << gramBits / 64]uint64 // hashed beginnings of anchors, of that length
	lanes *[256]uint32
}

// alike makes one byte of each digit, and of both cases of each letter, in all
// eight bytes of x. Some other bytes fall together as well.
func alike(x uint64) uint64 {
	const ones = 0x0101010101010101
	x |= 0x20 * ones
	threes := x >> 4 &^ (x >> 6) &^ (x >> 7) & ones // bytes of 0x30 to 0x3f
	return x &^ (threes<<4 - threes)
}

// hash of the first four bytes of x.
func hash(x uint64) uint32 { return uint32(x) * gramFactor >> (32 - gramBits) }

// headHash is hash for the first n bytes of x.
func headHash(x uint64, n uint8) uint32 {
	return uint32(x << (64 - 8*n) * headFactor >> (64 - gramBits))
}

// build reports whether there are pairs.
func (f *filter) build(anchors []anchored) bool {
	f.grams, f.heads = new([1 << gramBits / 64]uint64), new([1 << gramBits / 64]uint64)
	f.lanes, f.reach, f.pairs = new([256]uint32), new([1 << gramBits]uint8), new([1 << 16 / 64]uint64)
	var wide, narrow [][]class
	for _, x := range anchors {
		head := x.head()
		if n := few(head); n >= gramBytes {
			narrow = append(narrow, head[:n])
		} else {
			wide = append(wide, head[:gramBytes])
		}
	}
	for _, head := range narrow { // those with a gram in common are asked for as far as all of them reach
		eachLiteral(head[:gramBytes], 0, 0, func(x uint64) { f.addGram(x, uint8(len(head))) })
	}
	for _, head := range narrow {
		f.addHeads(head)
	}
	f.addLanes(wide)
	return len(wide) > 0
}

// head is what the filter looks at of an anchor; behind a short one stands anything.
func (x *anchored) head() []class {
	head := x.ahead[:min(len(x.ahead), headBytes)]
	for len(head) < gramBytes {
		head = append(slices.Clip(head), class{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)})
	}
	return head
}

// few is how many of the first bytes stand for few literals together.
func few(head []class) int {
	ways := 1
	for j := range head {
		if ways *= len(head[j].hashed()); ways > gramWays {
			return j
		}
	}
	return len(head)
}

// hashed returns the bytes of c as they are hashed.
func (c class) hashed() []byte {
	var low class
	var out []byte
	for b := range 256 {
		if l := byte(alike(uint64(b))); c.has(byte(b)) && !low.has(l) {
			low.add(l)
			out = append(out, l)
		}
	}
	return out
}

// eachLiteral calls yield with every literal that classes stand for, as it is
// hashed. Those before j are in x.
func eachLiteral(of []class, j int, x uint64, yield func(x uint64)) {
	if j == len(of) {
		yield(x)
		return
	}
	for _, b := range of[j].hashed() {
		eachLiteral(of, j+1, x|uint64(b)<<(8*j), yield)
	}
}

func (f *filter) addGram(x uint64, reach uint8) {
	h := hash(x)
	f.grams[h>>6] |= 1 << (h & 63)
	if f.reach[h] == 0 || reach < f.reach[h] {
		f.reach[h] = reach
	}
}

func (f *filter) addHeads(head []class) {
	eachLiteral(head, 0, 0, func(x uint64) {
		h := headHash(x, f.reach[hash(x)])
		f.heads[h>>6] |= 1 << (h & 63)
	})
}

// addLanes spreads sequences over the buckets. Neighbours in order begin alike,
// so that together they let little through.
func (f *filter) addLanes(wide [][]class) {
	slices.SortFunc(wide, func(x, y []class) int {
		return slices.CompareFunc(x, y, func(a, b class) int { return slices.Compare(a[:], b[:]) })
	})
	wide = slices.CompactFunc(wide, slices.Equal)
	for i, first := range wide {
		bucket := i * buckets / len(wide)
		f.addPairs(first[0], first[1])
		for j, c := range first {
			for b := range 256 {
				if c.has(byte(b)) {
					f.lanes[b] |= 1 << (8*j + bucket)
				}
			}
		}
	}
}

func (f *filter) addPairs(first, second class) {
	for a := range 256 {
		if !first.has(byte(a)) {
			continue
		}
		for b := range 256 {
			if pair := b<<8 | a; second.has(byte(b)) {
				f.pairs[pair>>6] |= 1 << (pair & 63)
			}
		}
	}
}

// next returns the first place from i on where an anchor may begin. Of the last
// places of a text it knows little, and from the last three on every place is one.
func (f *filter) next(text string, i int) int {
	grams := f.grams
	for ; i+8 <= len(text); i += gramStep {
		x := alike(load64(text, i))
		h0, h1, h2, h3, h4 := hash(x), hash(x>>8), hash(x>>16), hash(x>>24), hash(x>>32)
		g0, g1, g2, g3, g4 := grams[h0>>6]>>(h0&63), grams[h1>>6]>>(h1&63), grams[h2>>6]>>(h2&63), grams[h3>>6]>>(h3&63), grams[h4>>6]>>(h4&63)
		if (g0|g1|g2|g3|g4)&1 == 0 {
			continue
		}
		if at := f.first(text, i, g0&1|g1&1<<1|g2&1<<2|g3&1<<3|g4&1<<4); at >= 0 {
			return at
		}
	}
	return f.last(text, i)
}

// nextPaired is next where there are pairs.
func (f *filter) nextPaired(text string, i int) int {
	grams, pairs := f.grams, f.pairs
	for ; i+8 <= len(text); i += gramStep {
		raw := load64(text, i)
		x := alike(raw)
		h0, h1, h2, h3, h4 := hash(x), hash(x>>8), hash(x>>16), hash(x>>24), hash(x>>32)
		p0, p1, p2, p3, p4 := uint16(raw), uint16(raw>>8), uint16(raw>>16), uint16(raw>>24), uint16(raw>>32)
		g0 := grams[h0>>6]>>(h0&63) | pairs[p0>>6]>>(p0&63)
		g1 := grams[h1>>6]>>(h1&63) | pairs[p1>>6]>>(p1&63)
		g2 := grams[h2>>6]>>(h2&63) | pairs[p2>>6]>>(p2&63)
		g3 := grams[h3>>6]>>(h3&63) | pairs[p3>>6]>>(p3&63)
		g4 := grams[h4>>6]>>(h4&63) | pairs[p4>>6]>>(p4&63)
		if (g0|g1|g2|g3|g4)&1 == 0 {
			continue
		}
		if at := f.first(text, i, g0&1|g1&1<<1|g2&1<<2|g3&1<<3|g4&1<<4); at >= 0 {
			return at
		}
	}
	return f.last(text, i)
}

// first returns the first place where an anchor may begin of those whose bit is
// set, counted from i, or -1.
func (f *filter) first(text string, i int, places uint64) int {
	for ; places != 0; places &= places - 1 {
		if at := i + bits.TrailingZeros64(places); f.may(text[at:]) {
			return at
		}
	}
	return -1
}

// last is next for what is shorter than a word of the processor.
func (f *filter) last(text string, i int) int {
	for ; i+gramBytes <= len(text) && !f.may(text[i:]); i++ {
	}
	return i
}

// may reports whether an anchor may begin with s, which is at least a gram.
func (f *filter) may(s string) bool {
	if f.lanes[s[0]]&(f.lanes[s[1]]>>8)&(f.lanes[s[2]]>>16)&(f.lanes[s[3]]>>24) != 0 {
		return true
	}
	if len(s) < headBytes {
		h := hash(alike(uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24))
		return f.grams[h>>6]>>(h&63)&1 != 0
	}
	x := alike(load64(s, 0))
	h := hash(x)
	if f.grams[h>>6]>>(h&63)&1 == 0 {
		return false
	}
	h = headHash(x, f.reach[h])
	return f.heads[h>>6]>>(h&63)&1 != 0
}

func load64(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}
