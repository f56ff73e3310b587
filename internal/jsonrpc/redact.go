package jsonrpc

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Span is a range [Start, End) of UTF-8 bytes in a decoded string.
type Span struct{ Start, End int }

// RedactString replaces spans of the string at ptr by replacement and keeps
// every byte outside them. Spans are widened to whole runes and whole escapes;
// spans that then touch become one. An empty span, or one outside the string,
// is ErrEdit: nothing is half-redacted.
func RedactString(doc []byte, ptr jsontext.Pointer, spans []Span, replacement string) ([]byte, error) {
	value, start, _, err := Get(doc, ptr)
	if err != nil {
		return nil, err
	}
	if value.Kind() != '"' {
		return nil, fmt.Errorf("%w: the value is not a string", ErrEdit)
	}
	quoted, err := jsontext.AppendQuote(nil, replacement)
	if err != nil {
		return nil, fmt.Errorf("%w: the replacement is not UTF-8", ErrEdit)
	}
	edits, err := redactions(value[1:len(value)-1], spans)
	if err != nil {
		return nil, err
	}
	for i := range edits {
		edits[i].Start += start + 1
		edits[i].End += start + 1
		edits[i].New = quoted[1 : len(quoted)-1]
	}
	return Splice(doc, edits...)
}

// redactions finds the raw ranges of body, the inside of a JSON string, whose
// decoded bytes any span touches.
func redactions(body []byte, spans []Span) ([]Edit, error) {
	spans = slices.SortedFunc(slices.Values(spans), func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	var edits []Edit
	decoded, next, cover := 0, 0, 0 // cover: where the spans begun so far end
	for at := 0; at < len(body); {
		rawLen, size, err := unit(body[at:])
		if err != nil {
			return nil, err
		}
		for ; next < len(spans) && spans[next].Start < decoded+size; next++ {
			if s := spans[next]; s.Start < 0 || s.End <= s.Start {
				return nil, fmt.Errorf("%w: span %d to %d", ErrEdit, s.Start, s.End)
			}
			cover = max(cover, spans[next].End)
		}
		if cover > decoded {
			if n := len(edits); n > 0 && edits[n-1].End == at {
				edits[n-1].End = at + rawLen
			} else {
				edits = append(edits, Edit{Start: at, End: at + rawLen})
			}
		}
		at, decoded = at+rawLen, decoded+size
	}
	if next < len(spans) || cover > decoded {
		return nil, fmt.Errorf("%w: a span ends outside a string of %d bytes", ErrEdit, decoded)
	}
	return edits, nil
}

// unit measures the first rune or escape of a valid string body: its raw
// length and the UTF-8 length of what it decodes to.
func unit(b []byte) (rawLen, decodedLen int, err error) {
	if b[0] != '\\' {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n <= 1 {
			return 0, 0, malformed("invalid UTF-8 in a string")
		}
		return n, n, nil
	}
	if len(b) < 2 {
		return 0, 0, malformed("unfinished escape")
	}
	if b[1] != 'u' {
		return 2, 1, nil
	}
	high, ok := hex4(b)
	if !ok {
		return 0, 0, malformed("unfinished escape")
	}
	if !utf16.IsSurrogate(high) {
		return 6, utf8.RuneLen(high), nil
	}
	low, ok := hex4(b[6:])
	if r := utf16.DecodeRune(high, low); ok && r != utf8.RuneError {
		return 12, utf8.RuneLen(r), nil
	}
	return 0, 0, malformed("lone surrogate")
}

// hex4 reads the code unit of the \uXXXX escape that b starts with.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
