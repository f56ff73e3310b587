package stricttoml

import (
	"bytes"
	"fmt"
)

// flat refuses nesting that would exhaust the stack of a parser which recurses,
// before one sees the document. Values nest by brackets, keys by dots; neither
// counts within strings and comments.
func flat(b []byte) error {
	depth, dots := 0, 0
	for i := 0; i < len(b); i++ {
		switch c := b[i]; c {
		case '"', '\'':
			end := stringEnd(b[i:], c)
			if end < 0 {
				return fmt.Errorf("%w: a string without an end", ErrMalformed)
			}
			i += end - 1
		case '#':
			if n := bytes.IndexByte(b[i:], '\n'); n >= 0 {
				i += n - 1
			} else {
				return nil
			}
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case '.':
			dots++
		case '\n', ',':
			dots = 0
		}
		if depth > MaxDepth || dots > MaxDepth {
			return fmt.Errorf("%w: nested more than %d deep", ErrTooLarge, MaxDepth)
		}
	}
	return nil
}

// stringEnd is the length of the string that b begins with, or -1.
func stringEnd(b []byte, quote byte) int {
	three := []byte{quote, quote, quote}
	if bytes.HasPrefix(b, three) {
		for i := 3; i < len(b); i++ {
			switch {
			case b[i] == '\\' && quote == '"':
				i++
			case bytes.HasPrefix(b[i:], three):
				i += 3
				for n := 0; n < 2 && i < len(b) && b[i] == quote; n++ {
					i++ // up to two quotes may stand before the end
				}
				return i
			}
		}
		return -1
	}
	for i := 1; i < len(b); i++ {
		switch {
		case b[i] == '\n':
			return -1
		case b[i] == '\\' && quote == '"':
			i++
		case b[i] == quote:
			return i + 1
		}
	}
	return -1
}
