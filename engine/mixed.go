package engine

import "math/bits"

// mixedWord reports a letter of ASCII beside a digit, or behind an apostrophe
// that stands behind a letter or a digit: words in which digits stand for letters are
// so, and words that were torn apart. It passes over eight bytes at a time that
// are neither digits nor apostrophes.
func mixedWord(s string) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 {
		b := s[i : i+8]
		v := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		digits := v&(ones*0xf0) ^ ones*0x30 // bytes from 0x30 to 0x3f are zero
		apostrophes := v ^ ones*'\''
		for m := ((digits-ones)&^digits | (apostrophes-ones)&^apostrophes) & highs; m != 0; m &= m - 1 {
			if mixedAt(s, i+bits.TrailingZeros64(m)/8) {
				return true
			}
		}
	}
	for ; i < len(s); i++ {
		if mixedAt(s, i) {
			return true
		}
	}
	return false
}

func mixedAt(s string, i int) bool {
	before, behind := byte(0), byte(0)
	if i > 0 {
		before = s[i-1]
	}
	if i+1 < len(s) {
		behind = s[i+1]
	}
	switch c := s[i]; {
	case digit(c):
		return letter(before) || letter(behind)
	case c == '\'':
		return (letter(before) || digit(before)) && letter(behind)
	}
	return false
}

func digit(c byte) bool  { return '0' <= c && c <= '9' }
func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
