package literal

// Set is a set of literals of at least three bytes.
type Set struct {
	filter Filter
	words  []string
	fold   bool
}

// New returns a set of literals that are found as they are written.
func New(words ...string) *Set {
	s := &Set{words: words}
	for _, w := range words {
		s.filter.Add(w)
	}
	return s
}

// NewFold returns a set of lower-case literals that are found in any case; case
// is that of ASCII letters.
func NewFold(words ...string) *Set {
	s := &Set{words: words, fold: true}
	for _, w := range words {
		s.filter.AddFold(w)
	}
	return s
}

// In reports whether one of the literals occurs in text.
func (s *Set) In(text string) bool {
	found := false
	s.Each(text, func(int, int) bool { found = true; return false })
	return found
}

// Each calls yield with the index of each literal that occurs and with where it
// does, from left to right, until it returns false.
func (s *Set) Each(text string, yield func(word, at int) bool) {
	for i := s.filter.Next(text, 0); i >= 0; i = s.filter.Next(text, i+1) {
		c := text[i]
		if s.fold {
			c = lower(c)
		}
		for n := range s.words {
			if w := s.words[n]; w[0] == c && s.begins(text[i:], w) && !yield(n, i) {
				return
			}
		}
	}
}

func (s *Set) begins(text, word string) bool {
	if s.fold {
		return HasPrefixFold(text, word)
	}
	return len(text) >= len(word) && text[:len(word)] == word
}

// HasPrefixFold reports that a text begins with a lower-case prefix, in any case.
func HasPrefixFold(text, prefix string) bool {
	if len(text) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if lower(text[i]) != prefix[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
