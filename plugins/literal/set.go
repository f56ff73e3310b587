package literal

// Set is a set of literals of at least three bytes.
type Set struct {
	filter Filter
	heads  Prefixes
}

// New returns a set of literals that are found as they are written.
func New(words ...string) *Set {
	s := &Set{heads: newPrefixes(words, false)}
	for _, w := range words {
		s.filter.Add(w)
	}
	return s
}

// NewFold returns a set of lower-case literals that are found in any case; case
// is that of ASCII letters.
func NewFold(words ...string) *Set {
	s := &Set{heads: newPrefixes(words, true)}
	for _, w := range words {
		s.filter.AddFold(w)
	}
	return s
}

// In reports whether one of the literals occurs in text.
func (s *Set) In(text string) bool {
	for i := s.filter.Next(text, 0); i >= 0; i = s.filter.Next(text, i+1) {
		if s.heads.Begin(text[i:]) {
			return true
		}
	}
	return false
}

// Begins reports that the text begins with one of the literals.
func (s *Set) Begins(text string) bool { return s.heads.Begin(text) }

// Each calls yield with the index of each literal that occurs and with where it
// does, from left to right, until it returns false.
func (s *Set) Each(text string, yield func(word, at int) bool) {
	p := &s.heads
	for i := s.filter.Next(text, 0); i >= 0; i = s.filter.Next(text, i+1) {
		for n := p.first[key(text[i:])]; n != 0; n = p.next[n-1] {
			if p.begins(text[i:], p.words[n-1]) && !yield(int(n-1), i) {
				return
			}
		}
	}
}
