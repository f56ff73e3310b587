package textmodel

import (
	"unicode"
	"unicode/utf8"
)

// Token is one word of a text, or one ideograph.
type Token struct {
	Start, End int32  // UTF-8 byte range in the text
	Hash       uint32 // FNV-1a of the word in lower case
	Class      Class  // the parts that the word can play
	Before     Class  // the parts of the words before it, as far as phrases reach
	Mark       Mark   // what stands before it
}

// Mark describes the gap between a token and the one before it.
type Mark uint8

// Marks of the gap before a token.
const (
	MarkStart   Mark = 1 << iota // first word of a sentence or line
	MarkLine                     // first word of a line
	MarkOpen                     // preceded by an opening bracket, e.g. <important> or [system]
	MarkQuote                    // preceded by a quotation mark
	MarkHeading                  // preceded by a run such as ### or *** or |||
	MarkUpper                    // the word is written in capitals throughout
	MarkComma                    // preceded by a comma or dash
)

// phraseReach is how many words back the longest phrase looks.
const phraseReach = 12

// maxWord bounds the length in bytes of the words that are looked up: longer
// runs are data, not language.
const maxWord = 40

// Tokenize splits text into at most limit tokens. A word is a run of letters
// and digits, an inner apostrophe included; an underscore or a change from
// lower to upper case ends it, so that names of tools read as words. The second
// result is the byte offset up to which the text was read.
func Tokenize(text string, limit int) ([]Token, int) {
	tokens := make([]Token, 0, min(limit, len(text)/5+4))
	var buf [maxWord]byte
	mark := MarkStart | MarkLine
	run := 0 // length of the present run of the same heading character
	var last rune
	for i := 0; i < len(text); {
		if len(tokens) == limit {
			return tokens, i
		}
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		if !wordRune(r) {
			mark, run = gap(mark, r, last, run)
			last = r
			i += size
			continue
		}
		end, n, capitals := word(text, i, &buf)
		t := Token{Start: int32(i), End: int32(end), Hash: hash(buf[:n]), Mark: mark}
		if capitals {
			t.Mark |= MarkUpper
		}
		if n < maxWord {
			if leet(buf[:n]) {
				t.Hash = hash(buf[:n])
			}
			t.Class = classOf(string(buf[:n]))
		}
		for j := len(tokens) - 1; j >= 0 && j >= len(tokens)-phraseReach; j-- {
			t.Before |= tokens[j].Class
		}
		tokens = append(tokens, t)
		mark, run, last = 0, 0, 0
		i = end
	}
	return tokens, len(text)
}

// word reads the word at text[i:] into buf, lower-cased and cut at maxWord, and
// returns where it ends, the bytes written and whether it is all capitals.
func word(text string, i int, buf *[maxWord]byte) (end, n int, capitals bool) {
	capitals = true
	var prev rune
	for end = i; end < len(text); {
		r, size := rune(text[end]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[end:])
		}
		switch {
		case r == '\'' || r == '’':
			next, _ := utf8.DecodeRuneInString(text[end+size:])
			if prev == 0 || !unicode.IsLetter(next) {
				return end, n, capitals && end-i > 1
			}
			end += size // don't and don’t are one word: dont
			continue
		case !wordRune(r), end > i && ideograph(r), end > i && ideograph(prev):
			return end, n, capitals && end-i > 1
		case isUpper(r) && isLower(prev):
			return end, n, capitals && end-i > 1
		}
		if !isUpper(r) {
			capitals = false
		}
		low := r
		if r < utf8.RuneSelf {
			if 'A' <= r && r <= 'Z' {
				low = r + 'a' - 'A'
			}
		} else {
			low = unicode.ToLower(r)
		}
		if n+utf8.RuneLen(low) <= maxWord {
			n += utf8.EncodeRune(buf[n:], low)
		}
		prev = r
		end += size
	}
	return end, n, capitals && end-i > 1
}

// gap folds one non-word rune into the mark of the gap.
func gap(mark Mark, r, last rune, run int) (Mark, int) {
	switch r {
	case '\n', '\r':
		mark |= MarkLine | MarkStart
	case '.', '!', '?', ':', ';', '。', '！', '？', '：', '•':
		mark |= MarkStart
	case ',', '，', '—', '–':
		mark |= MarkComma
	case '<', '[', '{':
		mark |= MarkOpen | MarkStart
	case '"', '“', '”', '«', '`', '\'', '「':
		mark |= MarkQuote
	case '#', '*', '=', '|', '-', '~':
		if r == last {
			if run++; run >= 2 {
				mark |= MarkHeading | MarkStart
			}
			return mark, run
		}
		return mark, 0
	}
	return mark, 0
}

func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

func ideograph(r rune) bool {
	return r >= 0x2E80 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

func isUpper(r rune) bool {
	return 'A' <= r && r <= 'Z' || r >= utf8.RuneSelf && unicode.IsUpper(r)
}

func isLower(r rune) bool {
	return 'a' <= r && r <= 'z' || r >= utf8.RuneSelf && unicode.IsLower(r)
}

// hash is FNV-1a, 32 bits.
func hash(b []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// leet rewrites digits that stand for letters (1gn0r3) in a word that is mostly
// letters and not a name with a number at its end (utf8, v2, sha256).
func leet(b []byte) bool {
	inner, letters := 0, 0
	for i, c := range b {
		switch {
		case c >= utf8.RuneSelf:
			return false
		case 'a' <= c && c <= 'z':
			letters++
			if i > 0 && b[i-1] <= '9' {
				inner++
			}
		}
	}
	if len(b) < 4 || inner == 0 || letters*2 < len(b) || letters == len(b) {
		return false
	}
	for i, c := range b {
		switch c {
		case '0':
			b[i] = 'o'
		case '1':
			b[i] = 'i'
		case '3':
			b[i] = 'e'
		case '4':
			b[i] = 'a'
		case '5':
			b[i] = 's'
		case '7':
			b[i] = 't'
		case '9':
			b[i] = 'g'
		}
	}
	return true
}
