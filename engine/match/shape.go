package match

import (
	"fmt"
	"strconv"
	"strings"
)

// classes are those that a shape may name. All are ASCII, so that a match never
// ends inside a character that its literal bytes do not spell out.
var classes = map[byte]class{
	'd': ranges("09"),             // digit
	'x': ranges("09afAF"),         // hexadecimal digit
	'l': ranges("az"),             // lower-case letter
	'u': ranges("AZ"),             // upper-case letter
	'a': ranges("azAZ"),           // letter
	'w': ranges("09azAZ"),         // letter or digit
	'b': ranges("09azAZ+/--__"),   // base64, plain and URL-safe, without padding
	's': ranges("  \t\t\n\n\r\r"), // blank
	'p': ranges(" ~"),             // printable
}

// ranges makes a class of pairs of first and last bytes.
func ranges(pairs string) (c class) {
	for i := 0; i < len(pairs); i += 2 {
		c.addRange(pairs[i], pairs[i+1])
	}
	return c
}

// parseShape reads a shape by the grammar at Pattern.
func parseShape(shape string) ([]class, error) {
	var seq []class
	for i := 0; i < len(shape); {
		one, count := only(shape[i]), 1
		next := i + 1
		switch {
		case shape[i] != '<':
		case strings.HasPrefix(shape[i:], "<<"):
			next = i + 2
		default:
			end := strings.IndexByte(shape[i:], '>')
			if end < 2 {
				return nil, fmt.Errorf("%w: shape: at byte %d: want <class>, <class and count> or <<", ErrPattern, i)
			}
			var ok bool
			if one, ok = classes[shape[i+1]]; !ok {
				return nil, fmt.Errorf("%w: shape: at byte %d: class %q: want one of d x l u a w b s p", ErrPattern, i, shape[i+1])
			}
			next = i + end + 1
			if digits := shape[i+2 : next-1]; digits != "" {
				var err error
				if count, err = parseCount(digits); err != nil {
					return nil, fmt.Errorf("%w: shape: at byte %d: %w", ErrPattern, i, err)
				}
			}
		}
		if len(seq)+count > MaxBytes {
			return nil, fmt.Errorf("%w: shape: more than %d bytes", ErrPattern, MaxBytes)
		}
		for range count {
			seq = append(seq, one)
		}
		i = next
	}
	return seq, nil
}

func parseCount(digits string) (int, error) {
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n < 1 || n > MaxBytes || strconv.FormatUint(n, 10) != digits {
		return 0, fmt.Errorf("count %.8q: want 1 to %d", digits, MaxBytes)
	}
	return int(n), nil
}
