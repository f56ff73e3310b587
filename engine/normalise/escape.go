package normalise

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// escape is what a sequence stands for: a character or, raw, one byte of one.
type escape struct {
	char rune
	raw  bool
}

// unescape replaces the sequences that begin with mark and that decode
// understands. decode gets what follows the mark and returns how much of it
// belongs to the sequence, 0 if it is none.
func unescape(s string, mark byte, decode func(rest string) (escape, int)) string {
	var out []byte
	copied := 0 // what comes before is in out
	for at := strings.IndexByte(s, mark); at >= 0; {
		e, used := decode(s[at+1:])
		if used > 0 {
			if out == nil {
				out = make([]byte, 0, len(s))
			}
			out = append(out, s[copied:at]...)
			if e.raw {
				out = append(out, byte(e.char))
			} else {
				out = utf8.AppendRune(out, e.char)
			}
			copied = at + 1 + used
		}
		next := strings.IndexByte(s[at+1+used:], mark)
		if next < 0 {
			break
		}
		at += 1 + used + next
	}
	if out == nil {
		return s
	}
	return validText(append(out, s[copied:]...))
}

// validText makes a text of bytes that were decoded in place.
func validText(out []byte) string {
	if !utf8.Valid(out) {
		out = bytes.ToValidUTF8(out, []byte("\uFFFD"))
	}
	return string(out)
}

// percent decodes %41 of RFC 3986 and %u0041 of old scripts.
func percent(rest string) (escape, int) {
	if r, ok := hexRune(rest, 2); ok {
		return escape{r, true}, 2
	}
	if strings.HasPrefix(rest, "u") {
		if r, ok := hexRune(rest[1:], 4); ok {
			return escape{r, false}, 5
		}
	}
	return escape{}, 0
}

// backslash decodes the escapes that JSON, C, JavaScript and Python share.
func backslash(rest string) (escape, int) {
	if rest == "" {
		return escape{}, 0
	}
	switch rest[0] {
	case '"', '\\', '/', '\'':
		return escape{char: rune(rest[0])}, 1
	case 'n', 'r', 't', 'f', 'v', 'b':
		return escape{char: ' '}, 1
	case 'x':
		if r, ok := hexRune(rest[1:], 2); ok {
			return escape{r, true}, 3
		}
	case 'u':
		return unicodeEscape(rest)
	case 'U':
		if r, ok := hexRune(rest[1:], 8); ok {
			return escape{char: r}, 9
		}
	case '0', '1', '2', '3': // three digits in base eight; fewer are a reference to a group
		if len(rest) >= 3 && rest[1]&^7 == '0' && rest[2]&^7 == '0' {
			return escape{rune(rest[0]&7)<<6 | rune(rest[1]&7)<<3 | rune(rest[2]&7), true}, 3
		}
	}
	return escape{}, 0
}

// unicodeEscape decodes u0041, u{41} and surrogate pairs.
func unicodeEscape(rest string) (escape, int) {
	if strings.HasPrefix(rest, "u{") {
		// Six digits at most: looking for the brace any further would read the
		// rest of the text once for every sequence that has none.
		if end := strings.IndexByte(rest[:min(len(rest), 9)], '}'); end >= 3 {
			if r, ok := hexRune(rest[2:], end-2); ok {
				return escape{char: r}, end + 1
			}
		}
		return escape{}, 0
	}
	r, ok := hexRune(rest[1:], 4)
	if !ok {
		return escape{}, 0
	}
	if 0xD800 <= r && r < 0xDC00 && len(rest) >= 11 && rest[5:7] == `\u` {
		if low, ok := hexRune(rest[7:], 4); ok && 0xDC00 <= low && low < 0xE000 {
			return escape{char: (r-0xD800)<<10 + (low - 0xDC00) + 0x10000}, 11
		}
	}
	return escape{char: r}, 5
}
