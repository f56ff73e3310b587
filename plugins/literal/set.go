package literal

// Set is a set of literals of at least three bytes.
type Set struct {
	filter Filter
	words  []string
	fold   bool
	first  [256]uint16 // by first byte: one more than the index of the first word with it, or 0
	next   []uint16    // likewise the next word with the same first byte
}

// New returns a set of literals that are found as they are written.
func New(words ...string) *Set {
	s := newSet(words, false)
	for _, w := range words {
		s.filter.Add(w)
	}
	return s
}

// NewFold returns a set of lower-case literals that are found in any case; case
// is that of ASCII letters.
func NewFold(words ...string) *Set {
	s := newSet(words, true)
	for _, w := range words {
		s.filter.AddFold(w)
	}
	return s
}

func newSet(words []string, fold bool) *Set {
	s := &Set{words: words, fold: fold, next: make([]uint16, len(words))}
	for n := len(words) - 1; n >= 0; n-- {
		head := &s.first[words[n][0]]
		s.next[n], *head = *head, uint16(n+1)
	}
	return s
}

// In reports whether one of the literals occurs in text.
func (s *Set) In(text string) bool {
	found := false
	s.Each(text, func(int, int) bool { found = true; return false })
	return found
}

// Begins reports that the text begins with one of the literals.
func (s *Set) Begins(text string) bool {
	if text == "" {
		return false
	}
	for n := s.first[s.of(text[0])]; n != 0; n = s.next[n-1] {
		if s.begins(text, s.words[n-1]) {
			return true
		}
	}
	return false
}

// of is the first byte of the literals that may begin with c.
func (s *Set) of(c byte) byte {
	if s.fold {
		return lower(c)
	}
	return c
}

// Each calls yield with the index of each literal that occurs and with where it
// does, from left to right, until it returns false.
func (s *Set) Each(text string, yield func(word, at int) bool) {
	for i := s.filter.Next(text, 0); i >= 0; i = s.filter.Next(text, i+1) {
		for n := s.first[s.of(text[i])]; n != 0; n = s.next[n-1] {
			if s.begins(text[i:], s.words[n-1]) && !yield(int(n-1), i) {
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
