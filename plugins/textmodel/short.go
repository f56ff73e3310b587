package textmodel

import (
	"math/bits"
	"unicode/utf8"
)

// Most words are short and lower case, and most of them mean nothing here. They
// are read without a branch for each letter: in a guest compiled by Go every
// branch that is taken is an indirect jump.

// shortWord is how many letters a word may have to be read eight bytes at once,
// with the byte that ends it.
const shortWord = 7

// Bytes of a word, all at once.
const (
	ones = 0x0101010101010101
	high = 0x8080808080808080
)

// ends are the bytes that end a word whatever it is.
var ends = func() (t [256]bool) {
	for c := range utf8.RuneSelf {
		t[c] = fold[c] == 0 && c != '\''
	}
	return t
}()

// short reads the token at text[i:], with nine bytes to read, if it is a word
// of up to shortWord letters, all in lower case but perhaps the first. It does
// what read does.
func (z *tokenizer) short(t *Token, i int) bool {
	s := z.text[i : i+8]
	v := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	v |= uint64(lowered[s[0]])
	// A byte's high bit stays clear where it is a letter: 'a' to 'z' and nothing else.
	below := v&^high + ones*(0x80-'a')
	above := v&^high + ones*(0x80-'z'-1)
	other := (^below | above | v) & high
	n := bits.TrailingZeros64(other) / 8
	if n == 0 || n > shortWord || !ends[z.text[i+n]] {
		return false
	}
	var h [8]uint32
	h[1] = (hashSeed ^ uint32(v)&0xff) * hashPrime
	h[2] = (h[1] ^ uint32(v>>8)&0xff) * hashPrime
	h[3] = (h[2] ^ uint32(v>>16)&0xff) * hashPrime
	h[4] = (h[3] ^ uint32(v>>24)&0xff) * hashPrime
	h[5] = (h[4] ^ uint32(v>>32)&0xff) * hashPrime
	h[6] = (h[5] ^ uint32(v>>40)&0xff) * hashPrime
	h[7] = (h[6] ^ uint32(v>>48)&0xff) * hashPrime
	hash := h[n&7]
	class := Class(0)
	if known.slots[hash>>(32-knownBits)] != 0 {
		w := &z.word.buf
		w[0], w[1], w[2], w[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
		w[4], w[5], w[6] = byte(v>>32), byte(v>>40), byte(v>>48)
		class = classOf(w[:n], hash)
	}
	t.Start, t.End, t.Hash, t.Mark = int32(i), int32(i+n), hash, z.mark
	t.Class, t.Before = class, z.before.classes()
	z.before.add(class)
	z.at, z.mark = i+n, 0
	z.limit--
	return true
}

// lowered is the bit that a capital's lower-case letter has beside its own.
var lowered = func() (t [256]uint8) {
	for c := 'A'; c <= 'Z'; c++ {
		t[c] = 'a' - 'A'
	}
	return t
}()
