package admission

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// VisibleJSON is the same JSON value with every character that a terminal obeys
// or an eye misses written as an escape. Outside of strings JSON has none but
// line breaks and tabs, so nothing else changes.
func VisibleJSON(text string) string {
	if strings.IndexFunc(text, escaped) < 0 {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 64)
	for _, r := range text {
		switch {
		case !escaped(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func escaped(r rune) bool { return r != '\n' && r != '\t' && r != '\r' && deceives(r) }
