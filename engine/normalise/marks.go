package normalise

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// stripMarks takes the marks off words in Latin letters that carry some which
// no letter is made with. Words of other scripts need theirs.
func stripMarks(s string) string {
	var out strings.Builder
	copied, end := 0, 0
	for at := indexTrait(s, 0, traitMark); at < len(s); at = indexTrait(s, end, traitMark) {
		start := end + len(strings.TrimRightFunc(s[end:at], inWord))
		end = len(s) - len(strings.TrimLeftFunc(s[at:], inWord))
		first, _ := utf8.DecodeRuneInString(s[start:])
		if !isLatin(first) && traitsOf(first)&traitLatin == 0 {
			continue
		}
		out.WriteString(s[copied:start])
		for _, r := range norm.NFD.String(s[start:end]) {
			if traitsOf(r)&traitMark == 0 {
				out.WriteRune(r)
			}
		}
		copied = end
	}
	if copied == 0 {
		return s
	}
	out.WriteString(s[copied:])
	return out.String()
}

func inWord(r rune) bool { return traitsOf(r)&(traitLetter|traitMark) != 0 }

// stripAccents makes plain the letters of a text in which two keywords are
// written with accents: English has none.
func stripAccents(s string) string {
	words, end := 0, 0
	for at := indexTrait(s, 0, traitAccent); at < len(s) && words < 2; at = indexTrait(s, end, traitAccent) {
		start := at
		for start > end && latinByte(s[start-1]) {
			start--
		}
		var word [longestKeyword]byte
		n := 0
		for end = start; end < len(s); {
			r, size := utf8.DecodeRuneInString(s[end:])
			if plain := bare(r); plain != 0 {
				r = rune(plain)
			} else if !isLatin(r) {
				break
			}
			if n < len(word) {
				word[n] = byte(r) | 0x20
			}
			n++
			end += size
		}
		if n >= shortestKeyword && n <= len(word) && keywords[string(word[:n])] {
			words++
		}
	}
	if words < 2 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if plain := bare(r); plain != 0 {
			return rune(plain)
		}
		return r
	}, s)
}

// bare returns the letter of ASCII to which r adds a mark, 0 for none.
func bare(r rune) byte {
	switch {
	case 0xC0 <= r && r < 0x250:
		return bares[r-0xC0]
	case 0x1E00 <= r && r < 0x1F00:
		return bares[r-0x1E00+0x250-0xC0]
	}
	return 0
}

// strokes pairs letters with a stroke, which are no letter and a mark to
// Unicode, with those that they are read as.
const strokes = "øoØOłlŁLđdĐDħhĦHŧtŦTƀb"

var bares = func() (plain [0x250 - 0xC0 + 0x100]byte) {
	for i := range plain {
		r := rune(i + 0xC0)
		if r >= 0x250 {
			r += 0x1E00 - 0x250
		}
		if d := norm.NFD.PropertiesString(string(r)).Decomposition(); len(d) > 1 && isLatin(rune(d[0])) {
			plain[i] = d[0]
		}
	}
	pairs := []rune(strokes)
	for i := 0; i < len(pairs); i += 2 {
		plain[pairs[i]-0xC0] = byte(pairs[i+1])
	}
	return plain
}()
