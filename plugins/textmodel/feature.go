package textmodel

import "math/bits"

// The feature space of a window: hashed 1-, 2- and 3-grams of words; and the
// dense part, which is the classes present, each ordered pair of classes within
// six words, the phrases, and each pair of phrases.
const (
	GramBits  = 16
	Grams     = 1 << GramBits
	pairReach = 6

	denseClasses     = 0
	densePairs       = denseClasses + Classes
	densePhrases     = densePairs + Classes*Classes
	densePhrasePairs = densePhrases + Phrases
	Dense            = densePhrasePairs + Phrases*(Phrases-1)/2
)

// Features are the active features of one window, each once.
type Features struct {
	Grams []uint32
	Dense []uint16
	grams [Grams / 64]uint64 // those in Grams
	dense [(Dense + 63) / 64]uint64
}

// NewFeatures returns features with room for those of any ordinary window.
func NewFeatures() *Features {
	return &Features{Grams: make([]uint32, 0, 3*WindowWords), Dense: make([]uint16, 0, 512)}
}

// Extract fills f from a window and its reading.
func (f *Features) Extract(w []Token, r *Reading) {
	for _, g := range f.Grams {
		f.grams[g/64%uint32(len(f.grams))] = 0
	}
	f.Grams, f.Dense = f.Grams[:0], f.Dense[:0]
	clear(f.dense[:])
	f.extractGrams(w)
	f.extractDense(w, r)
}

func (f *Features) extractGrams(w []Token) {
	for i := range w {
		h := w[i].Hash
		f.gram(h)
		if i >= 1 {
			h = pairHash(h, w[i-1].Hash)
			f.gram(h ^ pairSalt)
		}
		if i >= 2 {
			f.gram(tripleHash(h, w[i-2].Hash))
		}
	}
}

// Hashes of words that follow one another.
func pairHash(h, before uint32) uint32   { return h*0x9E3779B1 + before }
func tripleHash(h, before uint32) uint32 { return h*0x85EBCA6B + before }

const pairSalt = 0x5bd1e995 // tells a pair from what begins a triple

// gramOf is the n-gram that a hash stands for.
func gramOf(h uint32) uint32 {
	h ^= h >> 15
	h *= 0x2c1b3c6d
	h ^= h >> 12
	return h >> (32 - GramBits)
}

func (f *Features) gram(h uint32) {
	g := gramOf(h)
	if f.grams[g/64]>>(g%64)&1 == 0 {
		f.grams[g/64] |= 1 << (g % 64)
		f.Grams = append(f.Grams, g)
	}
}

func (f *Features) extractDense(w []Token, r *Reading) {
	for a := r.Classes; a != 0; a &= a - 1 {
		f.feature(denseClasses + bits.TrailingZeros64(uint64(a)))
	}
	for i := range w {
		if w[i].Class == 0 {
			continue
		}
		for j := max(0, i-pairReach); j < i; j++ {
			for a := w[j].Class; a != 0; a &= a - 1 {
				row := densePairs + bits.TrailingZeros64(uint64(a))*Classes
				for b := w[i].Class; b != 0; b &= b - 1 {
					f.feature(row + bits.TrailingZeros64(uint64(b)))
				}
			}
		}
	}
	pair := densePhrasePairs
	for a := range Phrases {
		if r.Phrases>>a&1 == 0 {
			pair += Phrases - 1 - a
			continue
		}
		f.feature(densePhrases + a)
		for b := a + 1; b < Phrases; b++ {
			if r.Phrases>>b&1 != 0 {
				f.feature(pair)
			}
			pair++
		}
	}
}

func (f *Features) feature(i int) {
	if f.dense[i/64]>>(i%64)&1 == 0 {
		f.dense[i/64] |= 1 << (i % 64)
		f.Dense = append(f.Dense, uint16(i))
	}
}
