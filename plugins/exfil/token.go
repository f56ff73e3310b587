package main

import (
	_ "embed"
	"hash/crc32"
)

// format is the published shape of one provider's token.
type format struct {
	provider string
	lead     []element // a class before the mark, or none
	mark     string    // the first characters that stand for themselves
	rest     []element // what is behind the mark
	tests    test
}

// test is what a token is put to besides its shape.
type test uint8

const (
	mixed test = 1 << iota // letters and digits both
	weak                   // no proof of a secret by itself
	runs                   // may repeat a character
	crc                    // ends with a checksum
	bare                   // no part of a host or file name
)

var tests = map[string]test{"mixed": mixed, "weak": weak, "runs": runs, "crc": crc, "bare": bare}

//go:embed tokens.txt
var tokenFile string

// formats is tokens.txt.
var formats = func() (all []format) {
	lines(tokenFile, func(fields []string) {
		f := format{provider: fields[0], rest: elements(fields[1])}
		if f.rest[0].text == "" {
			f.lead, f.rest = f.rest[:1], f.rest[1:]
		}
		f.mark, f.rest = f.rest[0].text, f.rest[1:]
		for _, name := range fields[2:] {
			t, known := tests[name]
			if !known {
				panic("exfil: test " + name)
			}
			f.tests |= t
		}
		all = append(all, f)
	})
	return all
}()

// byMark is the formats by the first two bytes of their marks, in their order:
// those of a pair are byMark[starts[pair]:starts[pair+1]]. A hundred formats can
// share a first byte with any word of a text.
var byMark, starts = func() (order []uint16, starts [1<<14 + 1]uint16) {
	pairs := make([]int, len(formats))
	for i := range formats {
		var ok bool
		if pairs[i], ok = pairOf(formats[i].mark, 0); !ok {
			panic("exfil: mark " + formats[i].mark)
		}
		starts[pairs[i]+1]++
	}
	for pair := range 1 << 14 {
		starts[pair+1] += starts[pair]
	}
	order = make([]uint16, len(formats))
	next := starts
	for i, pair := range pairs {
		order[next[pair]] = uint16(i)
		next[pair]++
	}
	return order, starts
}()

// pairOf numbers the two ASCII characters at text[i]; ok is false where there
// are no two.
func pairOf(text string, i int) (pair int, ok bool) {
	if i+1 >= len(text) || (text[i]|text[i+1]) >= 128 {
		return 0, false
	}
	return int(text[i])<<7 | int(text[i+1]), true
}

// match reports the format and the range of a token whose mark is at text[i]. A
// token is not the tail of a longer word and not followed by more of the same; of
// several formats it is of the one that explains most of it.
func match(text string, i int) (found *format, from, to int) {
	pair, ok := pairOf(text, i)
	if !ok {
		return nil, 0, 0
	}
	for _, n := range byMark[starts[pair]:starts[pair+1]] {
		f := &formats[n]
		if len(text)-i < len(f.mark) || text[i:i+len(f.mark)] != f.mark {
			continue
		}
		start := i
		if len(f.lead) > 0 {
			start = precede(text, i, f.lead[0])
		}
		if start < 0 || start > 0 && (alnum.has(text[start-1]) || f.tests&bare != 0 && joined(text[start-1])) {
			continue
		}
		body := i + len(f.mark)
		end := follow(text, body, f.rest)
		if end < 0 || end < len(text) && alnum.has(text[end]) {
			continue
		}
		if len(f.lead) > 0 {
			body = start
		}
		if (found == nil || to < end) && f.proves(text[body:end]) && !cut(text, end) {
			found, from, to = f, start, end
		}
	}
	return found, from, to
}

func joined(c byte) bool { return c == '.' || c == '/' || c == '-' || c == '_' }

// cut reports that a text goes on with dots, as one that is not shown whole.
func cut(text string, end int) bool {
	rest := text[end:]
	return len(rest) > 1 && rest[:2] == ".." || len(rest) > 2 && rest[:3] == "…" || len(rest) > 2 && rest[:3] == "***"
}

// proves puts the body of a token to the tests of its format.
func (f *format) proves(body string) bool {
	switch {
	case f.tests&runs == 0 && (placeholder(body) || sentence(body)), entropy(body) < 2.5, f.tests&mixed != 0 && !variety(body):
		return false
	}
	return true
}

// sentence reports words where random text should be: AppTokenGoesHere.
func sentence(body string) bool {
	return len(body) >= 12 && wordy(body) && shapeOf(body).digit*12 < len(body)
}

// hit is what a token of this format is reported as. One whose checksum is not
// its own may be mistyped, or made up: it counts, for less.
func (f *format) hit(text string, mark, start, end int) *hit {
	h := &hit{rule: ruleToken, confidence: 0.97, start: start, end: end, what: f.provider + " token"}
	switch {
	case f.tests&weak != 0:
		h.severity, h.confidence = "medium", 0.7
	case f.tests&crc != 0 && checksum(text[mark+len(f.mark):end]):
		h.confidence = 0.99
	case f.tests&crc != 0:
		h.confidence = 0.9
	}
	return h
}

// checksum reports that the last six characters of a body are the CRC-32 of the
// others, in base 62, as GitHub and npm have it.
func checksum(body string) bool {
	if len(body) < 7 {
		return false
	}
	sum := crc32.ChecksumIEEE([]byte(body[:len(body)-6]))
	for i := len(body) - 1; i >= len(body)-6; i-- {
		if body[i] != base62[sum%62] {
			return false
		}
		sum /= 62
	}
	return true
}

const base62 = numerals + uppers + lowers
