package match

import "math/bits"

// class is a set of bytes.
type class [4]uint64

func only(b byte) (c class) {
	c.add(b)
	return c
}

func (c *class) add(b byte)      { c[b>>6] |= 1 << (b & 63) }
func (c *class) has(b byte) bool { return c[b>>6]>>(b&63)&1 != 0 }

func (c *class) addRange(from, to byte) {
	for b := int(from); b <= int(to); b++ {
		c.add(byte(b))
	}
}

func (c class) size() int {
	n := 0
	for _, word := range c {
		n += bits.OnesCount64(word)
	}
	return n
}

// folded adds the other case of each letter.
func (c class) folded() class {
	for b := byte('a'); b <= 'z'; b++ {
		if upper := b - 'a' + 'A'; c.has(b) || c.has(upper) {
			c.add(b)
			c.add(upper)
		}
	}
	return c
}

// lower returns the bytes of c with letters in lower case, in order.
func (c class) lower() []byte {
	var low class
	for b := range 256 {
		if c.has(byte(b)) {
			low.add(fold(byte(b)))
		}
	}
	out := make([]byte, 0, low.size())
	for b := range 256 {
		if low.has(byte(b)) {
			out = append(out, byte(b))
		}
	}
	return out
}

func fold(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}
