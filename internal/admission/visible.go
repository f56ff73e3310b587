package admission

import (
	"fmt"
	"strings"
	"unicode"
)

// Visible writes text so that what a person sees is what is there: control,
// format, bidirectional, invisible and tag characters, line breaks included,
// become \u202e or \u{e0041}; bytes that are no UTF-8 become \xff.
// Backslashes stay: the input is canonical JSON, where a literal backslash is
// already written twice, so the result is unambiguous.
func Visible(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i, r := range s {
		switch {
		case r == unicode.ReplacementChar && s[i] != 0xEF:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !deceives(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// Deceptive reports the first character of s that is invisible or changes how
// its neighbours are shown. Spaces, tab, line breaks and the joiners inside an
// emoji are none: honest listings have them.
func Deceptive(s string) (rune, bool) {
	var previous rune
	for _, r := range s {
		switch {
		case r == '\n', r == '\t', r == '\r', unicode.Is(unicode.Zs, r):
		case (r == '\ufe0e' || r == '\ufe0f' || r == '\u200d') && symbol(previous):
			continue // stays part of the symbol before it
		case deceives(r):
			return r, true
		}
		previous = r
	}
	return 0, false
}

func symbol(r rune) bool {
	return unicode.In(r, unicode.So, unicode.Sm, unicode.Sk) || r == '#' || r == '*' || (r >= '0' && r <= '9')
}

func deceives(r rune) bool {
	switch {
	case r == ' ':
		return false
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp, unicode.Zs):
		return true
	case unicode.Is(unicode.Variation_Selector, r), unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
		return true
	case r == '\u2800': // braille blank
		return true
	case r >= 0xE0000 && r <= 0xE0FFF:
		return true
	}
	return false
}
