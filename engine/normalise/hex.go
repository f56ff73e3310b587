package normalise

import "strings"

// hexClass is what a run of hexadecimal pairs is made of.
var hexClass = classOf("0123456789abcdefABCDEFxXuU+ :,-\r\n")

// hexText decodes runs of hexadecimal pairs that hold text, plain or separated
// by one space, colon, comma or hyphen, or prefixed by 0x or U+, over lines that
// an encoder broke.
func hexText(s string) string {
	var found []string
	var stack [64]byte // a digest in hexadecimal is no reason to allocate
	scratch := stack[:0]
	// Pairs never reach beyond a run of their class, which is long enough for
	// few words and numbers.
	for start, end := hexClass.nextRun(s, 0); start < len(s); start, end = hexClass.nextRun(s, end) {
		for at := start; at+1 < end; {
			if hexValue(s[at]) < 0 {
				at++
				continue
			}
			var next int
			scratch, next = hexRun(scratch[:0], s, at)
			if len(scratch) >= minRun/2 {
				if text, ok := Text(scratch); ok {
					found = append(found, text)
				}
			}
			at = max(next, at+1)
		}
	}
	return strings.Join(found, "\n")
}

// hexRun appends what the pairs from at stand for.
func hexRun(bytes []byte, s string, at int) (_ []byte, end int) {
	line := 0 // pairs before it
	for end = at; end+1 < len(s); {
		high, low := hexValue(s[end]), hexValue(s[end+1])
		switch {
		case hexPrefix(s, end) && end+3 < len(s) && hexValue(s[end+2]) >= 0:
			end += 2
			continue
		case high < 0 || low < 0:
			return bytes, end
		}
		bytes = append(bytes, byte(high<<4|low))
		end += 2
		if end < len(s) && separates[s[end]] {
			end++
			if end < len(s) && s[end] == ' ' {
				end++
			}
		}
		if len(bytes)-line >= minHexLine {
			if next := lineBreak(s, end); next > end {
				end, line = next, len(bytes)
			}
		}
	}
	return bytes, end
}

// minHexLine is how many pairs make a line that an encoder broke.
const minHexLine = 8

// lineBreak returns where the line after the break at i begins, i without one.
func lineBreak(s string, i int) int {
	switch rest := s[i:]; {
	case strings.HasPrefix(rest, "\n"):
		return i + 1
	case strings.HasPrefix(rest, "\r\n"):
		return i + 2
	}
	return i
}

// hexPrefix reports a 0x or U+ at i.
func hexPrefix(s string, i int) bool {
	return s[i] == '0' && s[i+1]|0x20 == 'x' || s[i]|0x20 == 'u' && s[i+1] == '+'
}

var separates = classOf(" :,-")

// hexRune reads exactly n hexadecimal digits.
func hexRune(s string, n int) (r rune, ok bool) {
	if len(s) < n {
		return 0, false
	}
	for i := range n {
		d := hexValue(s[i])
		if d < 0 || r > 0x10FFFF {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

func hexValue(c byte) int { return int(hexValues[c]) }

// hexValues is what a digit stands for, and -1 for other bytes.
var hexValues = func() (values [256]int8) {
	for i := range values {
		values[i] = -1
	}
	for i := range 10 {
		values['0'+i] = int8(i)
	}
	for i := range 6 {
		values['a'+i], values['A'+i] = int8(10+i), int8(10+i)
	}
	return values
}()
