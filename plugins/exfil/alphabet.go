package main

import "strings"

// alphabet names the bytes that the body of a token may hold.
type alphabet uint8

const (
	alnum    alphabet = iota // A-Z a-z 0-9
	word                     // alnum _
	url64                    // alnum - _
	hexLow                   // 0-9 a-f
	hexAny                   // 0-9 a-f A-F
	base32                   // A-Z 2-7
	lowNum                   // a-z 0-9
	upperNum                 // A-Z 0-9
	digits                   // 0-9
	base64                   // alnum + / =
	dotted                   // alnum - _ .
)

// alphabets has the bit of each alphabet that a byte belongs to.
var alphabets = func() (t [256]uint16) {
	for c := range t {
		for a := range alphabet(len(members)) {
			if strings.IndexByte(members[a], byte(c)) >= 0 {
				t[c] |= 1 << a
			}
		}
	}
	return t
}()

const (
	lowers   = "abcdefghijklmnopqrstuvwxyz"
	uppers   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	numerals = "0123456789"
)

var members = [...]string{
	alnum:    lowers + uppers + numerals,
	word:     lowers + uppers + numerals + "_",
	url64:    lowers + uppers + numerals + "-_",
	hexLow:   numerals + "abcdef",
	hexAny:   numerals + "abcdefABCDEF",
	base32:   uppers + "234567",
	lowNum:   lowers + numerals,
	upperNum: uppers + numerals,
	digits:   numerals,
	base64:   lowers + uppers + numerals + "+/=",
	dotted:   lowers + uppers + numerals + "-_.",
}

func (a alphabet) has(c byte) bool { return alphabets[c]>>a&1 != 0 }

// classes are the letters that stand for alphabets in the data files.
const classes = "w_bxXBludet"

// run returns where the run of bytes of a that begins at i ends.
func run(text string, i int, a alphabet) int {
	for i < len(text) && a.has(text[i]) {
		i++
	}
	return i
}
