package normalise

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// minText is the length in bytes from which an extracted text is worth a view.
const minText = 4

// Text turns bytes that somebody encoded into text, dropping the zero bytes of
// UTF-16. ok is false, and text empty, where a model could not read them: less
// than 85 % is printable. Media reaches about a third.
func Text(b []byte) (text string, ok bool) {
	if !Readable(b) {
		return "", false
	}
	if !bytes.Contains(b, []byte{0}) && utf8.Valid(b) {
		return string(b), true
	}
	var out strings.Builder
	out.Grow(len(b))
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		b = b[size:]
		if r != 0 {
			out.WriteRune(r)
		}
	}
	return out.String(), true
}

// Readable is what Text says about bytes, without making a text of them. It
// stops where no rest could make good what it has read.
func Readable(b []byte) bool {
	total, bad := 0, 0
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			i++
			if c != 0 {
				total++
			}
			if !unreadable[c] {
				continue
			}
			bad++
		} else {
			r, size := utf8.DecodeRune(b[i:])
			i += size
			total++
			if r != utf8.RuneError && (unicode.IsPrint(r) || unicode.IsSpace(r)) {
				continue
			}
			bad++
		}
		if bad*100 > (total+len(b)-i)*15 {
			return false
		}
	}
	return total >= minText && bad*100 <= total*15
}

// unreadable has the controls that count against a text.
var unreadable = func() (is [256]bool) {
	for b := 1; b < ' '; b++ {
		is[b] = b < '\t' || '\r' < b
	}
	is[0x7f] = true
	return is
}()

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
	if !strings.Contains(s, "\xef\xb8") && !strings.Contains(s, "\xf3\xa0") { // they begin so in UTF-8
		return ""
	}
	var decoded []byte
	run := 0
	for _, r := range s {
		switch {
		case r < 0xFE00: // nearly all
		case r <= 0xFE0F:
			decoded = append(decoded, byte(r-0xFE00))
			run++
			continue
		case 0xE0100 <= r && r <= 0xE01EF:
			decoded = append(decoded, byte(r-0xE0100+16))
			run++
			continue
		}
		if run < minText {
			decoded = decoded[:len(decoded)-run]
		}
		run = 0
	}
	if text, ok := Text(decoded); ok {
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
