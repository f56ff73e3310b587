package normalise

import (
	"strings"
	"unicode"
)

// stripInvisible removes what takes no room on the screen: zero-width and
// bidirectional controls, soft hyphens, variation selectors, tags.
func stripInvisible(s string) string {
	return strings.Map(func(r rune) rune {
		if traitsOf(r)&traitInvisible != 0 {
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
