package normalise

import (
	"math/bits"
)

// rot13Words are words that hardly occur but in rot13 of English.
var rot13Words = map[string]bool{
	"gur": true, "naq": true, "lbh": true, "lbhe": true, "guvf": true, "gung": true, "jvgu": true, "sebz": true, "abg": true,
	"nyy": true, "nal": true, "cerivbhf": true, "vafgehpgvbaf": true, "vafgehpgvba": true, "vtaber": true, "flfgrz": true,
	"cebzcg": true, "frperg": true, "cnffjbeq": true, "fraq": true, "erirny": true, "qvfertneq": true, "sbyybj": true, "hfre": true,
}

// longestROT13 is the length of the longest of them.
const longestROT13 = 12

// rot13Starts has the bits of startOf for the words.
var rot13Starts = func() (starts [1 << 15 / 64]uint64) {
	for word := range rot13Words {
		n := startOf(word[0], word[1], word[2])
		starts[n/64] |= 1 << (n % 64)
	}
	return starts
}()

// startOf numbers the first three letters of a word, whatever their case.
func startOf(a, b, c byte) int { return int(a&31)<<10 | int(b&31)<<5 | int(c&31) }

// rot13Text rotates a text in which two such words occur.
func rot13Text(s string) string {
	hits := 0
	before := uint64(0) // whether the byte before is a letter, as letters says it
	for i := 0; i+2 < len(s); i += 8 {
		var word uint64
		if i+8 <= len(s) {
			word = load(s, i)
		} else {
			for j := len(s) - 1; j >= i; j-- {
				word = word<<8 | uint64(s[j])
			}
		}
		is := letters(word)
		starts := is &^ (is<<8 | before)
		before = is >> 56
		for ; starts != 0; starts &= starts - 1 {
			at := i + bits.TrailingZeros64(starts)/8
			if at+2 >= len(s) {
				break
			}
			n := startOf(s[at], s[at+1], s[at+2])
			if rot13Starts[n/64]>>(n%64)&1 == 0 || !rot13Word(s[at:]) {
				continue
			}
			if hits++; hits == 2 {
				return rotate(s)
			}
		}
	}
	return ""
}

// rot13Word reports whether s begins with one of the words.
func rot13Word(s string) bool {
	var lower [longestROT13]byte
	n := 0
	for ; n < len(s); n++ {
		c := s[n] | 0x20
		if c < 'a' || 'z' < c {
			break
		}
		if n == longestROT13 {
			return false
		}
		lower[n] = c
	}
	return rot13Words[string(lower[:n])]
}

func rotate(s string) string {
	out := []byte(s)
	for i, c := range out {
		if letter := c | 0x20; 'a' <= letter && letter <= 'z' {
			out[i] = c&0x20 | (c&31+12)%26 + 'A'
		}
	}
	return string(out)
}
