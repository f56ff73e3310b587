package message

import (
	"encoding/base64"
	"strings"
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
