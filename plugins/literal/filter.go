// Package literal finds fixed texts in a text, many at a time and in one pass.
// It serves scanners that run as Wasm guests of the Go toolchain, where a
// branch costs more than arithmetic and the standard library's searches look at
// one byte and one text at a time. It knows nothing of messages or rules.
package literal

import (
	"math/bits"

	"github.com/bartizan-mcp/bartizan/plugins/swar"
)

// Filter is a set of three bytes with which something may begin. It may hold
// more than was added, never less.
type Filter [1 << filterBits / 64]uint64

// filterBits leave a hundred places for each one that is taken.
const filterBits = 18

// place hashes three bytes, given as the highest of a number, the first one lowest.
func place(three uint64) uint64 { return three * 0x9E3779B1 >> (64 - filterBits) }

func (f *Filter) has(three uint64) uint64 {
	h := place(three)
	return f[h/64] >> (h % 64) & 1
}

// Add adds the first three bytes of a text, which has as many.
func (f *Filter) Add(text string) {
	h := place(first(text))
	f[h/64] |= 1 << (h % 64)
}

// AddFold adds them in every case that ASCII letters can have.
func (f *Filter) AddFold(text string) {
	for upper := range 8 {
		b := [3]byte([]byte(text[:3]))
		for i := range b {
			if upper>>i&1 != 0 && 'a' <= b[i] && b[i] <= 'z' {
				b[i] -= 'a' - 'A'
			}
		}
		f.Add(string(b[:]))
	}
}

func first(text string) uint64 {
	return uint64(text[0])<<40 | uint64(text[1])<<48 | uint64(text[2])<<56
}

// Next returns the next place from i on where something may begin, or -1. It
// looks at six places at a time.
func (f *Filter) Next(text string, i int) int {
	for ; i+8 <= len(text); i += 6 {
		w := swar.Load(text, i)
		found := f.has(w<<40) | f.has(w>>8<<40)<<1 | f.has(w>>16<<40)<<2 |
			f.has(w>>24<<40)<<3 | f.has(w>>32<<40)<<4 | f.has(w>>40<<40)<<5
		if found != 0 {
			return i + bits.TrailingZeros64(found)
		}
	}
	for ; i+3 <= len(text); i++ {
		if f.has(first(text[i:])) != 0 {
			return i
		}
	}
	return -1
}
