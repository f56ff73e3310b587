package literal

// Prefixes are literals of at least three bytes with which a text may begin.
type Prefixes struct {
	words []string
	fold  bool
	first [256]uint16 // by key: one more than the index of the first word with it, or 0
	next  []uint16    // likewise the next word with the same key
}

// NewPrefixes returns literals that are found as they are written.
func NewPrefixes(words ...string) *Prefixes {
	p := newPrefixes(words, false)
	return &p
}

func newPrefixes(words []string, fold bool) Prefixes {
	p := Prefixes{words: words, fold: fold, next: make([]uint16, len(words))}
	for n := len(words) - 1; n >= 0; n-- {
		head := &p.first[key(words[n])]
		p.next[n], *head = *head, uint16(n+1)
	}
	return p
}

// key tells literals apart by their first three bytes, in any case.
func key(text string) uint8 {
	return (text[0]|0x20)*7 + (text[1]|0x20)*3 + (text[2] | 0x20)
}

// Of returns the index of the first of the literals with which text begins, in
// the order in which they were given, or -1.
func (p *Prefixes) Of(text string) int {
	if len(text) < 3 {
		return -1
	}
	for n := p.first[key(text)]; n != 0; n = p.next[n-1] {
		if p.begins(text, p.words[n-1]) {
			return int(n - 1)
		}
	}
	return -1
}

// Begin reports that text begins with one of the literals.
func (p *Prefixes) Begin(text string) bool { return p.Of(text) >= 0 }

func (p *Prefixes) begins(text, word string) bool {
	if p.fold {
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
