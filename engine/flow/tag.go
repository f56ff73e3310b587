package flow

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
)

// tag is a keyed hash of a piece of text. Whoever has tags and not the keys
// learns nothing of the text, and cannot try texts out.
type tag uint64

// blockSize is the window that is looked for in the longest texts: a block of
// the cipher, so that one call of it is a pseudorandom function of the window.
const blockSize = aes.BlockSize

// hasher makes tags: AES-128 of a window that fills a block, CBC-MAC with the
// length in the first block of anything else. Each has a key of its own.
type hasher struct{ window, other cipher.Block }

// newHasher makes keys that nobody else has.
func newHasher() hasher {
	fresh := func() cipher.Block {
		var key [blockSize]byte
		_, _ = rand.Read(key[:]) // never fails: crypto/rand ends the process instead
		block, err := aes.NewCipher(key[:])
		if err != nil {
			panic(err) // a key of 16 bytes is one
		}
		return block
	}
	return hasher{fresh(), fresh()}
}

// Domains of what is no window of a whole block.
const (
	domainTerm  = 1
	domainShort = 2 // a window of less than a block
)

// block is the tag of blockSize bytes. room is of blockSize bytes.
func (h hasher) block(b, room []byte) tag {
	h.window.Encrypt(room, b)
	return tag(binary.LittleEndian.Uint64(room))
}

// piece is the tag of a text of any length in a domain.
func (h hasher) piece(domain byte, b, room []byte) tag {
	clear(room)
	room[0] = domain
	binary.LittleEndian.PutUint64(room[8:], uint64(len(b)))
	h.other.Encrypt(room, room)
	for len(b) > 0 {
		n := min(len(b), blockSize)
		for i := range n {
			room[i] ^= b[i]
		}
		h.other.Encrypt(room, room)
		b = b[n:]
	}
	return tag(binary.LittleEndian.Uint64(room))
}
