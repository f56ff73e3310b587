package match

import "slices"

// gramBytes is how far the filter looks ahead of the place it judges.
const gramBytes = 4

const (
	gramBits   = 17
	gramWays   = 256        // grams that the beginning of one anchor may stand for
	gramFactor = 0x9E3779B1 // 2^32 divided by the golden ratio
	gramStep   = 5          // places that eight bytes of text decide
	buckets    = 8
)

// filter passes over places where no anchor begins. It has a bitmap of hashed
// grams, which are the first four bytes of anchors with all digits and both cases
// of letters alike. Anchors that are shorter, or begin with other classes, are in
// eight buckets: byte j of lanes[b] tells in which of them b may stand at
// position j. Both fit into the first-level cache.
type filter struct {
	grams *[1 << gramBits / 64]uint64
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

// build reports whether there is anything in the buckets.
func (f *filter) build(anchors []anchored) bool {
	f.grams = new([1 << gramBits / 64]uint64)
	f.lanes = new([256]uint32)
	var wide [][gramBytes]class
	for _, x := range anchors {
		var first [gramBytes]class
		ways := 1
		for j := range first {
			first[j] = class{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}
			if j < len(x.ahead) {
				first[j] = x.ahead[j]
			}
			if ways <= gramWays {
				ways *= len(first[j].hashed())
			}
		}
		if ways <= gramWays {
			f.addGrams(first, 0, 0)
		} else {
			wide = append(wide, first)
		}
	}
	f.addLanes(wide)
	return len(wide) > 0
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

func (f *filter) addGrams(first [gramBytes]class, j int, x uint64) {
	if j == gramBytes {
		h := hash(x)
		f.grams[h>>6] |= 1 << (h & 63)
		return
	}
	for _, b := range first[j].hashed() {
		f.addGrams(first, j+1, x|uint64(b)<<(8*j))
	}
}

// addLanes spreads sequences over the buckets. Neighbours in order begin alike,
// so that together they let little through.
func (f *filter) addLanes(wide [][gramBytes]class) {
	slices.SortFunc(wide, func(x, y [gramBytes]class) int {
		for j := range x {
			if c := slices.Compare(x[j][:], y[j][:]); c != 0 {
				return c
			}
		}
		return 0
	})
	wide = slices.Compact(wide)
	for i, first := range wide {
		bucket := i * buckets / len(wide)
		for j, c := range first {
			for b := range 256 {
				if c.has(byte(b)) {
					f.lanes[b] |= 1 << (8*j + bucket)
				}
			}
		}
	}
}

// next returns the first place from i on where an anchor may begin. From the
// last three places of a text on, which it cannot judge, every place is one.
func (f *filter) next(text string, i int) int {
	grams := f.grams
	for ; i+8 <= len(text); i += gramStep {
		x := alike(load64(text, i))
		h0, h1, h2, h3, h4 := hash(x), hash(x>>8), hash(x>>16), hash(x>>24), hash(x>>32)
		if (grams[h0>>6]>>(h0&63)|grams[h1>>6]>>(h1&63)|grams[h2>>6]>>(h2&63)|
			grams[h3>>6]>>(h3&63)|grams[h4>>6]>>(h4&63))&1 != 0 {
			for ; grams[h0>>6]>>(h0&63)&1 == 0; h0 = hash(x) {
				x >>= 8
				i++
			}
			return i
		}
	}
	for ; i+gramBytes <= len(text) && !f.may(text[i:i+gramBytes]); i++ {
	}
	return i
}

// nextClassed is next where there is something in the buckets.
func (f *filter) nextClassed(text string, i int) int {
	grams, lanes := f.grams, f.lanes
	for ; i+8 <= len(text); i += gramStep {
		raw := load64(text, i)
		x := alike(raw)
		h0, h1, h2, h3, h4 := hash(x), hash(x>>8), hash(x>>16), hash(x>>24), hash(x>>32)
		hit := uint32(grams[h0>>6]>>(h0&63)|grams[h1>>6]>>(h1&63)|grams[h2>>6]>>(h2&63)|
			grams[h3>>6]>>(h3&63)|grams[h4>>6]>>(h4&63)) & 1
		l1, l2, l3, l4 := lanes[byte(raw>>8)], lanes[byte(raw>>16)], lanes[byte(raw>>24)], lanes[byte(raw>>32)]
		l5, l6, l7 := lanes[byte(raw>>40)], lanes[byte(raw>>48)], lanes[byte(raw>>56)]
		hit |= (lanes[byte(raw)]&(l1>>8)&(l2>>16)&(l3>>24) | l1&(l2>>8)&(l3>>16)&(l4>>24) |
			l2&(l3>>8)&(l4>>16)&(l5>>24) | l3&(l4>>8)&(l5>>16)&(l6>>24) | l4&(l5>>8)&(l6>>16)&(l7>>24)) & 0xff
		if hit != 0 {
			break
		}
	}
	for ; i+gramBytes <= len(text) && !f.may(text[i:i+gramBytes]); i++ {
	}
	return i
}

// may reports whether an anchor may begin with the four bytes of s.
func (f *filter) may(s string) bool {
	h := hash(alike(uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24))
	return f.grams[h>>6]>>(h&63)&1 != 0 || f.lanes[s[0]]&(f.lanes[s[1]]>>8)&(f.lanes[s[2]]>>16)&(f.lanes[s[3]]>>24) != 0
}

func load64(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}
