package overreach

import (
	"unicode"
	"unicode/utf8"
)

// token is one word of a sentence.
type token struct {
	class      class
	after      need  // what the words behind it in the sentence are
	start, end int32 // UTF-8 byte range in the text
	word       int16 // its number in the vocabulary, 0 if it has none
	plain      bool  // nothing but letters of ASCII
}

// run returns the end of the word at i: letters and digits, and what joins them
// in names, addresses and paths.
func (r *Reader) run(text string, i int) int {
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

// token reads the word at text[from:end] into t.
func (r *Reader) token(t *token, text string, from, end int) {
	t.start, t.end, t.word, t.class, t.plain = int32(from), int32(end), 0, 0, false
	if from > 0 && part(text[from-1]) {
		r.paths = true
	}
	var l letters
	n, numeric, name, turn, odd := 0, 0, false, false, false
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
			name, r.paths = true, true
		case c == '@' || c == ':':
			odd = true
		case '0' <= c && c <= '9' || c == '-' || c == '.':
			numeric++
			r.paths = r.paths || c == '.'
		case c == '/':
			turn, r.paths = false, true
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
			r.paths = true // in what is not looked at
			break
		}
		r.buf[n] = c
		l.add(n, c)
		n++
	}
	low := r.buf[:n]
	if n <= longest {
		t.word, t.class = words.find(l.low, l.high)
	}
	if odd {
		switch {
		case web(low):
			t.class = link
			return
		case address(low):
			t.class = mail
			return
		}
	}
	if n == maxWord {
		return
	}
	if n >= 7 && numeric == n {
		t.class = digits
		return
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
}

// part reports a character with which parts of a path begin.
func part(c byte) bool { return c == '.' || c == '/' || c == '_' }
