package textmodel

import (
	"math/bits"
	"unicode/utf8"

	"github.com/bartizan-mcp/bartizan/plugins/swar"
)

// Most words are of at most sixteen letters, lower case but perhaps for the first letter, behind a
// space, and mean nothing here. They are read without a branch for each letter:
// in a guest compiled by Go every branch that is taken is an indirect jump.

// shortWord is how many letters a word may have to be read in one step.
const shortWord = 8

// fill reads as many tokens as there is room for, if the text has them and the
// limit allows it, and returns how many it read.
func (z *tokenizer) fill(tokens []Token) int {
	text, at, mark := z.text, z.at, z.mark
	tokens = tokens[:min(len(tokens), z.limit)]
	n := 0
	for n < len(tokens) {
		if at+1+shortWord < len(text) {
			i := at + int(spaces[text[at]])
			v := swar.Load(text, i)
			v |= uint64(lowered[byte(v)])
			size := letters(v)
			if ends[text[i+size]] && size > 0 {
				v &= lowBytes[size]
				h := hashFour(hashFour(hashSeed, v), v>>32) * unhash[size]
				t := &tokens[n]
				t.Start, t.End, t.Hash, t.Mark, t.Class = int32(i), int32(i+size), h, mark, 0
				if known.slots[h>>(32-knownBits)] != 0 {
					if p := shortPart(v, 0, h); p != nil {
						z.meaning(t, p, n)
					}
				}
				at, mark = i+size, 0
				n++
				continue
			}
			if size == shortWord {
				if end := z.twice(&tokens[n], v, i, mark, n); end > 0 {
					at, mark = end, 0
					n++
					continue
				}
			}
			if m := gaps[text[i]]; m != noGap {
				at, mark = i+1, mark|m
				continue
			}
		}
		z.at, z.mark = at, mark
		if !z.any(&tokens[n], n) {
			at = z.at
			break
		}
		at, mark = z.at, 0
		n++
	}
	z.at, z.mark = at, mark
	z.limit -= n
	z.read += n
	return n
}

// twice reads a word at text[i:] of nine to sixteen letters, of which v are the
// first eight, into t, and returns where it ends. 0: it is none.
func (z *tokenizer) twice(t *Token, v uint64, i int, mark Mark, n int) int {
	text := z.text
	if i+2*shortWord >= len(text) {
		return 0
	}
	w := swar.Load(text, i+shortWord)
	size := letters(w)
	end := i + shortWord + size
	if !ends[text[end]] {
		return 0
	}
	w &= lowBytes[size]
	h := hashFour(hashFour(hashFour(hashFour(hashSeed, v), v>>32), w), w>>32) * unhash[size]
	t.Start, t.End, t.Hash, t.Mark, t.Class = int32(i), int32(end), h, mark, 0
	if known.slots[h>>(32-knownBits)] != 0 {
		if p := shortPart(v, w, h); p != nil {
			z.meaning(t, p, n)
		}
	}
	return end
}

// letters counts the low bytes that are letters of lower case, up to eight.
func letters(v uint64) int {
	// The high bit of a byte is clear where it is a letter: 'a' to 'z' and nothing else.
	below := v&^swar.Highs + swar.Ones*(0x80-'a')
	above := v&^swar.Highs + swar.Ones*(0x80-'z'-1)
	return bits.TrailingZeros64((^below|above|v)&swar.Highs) / 8
}

// spaces is 1 for the byte that most gaps are.
var spaces = [256]uint8{' ': 1}

// gaps are the marks of the bytes that stand between words and need no look at
// their neighbours; noGap is for all others.
var gaps = func() (t [256]Mark) {
	for c := range t {
		if c >= utf8.RuneSelf || fold[c] != 0 || headings[c] {
			t[c] = noGap
			continue
		}
		t[c], _ = gap(0, rune(c), 0, 0)
	}
	return t
}()

const noGap Mark = 1 << 7

// ends are the bytes that end a word whatever it is.
var ends = func() (t [256]bool) {
	for c := range utf8.RuneSelf {
		t[c] = fold[c] == 0 && c != '\''
	}
	return t
}()

// lowered is the bit that a capital's lower-case letter has beside its own.
var lowered = func() (t [256]uint8) {
	for c := 'A'; c <= 'Z'; c++ {
		t[c] = 'a' - 'A'
	}
	return t
}()

// lowBytes[n] has the bits of the low n bytes.
var lowBytes = func() (t [shortWord + 1]uint64) {
	for n := range t {
		t[n] = 1<<(8*n) - 1
	}
	return t
}()

// hashFour goes on with a hash over the low four bytes of v.
func hashFour(h uint32, v uint64) uint32 {
	h = (h ^ uint32(v)&0xff) * hashPrime
	h = (h ^ uint32(v>>8)&0xff) * hashPrime
	h = (h ^ uint32(v>>16)&0xff) * hashPrime
	return (h ^ uint32(v>>24)&0xff) * hashPrime
}

// unhash[n] undoes what shortWord-n bytes of zero make of a hash: they only
// multiply by the prime, and that has an inverse.
var unhash = func() (t [shortWord + 1]uint32) {
	inverse := uint32(hashPrime)
	for range 5 { // Newton: each step doubles the bits that are right
		inverse *= 2 - hashPrime*inverse
	}
	t[shortWord] = 1
	for n := shortWord - 1; n >= 0; n-- {
		t[n] = t[n+1] * inverse
	}
	return t
}()
