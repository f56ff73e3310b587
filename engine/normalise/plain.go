package normalise

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/unicode/norm"
)

// plainText replaces, in place, every character that is written in another way
// than a reader sees it, and names the decoders that had something to do.
func plainText(s string) (plain, decoders string) {
	apply := func(name, next string) {
		if next != s {
			s, decoders = next, chain(decoders, name)
		}
	}
	if strings.IndexByte(s, '%') >= 0 {
		apply("percent", unescape(s, '%', percent))
	}
	if strings.IndexByte(s, '\\') >= 0 {
		name := "escape"
		if isJSON(s) {
			name = "json"
		}
		apply(name, unescape(s, '\\', backslash))
	}
	if strings.IndexByte(s, '&') >= 0 {
		apply("entity", html.UnescapeString(s))
	}
	if !ascii(s) {
		apply("invisible", stripInvisible(s))
		apply("nfkc", norm.NFKC.String(s))
		apply("confusables", foldConfusables(s))
	}
	return strings.ToValidUTF8(s, "\uFFFD"), decoders
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isJSON(s string) bool {
	t := strings.TrimLeft(s, " \t\r\n")
	return t != "" && (t[0] == '{' || t[0] == '[') && jsontext.Value(s).IsValid()
}

// stripInvisible removes what takes no room on the screen: zero-width and
// bidirectional controls, soft hyphens, variation selectors, tags.
func stripInvisible(s string) string {
	return strings.Map(func(r rune) rune {
		if invisible(r) {
			return -1
		}
		return r
	}, s)
}

func invisible(r rune) bool {
	switch {
	case r < 0xAD:
		return false
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
		return true
	case 0xE0000 <= r && r <= 0xE0FFF: // tags and the rest of their plane
		return true
	}
	switch r {
	case 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0: // grapheme joiner and fillers
		return true
	}
	return false
}

// unescape replaces the sequences that begin with mark and that decode
// understands. decode gets what follows the mark and returns how much it used.
func unescape(s string, mark byte, decode func(rest string, out *strings.Builder) int) string {
	var out strings.Builder
	changed := false
	for {
		i := strings.IndexByte(s, mark)
		if i < 0 {
			break
		}
		out.WriteString(s[:i])
		used := decode(s[i+1:], &out)
		if used == 0 {
			out.WriteByte(mark)
		} else {
			changed = true
		}
		s = s[i+1+used:]
	}
	out.WriteString(s)
	if !changed {
		return out.String() // equal to s as it came
	}
	return strings.ToValidUTF8(out.String(), "\uFFFD")
}

// percent decodes %41 of RFC 3986 and %u0041 of old scripts.
func percent(rest string, out *strings.Builder) int {
	if r, ok := hexRune(rest, 2); ok {
		out.WriteByte(byte(r))
		return 2
	}
	if strings.HasPrefix(rest, "u") {
		if r, ok := hexRune(rest[1:], 4); ok {
			out.WriteRune(r)
			return 5
		}
	}
	return 0
}

// backslash decodes the escapes that JSON, C, JavaScript and Python share.
func backslash(rest string, out *strings.Builder) int {
	if rest == "" {
		return 0
	}
	switch rest[0] {
	case '"', '\\', '/', '\'':
		out.WriteByte(rest[0])
		return 1
	case 'n', 'r', 't', 'f', 'v', 'b':
		out.WriteByte(' ')
		return 1
	case 'x':
		if r, ok := hexRune(rest[1:], 2); ok {
			out.WriteByte(byte(r))
			return 3
		}
	case 'u':
		return unicodeEscape(rest, out)
	case 'U':
		if r, ok := hexRune(rest[1:], 8); ok {
			out.WriteRune(r)
			return 9
		}
	}
	return 0
}

// unicodeEscape decodes u0041, u{41} and surrogate pairs.
func unicodeEscape(rest string, out *strings.Builder) int {
	if strings.HasPrefix(rest, "u{") {
		if end := strings.IndexByte(rest, '}'); 3 <= end && end <= 8 {
			if r, ok := hexRune(rest[2:], end-2); ok {
				out.WriteRune(r)
				return end + 1
			}
		}
		return 0
	}
	r, ok := hexRune(rest[1:], 4)
	if !ok {
		return 0
	}
	if 0xD800 <= r && r < 0xDC00 && len(rest) >= 11 && rest[5:7] == `\u` {
		if low, ok := hexRune(rest[7:], 4); ok && 0xDC00 <= low && low < 0xE000 {
			out.WriteRune((r-0xD800)<<10 + (low - 0xDC00) + 0x10000)
			return 11
		}
	}
	out.WriteRune(r)
	return 5
}

// hexRune reads exactly n hexadecimal digits.
func hexRune(s string, n int) (r rune, ok bool) {
	if len(s) < n {
		return 0, false
	}
	for i := range n {
		d := hexValue(s[i])
		if d < 0 || r > unicode.MaxRune {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
