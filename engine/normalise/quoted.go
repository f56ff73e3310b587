package normalise

import "strings"

// quotedPrintable decodes the encoding of mail (RFC 2045 section 6.7), in texts
// that are in it beyond doubt: the sign of equality has other uses.
func quotedPrintable(s string) string {
	if !isQuotedPrintable(s) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		b, used := quoted(s[i:])
		switch {
		case used == 0:
			out = append(out, s[i])
			i++
		case b >= 0:
			out = append(out, byte(b))
			fallthrough
		default:
			i += used
		}
	}
	return validText(out)
}

// quoted reads what begins with =: the byte that it stands for, or -1 for a line
// break that is none, and its length, 0 for anything else.
func quoted(s string) (b, used int) {
	if s[0] != '=' || len(s) < 2 {
		return 0, 0
	}
	switch {
	case s[1] == '\n':
		return -1, 2
	case len(s) < 3:
		return 0, 0
	case s[1] == '\r' && s[2] == '\n':
		return -1, 3
	}
	high, low := hexValue(s[1]), hexValue(s[2])
	if high < 0 || low < 0 {
		return 0, 0
	}
	return high<<4 | low, 3
}

// Of what it takes at least one to be quoted-printable for certain.
const (
	minAdjacent = 3 // encoded bytes that follow another
	minSoft     = 2 // line breaks within a word
	minCapital  = 4 // encoded bytes that a letter is needed for, as =3D
)

func isQuotedPrintable(s string) bool {
	adjacent, soft, capital := 0, 0, 0
	for at := strings.IndexByte(s, '='); at >= 0; {
		b, used := quoted(s[at:])
		end := at + max(used, 1)
		switch {
		case used == 0:
		case b < 0:
			if at > 0 && latinByte(s[at-1]) && end < len(s) && latinByte(s[end]) {
				soft++
			}
		default:
			if isCapital(s[at+1]) || isCapital(s[at+2]) {
				capital++
			}
			if end < len(s) && s[end] == '=' {
				if b, _ := quoted(s[end:]); b > 0 {
					adjacent++
				}
			}
		}
		if adjacent >= minAdjacent || soft >= minSoft || capital >= minCapital {
			return true
		}
		next := strings.IndexByte(s[end:], '=')
		if next < 0 {
			break
		}
		at = end + next
	}
	return false
}

func isCapital(c byte) bool { return 'A' <= c && c <= 'F' }
