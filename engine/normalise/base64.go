package normalise

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// minRun is the shortest run of an encoding's alphabet that is decoded: 16
// characters of base64 are 12 bytes, which are text by chance once in 10^4
// runs of random ones, and hardly ever in words.
const minRun = 16

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

var base64Class = classOf(base64Alphabet + "-_")

// base64Value is what a character stands for in either alphabet, and base64Break
// for a line break.
var base64Value = func() (value [256]byte) {
	for i, c := range []byte(base64Alphabet) {
		value[c] = byte(i)
	}
	value['-'], value['_'] = value['+'], value['/']
	value['\r'], value['\n'] = base64Break, base64Break
	return value
}()

const base64Break = 0x80

// base64Text decodes the runs that hold text, in either alphabet, padded or
// not, over line breaks. Where a run is none the parts between its marks may be,
// such as those of a path.
func base64Text(s string) string {
	var found []string
	whole := 0 // up to here no line is taken for the first of several
	for start, end := base64Class.nextRun(s, 0); start < len(s); start, end = base64Class.nextRun(s, end) {
		if start >= whole {
			if wrapped := wrappedEnd(s, start, end); wrapped > end {
				if text, ok := decodeRun(s[start:wrapped]); ok {
					found = append(found, text)
					end = wrapped
					continue
				}
				whole = wrapped
			}
		}
		if text, ok := decodeRun(s[start:end]); ok {
			found = append(found, text)
		} else {
			found = appendParts(found, s[start:end])
		}
	}
	return strings.Join(found, "\n")
}

// minPart is the shortest part of a run that is decoded: media are full of
// short ones.
const minPart = 24

// appendParts adds what the parts of a run hold that is none as a whole.
func appendParts(found []string, run string) []string {
	for from := 0; from+minPart <= len(run); {
		end := from
		for end < len(run) && joins(run[end]) {
			end++
		}
		if n := end - from; n >= minPart && n < len(run) {
			if text, ok := decodeRun(run[from:end]); ok && ofLetters(text) {
				found = append(found, text)
			}
		}
		from = end + 1
	}
	return found
}

// ofLetters reports whether most of a text is letters, digits and spaces, as
// what chance makes printable is not.
func ofLetters(s string) bool {
	good, total := 0, 0
	for _, r := range s {
		total++
		if r == ' ' || isLatin(r) || '0' <= r && r <= '9' || r >= utf8.RuneSelf && unicode.IsLetter(r) {
			good++
		}
	}
	return good*100 >= total*80
}

// An encoder's lines are as long as each other but for the last, or as long as
// this.
const longLine = 60

// wrappedEnd returns where the lines end that go on with the run from start to
// end.
func wrappedEnd(s string, start, end int) int {
	for width := end - start; ; {
		next := end
		for next < len(s) && (s[next] == '\r' || s[next] == '\n') {
			next++
		}
		if next == end || next == len(s) || !base64Class[s[next]] {
			return end
		}
		line := base64Class.endOf(s, next)
		if width < longLine && line-next > width {
			return end
		}
		end = line
		if width < longLine && line-next < width {
			return end
		}
	}
}

// decodeRun tries every alignment: a path or a word may be glued to the front.
func decodeRun(run string) (string, bool) {
	length := len(run) - strings.Count(run, "\n") - strings.Count(run, "\r")
	var stack [2][128]byte // most runs are words
	joined, out := stack[0][:0], stack[1][:]
	for skip := 0; skip < 4 && length-skip >= minRun; skip++ {
		size := base64.RawStdEncoding.DecodedLen(length - skip)
		if garbled(run[skip:], size) {
			continue
		}
		if len(joined) == 0 {
			joined = join(joined, run, length)
		}
		if size > len(out) {
			out = make([]byte, size)
		}
		body := joined[skip:]
		if len(body)%4 == 1 {
			body = body[:len(body)-1]
		}
		if n, err := base64.RawStdEncoding.Decode(out, body); err == nil {
			if text, ok := Text(out[:n]); ok {
				return text, true
			}
		}
	}
	return "", false
}

// join appends a run without line breaks and in the standard alphabet.
func join(joined []byte, run string, length int) []byte {
	joined = slices.Grow(joined, length)
	for _, c := range []byte(run) {
		switch c {
		case '-':
			c = '+'
		case '_':
			c = '/'
		case '\r', '\n':
			continue
		}
		joined = append(joined, c)
	}
	return joined
}
