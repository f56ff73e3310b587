package normalise

import "math/bits"

// rot13Words are words that hardly occur but in rot13 of English.
var rot13Words = map[string]bool{
	"gur": true, "naq": true, "lbh": true, "lbhe": true, "guvf": true, "gung": true, "jvgu": true, "sebz": true, "abg": true,
	"nyy": true, "nal": true, "cerivbhf": true, "vafgehpgvbaf": true, "vafgehpgvba": true, "vtaber": true, "flfgrz": true,
	"cebzcg": true, "frperg": true, "cnffjbeq": true, "fraq": true, "erirny": true, "qvfertneq": true, "sbyybj": true, "hfre": true,
}

// longestROT13 is the length of the longest of them.
const longestROT13 = 12

// rot13Starts has the bits of startOf for the words, and hardly others.
var rot13Starts = func() (starts [1 << 12 / 64]uint64) {
	for word := range rot13Words {
		n := startOf(loadPadded(word, 0))
		starts[n/64] |= 1 << (n % 64)
	}
	return starts
}()

// startOf mixes the first three letters of a word, whatever their case, to 12
// bits.
func startOf(word uint64) uint32 { return uint32(word) & 0x1f1f1f * 0x9e3779b1 >> 20 }

// rot13Text rotates a text in which two such words occur.
func rot13Text(s string) string {
	hits := 0
	before := uint64(0) // whether the byte before is a letter, as letters says it
	next := loadPadded(s, 0)
	for i := 0; i < len(s); i += 8 {
		word := next
		next = loadPadded(s, i+8)
		is := letters(word)
		starts := is &^ (is<<8 | before)
		before = is >> 56
		for ; starts != 0; starts &= starts - 1 {
			bit := bits.TrailingZeros64(starts) &^ 7
			n := startOf(word>>(bit&63) | next<<1<<(63-bit&63))
			if rot13Starts[n/64%uint32(len(rot13Starts))]>>(n%64)&1 == 0 || !rot13Word(s[i+bit/8:]) {
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
