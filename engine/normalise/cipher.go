package normalise

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// keywords are words that instructions to a model hardly do without, and that
// are no words of anything once enciphered.
var keywords = map[string]bool{
	"ignore": true, "disregard": true, "forget": true, "follow": true, "previous": true, "instruction": true, "instructions": true,
	"system": true, "prompt": true, "secret": true, "password": true, "reveal": true, "credentials": true, "assistant": true,
}

// commonWords are further ones that in rot13 are no words either.
var commonWords = []string{
	"this", "that", "with", "from", "your", "have", "will", "must", "should", "please", "when", "before", "after", "then",
	"send", "user", "file", "files", "data", "tool", "tools", "call", "read", "write", "email", "https",
}

// Lengths of keywords, and no common word is longer.
const (
	shortestKeyword = 6
	longestKeyword  = 12
)

// A cipher is a way to write letters as other letters: a number of places that
// they are moved in the alphabet, or one of those below.
type cipher uint8

const (
	rot13    cipher = 13
	atbash   cipher = 26 // the alphabet backwards
	reversed cipher = 27 // the text backwards, or each of its words
)

var enciphered = func() map[string]cipher {
	words := make(map[string]cipher)
	for word := range keywords {
		for c := cipher(1); c <= reversed; c++ {
			words[c.of(word)] = c
		}
	}
	for _, word := range commonWords {
		words[rot13.of(word)] = rot13
	}
	return words
}()

// of enciphers a text.
func (c cipher) of(s string) string {
	out := []byte(s)
	switch c {
	case reversed:
		return backwards(s)
	case atbash:
		for i, b := range out {
			if latinByte(b) {
				out[i] = b&0x20 | ('Z' + 'A' - b&^0x20)
			}
		}
	default:
		for i, b := range out {
			if latinByte(b) {
				out[i] = b&0x20 | ((b&^0x20-'A'+byte(c))%26 + 'A')
			}
		}
	}
	return string(out)
}

// undo deciphers what of enciphered.
func (c cipher) undo(s string) string {
	if c < atbash {
		c = 26 - c
	}
	return c.of(s)
}

func (c cipher) name() string {
	switch c {
	case rot13:
		return "rot13"
	case atbash:
		return "atbash"
	case reversed:
		return "reversed"
	}
	return "caesar"
}

// starts has the bits of startOf for the enciphered words, and hardly others.
var starts = func() (set [1 << 16 / 64]uint64) {
	for word := range enciphered {
		n := startOf(loadPadded(word, 0))
		set[n/64] |= 1 << (n % 64)
	}
	return set
}()

// startOf mixes the first four letters of a word, whatever their case, to 16
// bits.
func startOf(word uint64) uint32 { return uint32(word) & 0x1f1f1f1f * 0x9e3779b1 >> 16 }

// standApart reports whether the three letters from i on stand apart, by the
// same gap.
func standApart(s string, i, gap int) bool {
	first, last := i+1, i+2+2*gap
	return (i == 0 || !joins(s[i-1])) && (last+1 == len(s) || !joins(s[last+1])) &&
		gapLength(s, first) == gap && s[first:first+gap] == s[last-gap:last]
}

// letterings is what the letters of a text give away: the ciphers of which it
// has two words, by their bits, and whether letters stand apart.
type letterings struct {
	ciphers uint32
	apart   bool
}

func letteringsOf(s string) (l letterings) {
	var once uint32 // ciphers of which there was a word
	before := uint64(0)
	next := loadPadded(s, 0)
	for i := 0; i < len(s); i += 8 {
		word := next
		next = loadPadded(s, i+8)
		is := letters(word)
		if apart := is & (is >> 16) & (is >> 32) &^ (is>>8 | is>>24); apart != 0 {
			l.apart = l.apart || standApart(s, i+bits.TrailingZeros64(apart)/8, 1)
		} else if apart := is & (is >> 24) & (is >> 48) &^ (is>>8 | is>>16 | is>>32 | is>>40); apart != 0 {
			l.apart = l.apart || standApart(s, i+bits.TrailingZeros64(apart)/8, 2)
		}
		begin := is &^ (is<<8 | before) // before: whether the byte before is a letter
		before = is >> 56
		for ; begin != 0; begin &= begin - 1 {
			bit := bits.TrailingZeros64(begin) &^ 7
			n := startOf(word>>(bit&63) | next<<1<<(63-bit&63))
			if starts[n/64%uint32(len(starts))]>>(n%64)&1 == 0 {
				continue
			}
			if c := wordCipher(s[i+bit/8:]); c != 0 {
				l.ciphers |= once & (1 << c)
				once |= 1 << c
			}
		}
	}
	return l
}

// wordCipher returns the cipher of the word with which s begins, 0 for none.
func wordCipher(s string) cipher {
	var lower [longestKeyword]byte
	n := 0
	for ; n < len(s) && latinByte(s[n]); n++ {
		if n == longestKeyword {
			return 0
		}
		lower[n] = s[n] | 0x20
	}
	return enciphered[string(lower[:n])]
}

// backwards reverses the characters of a text.
func backwards(s string) string {
	out := make([]byte, len(s))
	for i, at := 0, len(s); i < len(s); {
		_, size := utf8.DecodeRuneInString(s[i:])
		at -= size
		copy(out[at:], s[i:i+size])
		i += size
	}
	return string(out)
}

// wordsBackwards reverses every word of Latin letters.
func wordsBackwards(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); {
		end := i
		for end < len(s) && latinByte(s[end]) {
			end++
		}
		out.WriteString(backwards(s[i:end]))
		for i = end; i < len(s) && !latinByte(s[i]); i++ {
		}
		out.WriteString(s[end:i])
	}
	return out.String()
}
