package match

import (
	"errors"
	"fmt"
)

// ErrPattern is wrapped by every refusal of Compile, which names the pattern by
// its index and the bound that it breaks.
var ErrPattern = errors.New("pattern")

// Lengths of a pattern in bytes of text, and the number that one automaton takes.
const (
	MinBytes    = 2
	MaxBytes    = 256
	MaxPatterns = 1 << 16
)

// Pattern is what is looked for. Exactly one of Text and Shape is set.
//
// A shape is a sequence of bytes and of classes of bytes:
//
//	shape = 1*(byte / "<<" / "<" class [count] ">")
//	class = "d" ; digit
//	      / "x" ; hexadecimal digit
//	      / "l" ; lower-case letter
//	      / "u" ; upper-case letter
//	      / "a" ; letter
//	      / "w" ; letter or digit
//	      / "b" ; base64, plain and URL-safe, without padding
//	      / "s" ; space, tab, line feed or carriage return
//	      / "p" ; printable character, space included
//	count = 1 to 256, without leading zeros
//
// Every byte but "<" stands for itself and "<<" for one "<". All classes are
// ASCII. There is no choice, no option and no repetition without a count, so
// that all matches have one length: "ghp_<w36>", "<d4> <d4> <d4> <d4>". Somewhere
// two neighbours must stand for at most 2048 pairs, cases being equal.
type Pattern struct {
	Text  string // the bytes themselves
	Shape string
	Exact bool // letters of ASCII match in their own case only, also in classes
}

// Hit is one occurrence: text[Start:End] matches the pattern of that index.
type Hit struct{ Pattern, Start, End int32 }

// positions returns what a pattern wants byte for byte.
func (p Pattern) positions() ([]class, error) {
	var seq []class
	switch {
	case (p.Text == "") == (p.Shape == ""):
		return nil, fmt.Errorf("%w: want either a text or a shape", ErrPattern)
	case len(p.Text) > MaxBytes:
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrPattern, len(p.Text), MaxBytes)
	case p.Text != "":
		for i := range len(p.Text) {
			seq = append(seq, only(p.Text[i]))
		}
	default:
		var err error
		if seq, err = parseShape(p.Shape); err != nil {
			return nil, err
		}
	}
	if len(seq) < MinBytes {
		return nil, fmt.Errorf("%w: matches %d byte, at least %d", ErrPattern, len(seq), MinBytes)
	}
	if !p.Exact {
		for i := range seq {
			seq[i] = seq[i].folded()
		}
	}
	return seq, nil
}

// Check reports why Compile would refuse a pattern whatever stands beside it.
func (p Pattern) Check() error {
	seq, err := p.positions()
	if err != nil || p.Text != "" {
		return err
	}
	_, err = anchorOf(seq)
	return err
}
