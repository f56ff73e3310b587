package rulepack

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// maxShapes is how many shapes of one length each may stand for one that has
// ranges.
const maxShapes = 64

var (
	errShape = fmt.Errorf("want characters and classes such as <d4> or <d4-8>, %d lengths at most", maxShapes)
	errClass = errors.New("a class such as <d4> or <d4-8> was expected after <; a single < is written <<")

	classForm = regexp.MustCompile(`^<([dxluawbsp])([1-9][0-9]{0,2})?(?:-([1-9][0-9]{0,2}))?>`)
)

// expand writes a shape with ranges as shapes without.
func expand(shape string) ([]string, error) {
	all := []string{""}
	for rest := shape; rest != ""; {
		piece, ways, err := next(rest)
		if err != nil {
			return nil, err
		}
		if len(all)*len(ways) > maxShapes {
			return nil, errShape
		}
		longer := make([]string, 0, len(all)*len(ways))
		for _, begun := range all {
			for _, way := range ways {
				longer = append(longer, begun+way)
			}
		}
		all, rest = longer, rest[len(piece):]
	}
	return all, nil
}

// next takes one piece off a shape and returns what it may stand for.
func next(rest string) (piece string, ways []string, err error) {
	switch {
	case strings.HasPrefix(rest, "<<"):
		return "<<", []string{"<<"}, nil
	case rest[0] != '<':
		return rest[:1], []string{rest[:1]}, nil
	}
	m := classForm.FindStringSubmatch(rest)
	if m == nil {
		return "", nil, errClass
	}
	if m[3] == "" {
		return m[0], []string{m[0]}, nil
	}
	from, _ := strconv.Atoi("0" + m[2]) // three digits at most
	to, _ := strconv.Atoi(m[3])
	if from < 1 || from > to || to-from >= maxShapes {
		return "", nil, errShape
	}
	for n := from; n <= to; n++ {
		ways = append(ways, fmt.Sprintf("<%s%d>", m[1], n))
	}
	return m[0], ways, nil
}

// words are the classes of which a longer run would be another match.
const words = "dxluaw"

// textEdges are the ends of a phrase that are letters or digits of ASCII:
// whether the phrase is a word of its own is seen there and nowhere else.
func textEdges(text string) (edges uint32) {
	if alphanumeric(text[0]) {
		edges |= before
	}
	if alphanumeric(text[len(text)-1]) {
		edges |= after
	}
	return edges
}

func shapeEdges(shape string) (edges uint32) {
	if edge(shape, true) {
		edges |= before
	}
	if edge(shape, false) {
		edges |= after
	}
	return edges
}

func edge(shape string, first bool) (word bool) {
	for rest := shape; rest != ""; {
		piece, _, err := next(rest)
		if err != nil {
			return false
		}
		if len(piece) > 2 {
			word = strings.Contains(words, piece[1:2])
		} else {
			word = alphanumeric(piece[0])
		}
		if first {
			return word
		}
		rest = rest[len(piece):]
	}
	return word
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
