package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/swar"
)

// lowercase gives parts of a text in lower case. Rules look at much the same
// part of a text for each word that the host found in it: where that is ASCII it
// is made lower case once.
type lowercase struct {
	text     string
	from, to int    // of the part at hand
	low      string // it in lower case; "" where it is not all ASCII
}

// lowerAhead is how much is made lower case at once, in bytes, and lowerBehind
// what of it lies before what was asked for.
const (
	lowerAhead  = 4 << 10
	lowerBehind = 512
)

// about turns to another text, unless it is the one at hand.
func (l *lowercase) about(text string) {
	if l.text != text {
		*l = lowercase{text: text}
	}
}

// of returns text[from:to] in lower case.
func (l *lowercase) of(from, to int) string {
	if l.to == 0 || from < l.from || to > l.to {
		l.from, l.to = max(0, from-lowerBehind), min(len(l.text), max(to, from+lowerAhead))
		l.low = lowerASCII(l.text[l.from:l.to])
	}
	if l.low == "" {
		return strings.ToLower(l.text[from:to])
	}
	return l.low[from-l.from : to-l.from]
}

// lowerASCII returns a text in lower case, "" if it is not all ASCII.
func lowerASCII(text string) string {
	b := make([]byte, len(text))
	i := 0
	for ; i+8 <= len(text); i += 8 {
		v := swar.Load(text, i)
		if v&swar.Highs != 0 {
			return ""
		}
		// The high bit of a byte is set from 'A' to 'Z'; a quarter of it is the bit of lower case.
		capital := (v + swar.Ones*(0x80-'A')) &^ (v + swar.Ones*(0x80-'Z'-1)) & swar.Highs
		swar.Store(b, i, v|capital>>2)
	}
	for ; i < len(text); i++ {
		c := text[i]
		if c >= 0x80 {
			return ""
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b[i] = c
	}
	return string(b)
}
