package message

import (
	"bytes"
	"encoding/base64"
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
	joined := make([]byte, 0, len(s))
	for _, c := range []byte(s) {
		switch class := mediaClass[c]; {
		case c == '\n' || c == '\r':
		case class == 0:
			return nil, false
		default:
			joined = append(joined, class)
		}
	}
	joined = bytes.TrimRight(joined, "=")
	b = make([]byte, base64.RawStdEncoding.DecodedLen(len(joined)))
	n, err := base64.RawStdEncoding.Decode(b, joined)
	return b[:n], err == nil
}

// mediaClass is the standard alphabet's character for one of either, 0 for the
// bytes that are in none.
var mediaClass = func() (class [256]byte) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") {
		class[c] = c
	}
	class['-'], class['_'] = '+', '/'
	return class
}()

// wordy reports whether some stretch of 64 bytes has 45 letters of one case and
// at most one digit. Words do; in base64 of random bytes one stretch in 10^8
// does. Zero bytes encode to runs of A, which do not count.
func wordy(s string) bool {
	const stretch, letters = 64, 45
	var counts uint32
	for i := range len(s) {
		counts += wordyCounts[s[i]]
		if i >= stretch {
			counts -= wordyCounts[s[i-stretch]]
		}
		if lower, upper, digit := counts&0xff, counts>>8&0xff, counts>>16; (lower >= letters || upper >= letters) && digit <= 1 {
			return true
		}
	}
	return false
}

// wordyCounts adds one to the byte of a sum that counts a class: lower case,
// upper case but A, digits.
var wordyCounts = func() (counts [256]uint32) {
	for c := 'a'; c <= 'z'; c++ {
		counts[c] = 1
	}
	for c := 'B'; c <= 'Z'; c++ {
		counts[c] = 1 << 8
	}
	for c := '0'; c <= '9'; c++ {
		counts[c] = 1 << 16
	}
	return counts
}()
