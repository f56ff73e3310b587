package normalise

import (
	"encoding/base64"
	"slices"
	"strings"
)

// minRun is the shortest run of an encoding's alphabet that is decoded: 16
// characters of base64 are 12 bytes, which are text by chance once in 10^4
// runs of random ones, and hardly ever in words.
const minRun = 16

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

var base64Class = classOf(base64Alphabet + "-_")

// base64Value is what a character stands for in either alphabet.
var base64Value = func() (value [256]byte) {
	for i, c := range []byte(base64Alphabet) {
		value[c] = byte(i)
	}
	value['-'], value['_'] = value['+'], value['/']
	return value
}()

// base64Text decodes the runs that hold text, in either alphabet, padded or
// not, over line breaks.
func base64Text(s string) string {
	var found []string
	for start, end := base64Class.nextRun(s, 0); start < len(s); start, end = base64Class.nextRun(s, end) {
		first := end
		end = wrappedEnd(s, start, end)
		if text, ok := decodeRun(s[start:first], s[start:end]); ok {
			found = append(found, text)
		}
	}
	return strings.Join(found, "\n")
}

// wrappedEnd returns where the lines end that go on with a run. Lines of an
// encoder are long, and as long as each other.
func wrappedEnd(s string, start, end int) int {
	for end-start >= 60 {
		next := end
		for next < len(s) && (s[next] == '\r' || s[next] == '\n') {
			next++
		}
		if next == end || next == len(s) || !base64Class[s[next]] {
			break
		}
		end = base64Class.endOf(s, next)
	}
	return end
}

// decodeRun tries every alignment: a path or a word may be glued to the front.
// first is the run's first line, which is the whole run as a rule.
func decodeRun(first, run string) (string, bool) {
	length := len(run)
	if len(first) < len(run) {
		length -= strings.Count(run, "\n") + strings.Count(run, "\r")
	}
	var stack [2][128]byte // most runs are words
	joined, out := stack[0][:0], stack[1][:]
	for skip := 0; skip < 4 && length-skip >= minRun; skip++ {
		size := base64.RawStdEncoding.DecodedLen(length - skip)
		if garbled(first[skip:], size) {
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
