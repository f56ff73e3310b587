package overreach

import (
	"unicode"
	"unicode/utf8"
)

// token is one word of a sentence.
type token struct {
	word       int16 // its number in the vocabulary, 0 if it has none
	class      class
	start, end int
}

const (
	maxSentence = 120 // words; a longer one is cut
	maxWord     = 48  // bytes beyond which a run is data
)

// reader splits texts into sentences.
type reader struct {
	own   map[string]bool // names of the entry and its parameters
	words [maxSentence]token
	buf   [maxWord]byte
}

// Read calls yield with every sentence of the text that has a sign, in order,
// until yield returns false. own holds the names that are the entry's own, its
// parameters included, in lower case.
func Read(text string, own map[string]bool, yield func(Sentence) bool) {
	r := reader{own: own}
	n, start := 0, 0
	for i := 0; ; {
		size, end := 1, i >= len(text)
		var c rune
		if !end {
			if c = rune(text[i]); c >= utf8.RuneSelf {
				c, size = utf8.DecodeRuneInString(text[i:])
			}
		}
		if !end && letter(c) {
			from := i
			i = r.run(text, i)
			if n == 0 {
				start = from
			}
			r.words[n] = r.token(text, from, i)
			n++
			if n < maxSentence {
				continue
			}
			end = i >= len(text)
		}
		if n > 0 && (end || n == maxSentence || stops(text, i, c)) {
			s := Sentence{Start: start, End: r.words[n-1].end}
			r.judge(&s, text, n)
			if s.Signs != 0 && !yield(s) {
				return
			}
			n = 0
		}
		if i >= len(text) {
			return
		}
		if !letter(c) {
			i += size
		}
	}
}

// run returns the end of the word at i: letters and digits, and what joins them
// in names, addresses and paths.
func (r *reader) run(text string, i int) int {
	for i < len(text) {
		if alphanumeric[text[i]] {
			i++
			continue
		}
		c, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case letter(c):
		case c == '_' || c == '-' || c == '\'' || c == '’' || c == '@' || c == '.' || c == ':' && i+size < len(text) && text[i+size] == '/' || c == '/':
			next, _ := utf8.DecodeRuneInString(text[i+size:])
			if !letter(next) && !(c == ':' || c == '/' && next == '/') {
				return i
			}
		default:
			return i
		}
		i += size
	}
	return i
}

// stops reports that a sentence ends with the character at i.
func stops(text string, i int, c rune) bool {
	switch c {
	case '!', '?', ';', '。', '！', '？', '；', '•':
		return true
	case '.', ':':
		return i+1 >= len(text) || text[i+1] == ' ' || text[i+1] == '\n' || text[i+1] == '\t' || text[i+1] == '\r' || text[i+1] == '<'
	case '\n': // a line that goes on is one sentence
		for j := i + 1; j < len(text); j++ {
			switch d := text[j]; {
			case d == ' ' || d == '\t' || d == '\r':
			case 'a' <= d && d <= 'z' || d == '(' || d == '`' || d == '~':
				return false
			default:
				return true
			}
		}
	}
	return false
}

// alphanumeric are the letters and digits of ASCII.
var alphanumeric = func() (t [256]bool) {
	for c := range byte(utf8.RuneSelf) {
		t[c] = 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
	}
	return t
}()

func letter(c rune) bool {
	if c < utf8.RuneSelf {
		return alphanumeric[c]
	}
	return unicode.IsLetter(c) || unicode.IsDigit(c)
}

// token reads the word at text[from:end].
func (r *reader) token(text string, from, end int) token {
	t := token{start: from, end: end}
	n, numeric, name, turn, odd := 0, 0, false, false, false
	h := uint32(hashSeed)
	for i := from; i < end; i++ {
		c := text[i]
		switch {
		case 'A' <= c && c <= 'Z':
			if turn {
				name = true
			}
			c += 'a' - 'A'
			turn = false
		case c == '_':
			name = true
		case c == '@' || c == ':':
			odd = true
		case '0' <= c && c <= '9' || c == '-' || c == '.':
			numeric++
		default:
			turn = 'a' <= c && c <= 'z'
		}
		if c == '\'' || c == 0xE2 && i+2 < end && text[i+1] == 0x80 && text[i+2] == 0x99 { // don't, don’t
			if c != '\'' {
				i += 2
			}
			continue
		}
		if n == maxWord {
			break
		}
		r.buf[n] = c
		h = (h ^ uint32(c)) * hashPrime
		n++
	}
	low := r.buf[:n]
	t.word, t.class = words.find(low, h*spread)
	if odd {
		switch {
		case web(low):
			t.class = link
			return t
		case address(low):
			t.class = mail
			return t
		}
	}
	if n == maxWord {
		return t
	}
	if n >= 7 && numeric == n {
		t.class = digits
		return t
	}
	if name && t.class == 0 {
		t.class = identifier
	}
	if name || from > 0 && (text[from-1] == '`' || text[from-1] == '\'' || text[from-1] == '"') && end < len(text) && (text[end] == '`' || text[end] == '\'' || text[end] == '"') {
		t.class |= identifier
		if r.own[string(low)] {
			t.class = t.class&^identifier | itself
		}
	}
	return t
}
