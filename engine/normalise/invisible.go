package normalise

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// stripInvisible removes what takes no room on the screen: zero-width and
// bidirectional controls, soft hyphens, variation selectors, tags, and what only
// a terminal understands.
func stripInvisible(s string) string {
	out := make([]byte, 0, len(s))
	copied := 0 // what comes before is in out
	for i := 0; i < len(s); {
		size, shown := 1, true
		if c := s[i]; c >= utf8.RuneSelf {
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			shown = traitsOf(r)&traitInvisible == 0
		} else if isControl(c) {
			size, shown = terminal(s[i:]), false
		}
		if !shown {
			out = append(out, s[copied:i]...)
			copied = i + size
		}
		i += size
	}
	return string(append(out, s[copied:]...))
}

// terminal is the length of the control sequence or string (ECMA-48) with which
// s begins, 1 for a control alone. A string that does not end before the next
// one begins is none, so that no text is read twice.
func terminal(s string) int {
	if s[0] != 0x1b || len(s) < 2 {
		return 1
	}
	switch s[1] {
	case '[':
		i := 2
		for i < len(s) && 0x20 <= s[i] && s[i] < 0x40 {
			i++
		}
		if i < len(s) && 0x40 <= s[i] && s[i] < 0x7f {
			return i + 1
		}
	case ']':
		i := 2
		for i < len(s) && !isControl(s[i]) {
			i++
		}
		switch {
		case i < len(s) && s[i] == 0x07:
			return i + 1
		case i+1 < len(s) && s[i] == 0x1b && s[i+1] == '\\':
			return i + 2
		}
	}
	return 1
}

func invisible(r rune) bool {
	switch {
	case 0x80 <= r && r < 0xA0: // controls, but for the next line
		return r != 0x85
	case r < 0xAD:
		return false
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
		return true
	case 0xE0000 <= r && r <= 0xE0FFF: // tags and the rest of their plane
		return true
	case 0xFFF0 <= r && r <= 0xFFF8: // reserved for what is ignored, as is the first below
		return true
	}
	switch r {
	case 0x2065, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0: // grapheme joiner and fillers
		return true
	}
	return false
}

const softHyphen = 0xAD

// minParted is how many words that only invisible characters part make a text
// of its own.
const minParted = 3

// parted puts spaces in the place of invisible characters that stand between
// words, of two Latin letters at least, as often as it takes; "" if they do not.
func parted(s string) string {
	var out strings.Builder
	copied, places := 0, 0
	for at := indexTrait(s, 0, traitInvisible); at < len(s); at = indexTrait(s, copied, traitInvisible) {
		end, hyphen := at, true
		for end < len(s) {
			r, size := utf8.DecodeRuneInString(s[end:])
			if r < utf8.RuneSelf || traitsOf(r)&traitInvisible == 0 {
				break
			}
			hyphen = hyphen && r == softHyphen
			end += size
		}
		out.WriteString(s[copied:at])
		copied = end
		if !hyphen && at >= 2 && end+2 <= len(s) && latinByte(s[at-1]) && latinByte(s[at-2]) && latinByte(s[end]) && latinByte(s[end+1]) {
			out.WriteByte(' ')
			places++
		}
	}
	if places < minParted {
		return ""
	}
	out.WriteString(s[copied:])
	return out.String()
}

func latinByte(c byte) bool { return isLatin(rune(c)) }
