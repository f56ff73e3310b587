package flow

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A term is a part of a text that names something by itself: an address, an
// account, a file, a name with figures or underscores. Terms are compared whole,
// so that short ones can be known, and "visit example.org" is not known by
// "visit".

// Bounds of a term, folded, in bytes.
const (
	minTerm = 5
	maxTerm = 96
)

// tokens calls found with every run of characters that addresses and names are
// made of, without the punctuation of the sentence around it.
func tokens(s string, found func(start, end int)) {
	for i := 0; i < len(s); {
		for i < len(s) && !ofToken(s, i) {
			i++
		}
		start := i
		for i < len(s) && ofToken(s, i) {
			i++
		}
		end := i
		for start < end && ornament(s[start]) && s[start] != '/' {
			start++
		}
		for start < end && ornament(s[end-1]) {
			end--
		}
		if end-start >= minTerm {
			found(start, end)
		}
	}
}

func ofToken(s string, i int) bool {
	c := s[i]
	return alnum(c) || c >= utf8.RuneSelf || strings.IndexByte("@._-/:+%#~$", c) >= 0
}

func ornament(c byte) bool { return strings.IndexByte("@._-/:+%#~$", c) >= 0 }

func alnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// names reports that a token names something: what it is after its scheme, and
// where its host ends (0: it has none of its own).
func names(token string) (from, host int, ok bool) {
	if i := strings.Index(token, "://"); i > 0 {
		from, ok = i+3, true
	} else if hasPrefixFold(token, "mailto:") {
		from = len("mailto:")
	}
	if hasPrefixFold(token[from:], "www.") {
		from, ok = from+4, true
	}
	rest := token[from:]
	if len(rest) < minTerm {
		return 0, 0, false
	}
	at, slash := strings.IndexByte(rest, '@'), strings.IndexByte(rest, '/')
	if at > 0 && strings.IndexByte(rest[at:], '.') > 0 {
		return from, 0, true
	}
	if slash > 0 && (ok || dotted(rest[:slash])) {
		return from, from + slash, true
	}
	return from, 0, ok || path(rest) || dotted(rest) || figured(rest)
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// path tells a path from two words with a slash between them, and from a date.
func path(s string) bool {
	return (s[0] == '/' || strings.Count(s, "/") > 1) && strings.ContainsFunc(s, unicode.IsLetter)
}

// dotted tells a host or a file name: its last part has letters alone.
func dotted(s string) bool {
	i := strings.LastIndexByte(s, '.')
	if i <= 0 || len(s)-i < 3 || len(s)-i > 12 {
		return false
	}
	for j := i + 1; j < len(s); j++ {
		if c := s[j]; !alnum(c) || c <= '9' {
			return false
		}
	}
	return true
}

// figured tells an account, a number or an identifier from a word, a date and a
// time of day.
func figured(s string) bool {
	digits, letters, joined := 0, 0, false
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case alnum(c) || c >= utf8.RuneSelf:
			letters++
		case c == '_':
			joined = true
		}
	}
	switch {
	case letters == 0:
		return digits >= 9
	case joined:
		return digits+letters >= minTerm
	}
	return digits >= 4
}

// phrases calls found with what stands between quotation marks, and with runs of
// two and more capitalised words: titles and names that a call repeats whole.
func phrases(s string, found func(start, end int)) {
	quoted(s, found)
	capitalised(s, found)
}

// maxPhrase is the longest quotation that is a term, in bytes.
const maxPhrase = 200

var quotes = [...]struct{ open, shut string }{
	{`"`, `"`}, {"'", "'"}, {"`", "`"}, {"“", "”"}, {"‘", "’"}, {"«", "»"}, {"„", "“"}, {"「", "」"},
}

func quoted(s string, found func(start, end int)) {
	for _, q := range quotes {
		for i := 0; i < len(s); {
			at := strings.Index(s[i:], q.open)
			if at < 0 {
				break
			}
			start := i + at + len(q.open)
			i = start
			if before := i - len(q.open) - 1; before >= 0 && alnum(s[before]) {
				continue // an apostrophe, or the end of a quotation
			}
			if n := strings.Index(s[start:min(len(s), start+maxPhrase)], q.shut); n > 0 {
				found(start, start+n)
				i = start + n + len(q.shut)
			}
		}
	}
}

// maxNames is how many capitalised words make one name at most.
const maxNames = 6

func capitalised(s string, found func(start, end int)) {
	first, end, words := 0, 0, 0
	flush := func() {
		if words >= 2 && words <= maxNames {
			found(first, end)
		}
		words = 0
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			if r != ' ' && r != '-' && r != '&' {
				flush()
			}
			i += n
			continue
		}
		start := i
		for i < len(s) {
			if c, m := utf8.DecodeRuneInString(s[i:]); unicode.IsLetter(c) || unicode.IsDigit(c) {
				i += m
			} else {
				break
			}
		}
		if !unicode.IsUpper(r) && !unicode.IsDigit(r) {
			flush()
			continue
		}
		if words == 0 {
			first = start
		}
		end = i
		words++
	}
	flush()
}
