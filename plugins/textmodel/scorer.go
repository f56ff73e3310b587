package textmodel

import "math/bits"

// Scorer scores windows without making a list of their features: what Score
// says of those that Extract finds, in a guest's time. Room for one window.
type Scorer struct {
	grams [Grams / 64]uint64 // those of the window so far
	after [Classes]Class     // by class: the classes of the words within reach behind one
}

// Score scores one window.
func (s *Scorer) Score(m *Model, w []Token, r *Reading) int32 {
	grams, n := s.sumGrams(m.weights[Dense:], w)
	return m.score(grams, n, s.sumPairs(m.weights, w, r.Classes)+sumPhrases(m.weights, r.Phrases))
}

// sumGrams adds up the weights of the n-grams of a window, each once, and
// counts them.
func (s *Scorer) sumGrams(weights string, w []Token) (sum, n int64) {
	clear(s.grams[:])
	for i := range w {
		h := w[i].Hash
		g, fresh := s.gram(h)
		sum += int64(int8(weights[g])) & -fresh
		n += fresh
		if i == 0 {
			continue
		}
		h = pairHash(h, w[i-1].Hash)
		g, fresh = s.gram(h ^ pairSalt)
		sum += int64(int8(weights[g])) & -fresh
		n += fresh
		if i == 1 {
			continue
		}
		g, fresh = s.gram(tripleHash(h, w[i-2].Hash))
		sum += int64(int8(weights[g])) & -fresh
		n += fresh
	}
	return sum, n
}

// gram returns the n-gram with this hash, and 1 where it is the first of its
// kind, else 0: arithmetic, since a branch would cost more.
func (s *Scorer) gram(h uint32) (g uint32, fresh int64) {
	g = gramOf(h)
	word := &s.grams[g/64]
	fresh = int64(^*word >> (g % 64) & 1)
	*word |= 1 << (g % 64)
	return g, fresh
}

// sumPairs adds up the weights of the classes and of their ordered pairs.
func (s *Scorer) sumPairs(weights string, w []Token, classes Class) (sum int64) {
	clear(s.after[:])
	for i := range w {
		c := w[i].Class
		if c == 0 {
			continue
		}
		var after Class
		for j := i + 1; j <= i+pairReach && j < len(w); j++ {
			after |= w[j].Class
		}
		for ; c != 0; c &= c - 1 {
			s.after[bits.TrailingZeros64(uint64(c))] |= after
		}
	}
	for ; classes != 0; classes &= classes - 1 {
		a := bits.TrailingZeros64(uint64(classes))
		sum += int64(int8(weights[denseClasses+a]))
		row := weights[densePairs+a*Classes:]
		for b := s.after[a]; b != 0; b &= b - 1 {
			sum += int64(int8(row[bits.TrailingZeros64(uint64(b))]))
		}
	}
	return sum
}

// sumPhrases adds up the weights of the phrases and of their pairs.
func sumPhrases(weights string, phrases uint64) (sum int64) {
	for p := phrases; p != 0; p &= p - 1 {
		a := bits.TrailingZeros64(p)
		sum += int64(int8(weights[densePhrases+a]))
		row := densePhrasePairs + a*(2*Phrases-a-1)/2 - a - 1
		for q := p & (p - 1); q != 0; q &= q - 1 {
			sum += int64(int8(weights[row+bits.TrailingZeros64(q)]))
		}
	}
	return sum
}
