package normalise

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// minText is the length in bytes from which an extracted text is worth a view.
const minText = 4

// Text turns bytes that somebody encoded into text, dropping the zero bytes of
// UTF-16. ok is false where a model could not read them: less than 85 % is
// printable. Media reaches about a third.
func Text(b []byte) (text string, ok bool) {
	var out strings.Builder
	printable, total := 0, 0
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		b = b[size:]
		if r == 0 {
			continue
		}
		total++
		if r != utf8.RuneError && (unicode.IsPrint(r) || unicode.IsSpace(r)) {
			printable++
		}
		out.WriteRune(r)
	}
	return out.String(), total >= minText && printable*100 >= total*85
}

// tagText decodes characters of the tag block (U+E0020..U+E007E), which are
// invisible copies of ASCII.
func tagText(s string) string {
	if !strings.Contains(s, "\xf3\xa0") { // all of them begin so in UTF-8
		return ""
	}
	var out strings.Builder
	for _, r := range s {
		if 0xE0020 <= r && r <= 0xE007E {
			out.WriteByte(byte(r - 0xE0000))
		}
	}
	return atLeast(out.String())
}

// variationText decodes bytes written as runs of variation selectors: 1 to 16
// are the bytes 0 to 15, 17 to 256 the others. One alone styles an emoji.
func variationText(s string) string {
	if ascii(s) {
		return ""
	}
	var bytes []byte
	run := 0
	for _, r := range s {
		switch {
		case 0xFE00 <= r && r <= 0xFE0F:
			bytes = append(bytes, byte(r-0xFE00))
		case 0xE0100 <= r && r <= 0xE01EF:
			bytes = append(bytes, byte(r-0xE0100+16))
		default:
			if run < minText {
				bytes = bytes[:len(bytes)-run]
			}
			run = 0
			continue
		}
		run++
	}
	if text, ok := Text(bytes); ok {
		return text
	}
	return ""
}

// comments returns what stands in HTML comments; the last may be unclosed.
func comments(s string) string {
	var found []string
	for {
		_, rest, ok := strings.Cut(s, "<!--")
		if !ok {
			return strings.Join(found, "\n")
		}
		var comment string
		comment, s, _ = strings.Cut(rest, "-->")
		if comment = strings.TrimSpace(comment); comment != "" {
			found = append(found, comment)
		}
	}
}

func atLeast(s string) string {
	if len(s) < minText {
		return ""
	}
	return s
}
