package textmodel

import (
	"strings"
	"unicode/utf8"
)

// foreign are the stems by hash: whole words, beginnings, and what is read
// wherever it occurs.
var foreign = func() (t struct{ whole, begins dictionary }) {
	for _, l := range stems {
		for _, w := range strings.Fields(l.words) {
			if begin, ok := strings.CutSuffix(w, "*"); ok {
				t.begins.add(l.class, begin)
			} else {
				t.whole.add(l.class, w)
			}
		}
	}
	for _, d := range []*dictionary{&t.whole, &t.begins} {
		for i := range d.parts {
			d.parts[i].finish()
		}
	}
	return t
}()

// stemOf finds a word that has letters outside of ASCII, else the longest stem
// that it begins with, or nil.
func stemOf(w []byte) *part {
	if p := foreign.whole.find(w, hash(w)); p != nil {
		return p
	}
	var longest *part
	h := uint32(hashSeed)
	for i := 0; i < len(w); {
		_, size := utf8.DecodeRune(w[i:])
		for _, b := range w[i : i+size] {
			h = (h ^ uint32(b)) * hashPrime
		}
		i += size
		if p := foreign.begins.find(w[:i], h); p != nil {
			longest = p
		}
	}
	return longest
}

// longestGlyphs is how many characters a word may have in a script that sets no spaces.
const longestGlyphs = 8

// glyphs reads the longest known word of Chinese or Japanese that begins at
// text[i:], and reports whether there is one.
func (w *word) glyphs(text string, i int) bool {
	h, n, end := uint32(hashSeed), 0, i
	found := false
	for range longestGlyphs {
		r, size := utf8.DecodeRuneInString(text[end:])
		if !ideograph(r) || n+size > maxWord {
			break
		}
		n += copy(w.buf[n:], text[end:end+size])
		for _, b := range w.buf[n-size : n] {
			h = (h ^ uint32(b)) * hashPrime
		}
		end += size
		if p := foreign.whole.find(w.buf[:n], h); p != nil {
			w.n, w.end, w.hash, w.stem, found = n, end, h, p, true
		}
	}
	return found
}
