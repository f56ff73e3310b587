package normalise

import (
	"math/bits"
	"unicode/utf8"
)

// class is a set of bytes.
type class [256]bool

func classOf(members string) (c class) {
	for _, b := range []byte(members) {
		c[b] = true
	}
	return c
}

// nextRun finds the first run of at least minRun bytes of a class that begins
// at from or later, as long as it is; start is len(s) where there is none.
// From the end of each place for a run it looks back to what interrupts one, so
// that it reads a fraction of an ordinary text.
func (c *class) nextRun(s string, from int) (start, end int) {
	for start = from; start+minRun <= len(s); {
		i := start + minRun - 1
		for i >= start && c[s[i]] {
			i--
		}
		if i < start {
			return start, c.endOf(s, start+minRun)
		}
		start = i + 1
	}
	return len(s), len(s)
}

// endOf returns where the run that goes on at from ends.
func (c *class) endOf(s string, from int) int {
	for from < len(s) && c[s[from]] {
		from++
	}
	return from
}

const (
	ones  = 0x0101010101010101
	highs = ones << 7
)

// load returns the eight bytes at i, the first in the low byte.
func load(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// loadPadded is load with zeros for what lies behind the end.
func loadPadded(s string, i int) (word uint64) {
	if i+8 <= len(s) {
		return load(s, i)
	}
	for j := len(s) - 1; j >= i; j-- {
		word = word<<8 | uint64(s[j])
	}
	return word
}

// letters sets the high bit of every byte that is a letter of ASCII.
func letters(word uint64) uint64 {
	folded := (word | 0x20*ones) &^ highs
	return (folded + (0x80-'a')*ones) &^ (folded + (0x80-'z'-1)*ones) &^ word & highs
}

// survey tells whether a text is ASCII, and whether it has controls that are no
// white space.
func survey(s string) (isASCII, controls bool) {
	var high, control uint64
	i := 0
	for ; i+8 <= len(s); i += 8 {
		word := load(s, i)
		high |= word
		control |= controlsIn(word)
	}
	for ; i < len(s); i++ {
		high |= uint64(s[i])
		if isControl(s[i]) {
			control = highs
		}
	}
	return high&highs == 0, control != 0
}

// controlsIn sets the high bit of every byte for which isControl holds.
func controlsIn(word uint64) uint64 {
	low := word &^ highs
	white := (low + (0x80-'\t')*ones) &^ (low + (0x80-'\r'-1)*ones)
	return (^(low+(0x80-' ')*ones)&^white | (low + ones)) &^ word & highs
}

func isControl(c byte) bool { return c == 0 || unreadable[c] }

func ascii(s string) bool { return asciiPrefix(s) == len(s) }

// asciiPrefix is the length of what comes before the first byte of a character
// outside of ASCII.
func asciiPrefix(s string) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if high := load(s, i) & highs; high != 0 {
			return i + bits.TrailingZeros64(high)/8
		}
	}
	for ; i < len(s) && s[i] < utf8.RuneSelf; i++ {
	}
	return i
}
