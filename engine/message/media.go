package message

import (
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"
)

// minMedia is the length from which a string can be media: a shorter one is
// cheap to read as it stands.
const minMedia = 256

// decodeMedia decodes standard or URL base64, padded or not, over any lines.
// ok is false for a string that is something else, and so a text: words strung
// together without spaces are in the alphabet too.
func decodeMedia(s string) (b []byte, ok bool) {
	if len(s) < minMedia || wordy(s) {
		return nil, false
	}
	s = strings.TrimRight(strings.NewReplacer("\n", "", "\r", "", "-", "+", "_", "/").Replace(s), "=")
	b, err := base64.RawStdEncoding.DecodeString(s)
	return b, err == nil
}

// textShare is how much of a text is printable. Bytes of media reach about a
// third; text in an unexpected encoding stays above.
const textShare = 0.85

// looksLikeText reports whether a model that is handed these bytes could read
// them. A declared media type is not asked: the server writes it.
func looksLikeText(b []byte) bool {
	printable, total := 0, 0
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		b = b[size:]
		if r == 0 {
			continue // UTF-16 of plain text is every other byte zero
		}
		total++
		if r != utf8.RuneError && (unicode.IsPrint(r) || unicode.IsSpace(r)) {
			printable++
		}
	}
	return total > 0 && float64(printable) >= textShare*float64(total)
}

// wordy reports whether some stretch of 64 bytes has 45 letters of one case and
// at most one digit. Words do; in base64 of random bytes one stretch in 10^8
// does. Zero bytes encode to runs of A, which do not count.
func wordy(s string) bool {
	const stretch, letters = 64, 45
	var lower, upper, digit int
	count := func(c byte, by int) {
		switch {
		case 'a' <= c && c <= 'z':
			lower += by
		case 'B' <= c && c <= 'Z':
			upper += by
		case '0' <= c && c <= '9':
			digit += by
		}
	}
	for i := range len(s) {
		count(s[i], 1)
		if i >= stretch {
			count(s[i-stretch], -1)
		}
		if (lower >= letters || upper >= letters) && digit <= 1 {
			return true
		}
	}
	return false
}
