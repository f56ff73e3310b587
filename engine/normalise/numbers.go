package normalise

import (
	"strings"
	"unicode/utf8"
)

// numberClass is what a list of character codes is made of.
var numberClass = classOf("0123456789 ,;|/-\t\r\n")

// Bounds of a list of character codes, so that lists of other numbers are none.
const (
	minCodes    = 12 // in base eight or ten
	minBinary   = 8  // in base two, of seven digits or eight
	longestCode = 8  // digits
)

// numberText decodes lists of character codes in base ten, eight or two, and
// bits without a gap.
func numberText(s string) string {
	var found []string
	var stack [64]number
	for start, end := numberClass.nextRun(s, 0); start < len(s); start, end = numberClass.nextRun(s, end) {
		list := stack[:0]
		for i := start; i < end; {
			n, next := readNumber(s, i, end)
			switch {
			case next == i:
				i++
				continue
			case n.digits <= longestCode:
				list = append(list, n)
			default:
				found = appendText(found, list)
				list = list[:0]
				if text, ok := bitText(s[i:next]); ok {
					found = append(found, text)
				}
			}
			i = next
		}
		found = appendText(found, list)
	}
	return strings.Join(found, "\n")
}

// number is what digits stand for in each base, -1 where they are none of it.
type number struct{ digits, two, eight, ten int }

func readNumber(s string, i, end int) (n number, next int) {
	for next = i; next < end && '0' <= s[next] && s[next] <= '9'; next++ {
		if n.digits++; n.digits > longestCode {
			continue
		}
		d := int(s[next] - '0')
		n.ten = n.ten*10 + d
		n.eight = inBase(8, n.eight, d)
		n.two = inBase(2, n.two, d)
	}
	return n, next
}

func inBase(base, value, digit int) int {
	if value < 0 || digit >= base {
		return -1
	}
	return value*base + digit
}

func (n number) binary() int {
	if n.digits < longestCode-1 {
		return -1
	}
	return n.two
}

func (n number) octal() int   { return n.eight }
func (n number) decimal() int { return n.ten }

// appendText adds what a list of numbers spells in the first base in which it
// spells anything.
func appendText(found []string, list []number) []string {
	if len(list) < minBinary {
		return found
	}
	text, ok := spelled(list, number.binary)
	if !ok && len(list) >= minCodes {
		if text, ok = spelled(list, number.decimal); !ok {
			text, ok = spelled(list, number.octal)
		}
	}
	if ok {
		found = append(found, text)
	}
	return found
}

// spelled returns the characters of which a list has the codes, if nearly all
// are letters or spaces, and there are both.
func spelled(list []number, code func(number) int) (text string, ok bool) {
	letters, spaces, rest := 0, 0, len(list)*15/100
	for _, n := range list {
		switch c := code(n); {
		case c == ' ':
			spaces++
		case c > 0 && isLatin(rune(c)):
			letters++
		default:
			if rest--; rest < 0 {
				return "", false
			}
		}
	}
	if letters == 0 || spaces == 0 {
		return "", false
	}
	var out strings.Builder
	for _, n := range list {
		if c := code(n); c >= ' ' && c <= utf8.MaxRune || c == '\n' {
			out.WriteRune(rune(c))
		}
	}
	return out.String(), true
}

// bitText decodes bits, eight to a byte.
func bitText(bits string) (text string, ok bool) {
	if len(bits)%8 != 0 || len(bits) < 8*minBinary {
		return "", false
	}
	for i := range len(bits) {
		if bits[i]&^1 != '0' {
			return "", false
		}
	}
	out := make([]byte, len(bits)/8)
	for i := range len(bits) {
		out[i/8] = out[i/8]<<1 | bits[i]&1
	}
	return Text(out)
}
