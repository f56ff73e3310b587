package fingerprint

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds the nesting of one value.
const maxDepth = 128

// node is one parsed JSON value.
type node struct {
	kind     jsontext.Kind // of the value: '{', '[', '"', '0', 't', 'f' or 'n'
	text     string        // of a string: decoded; of a number: the token, after canonicalise the canonical text
	members  []member      // of an object, in canonical order
	elements []*node       // of an array
}

type member struct {
	name  string
	value *node
}

// parse reads exactly one value. It refuses what RFC 7493 forbids (duplicate
// names, invalid UTF-8, lone surrogates) and leaves numbers as they are.
func parse(raw jsontext.Value) (*node, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw))
	n, err := read(dec)
	if err == nil {
		if _, err = dec.ReadToken(); err == io.EOF {
			return n, nil
		}
		if err == nil {
			err = malformed("data after the value")
		}
	}
	return nil, translate(err)
}

func read(dec *jsontext.Decoder) (*node, error) {
	n := &node{kind: dec.PeekKind()}
	if n.kind == '0' {
		token, err := dec.ReadValue()
		n.text = string(token)
		return n, err
	}
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	if dec.StackDepth() > maxDepth {
		return nil, malformed("nested too deeply")
	}
	switch n.kind {
	case '"':
		n.text = token.String()
	case '[':
		for dec.PeekKind() != ']' {
			e, err := read(dec)
			if err != nil {
				return nil, err
			}
			n.elements = append(n.elements, e)
		}
		_, err = dec.ReadToken()
	case '{':
		for dec.PeekKind() != '}' {
			name, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			m := member{name: name.String()}
			if m.value, err = read(dec); err != nil {
				return nil, err
			}
			n.members = append(n.members, m)
		}
		slices.SortFunc(n.members, func(a, b member) int { return compareUTF16(a.name, b.name) })
		_, err = dec.ReadToken()
	}
	return n, err
}

// get returns a member of an object; nil when it is absent or n is none.
func (n *node) get(name string) *node {
	i, found := slices.BinarySearchFunc(n.members, name, func(m member, name string) int { return compareUTF16(m.name, name) })
	if !found {
		return nil
	}
	return n.members[i].value
}

// without returns a copy of an object without a member.
func (n *node) without(name string) *node {
	kept := *n
	kept.members = slices.DeleteFunc(slices.Clone(n.members), func(m member) bool { return m.name == name })
	return &kept
}

// with returns a copy of n in which the child old is replaced by child.
func (n *node) with(old, child *node) *node {
	changed := *n
	changed.members, changed.elements = slices.Clone(n.members), slices.Clone(n.elements)
	for i := range changed.members {
		if changed.members[i].value == old {
			changed.members[i].value = child
		}
	}
	for i := range changed.elements {
		if changed.elements[i] == old {
			changed.elements[i] = child
		}
	}
	return &changed
}

// compareUTF16 orders names by UTF-16 code units (RFC 8785 §3.2.3), which
// differs from byte order above U+FFFF only.
func compareUTF16(a, b string) int {
	for {
		ra, na := utf8.DecodeRuneInString(a)
		rb, nb := utf8.DecodeRuneInString(b)
		if na == 0 || nb == 0 {
			return cmp.Compare(na, nb)
		}
		if ra != rb {
			return cmp.Or(cmp.Compare(firstUnit(ra), firstUnit(rb)), cmp.Compare(ra, rb))
		}
		a, b = a[na:], b[nb:]
	}
}

func firstUnit(r rune) rune {
	if high, _ := utf16.EncodeRune(r); high != utf8.RuneError {
		return high
	}
	return r
}

// translate gives an error of the decoder one of the package's sentinels. The
// decoder's own text quotes the input and is dropped.
func translate(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return ErrDuplicateKey
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: invalid JSON at byte %d", ErrMalformed, syntax.ByteOffset)
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return malformed("invalid JSON: unexpected end")
	}
	return err
}
