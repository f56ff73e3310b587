package fingerprint

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Leaf is one scalar or empty container.
type Leaf struct {
	Pointer string // RFC 6901
	Value   []byte // canonical
	Digest  Digest // SHA-256(0x00 ‖ len ‖ pointer ‖ len ‖ value)
}

// Canonical returns the canonical text of a value.
func Canonical(raw jsontext.Value) ([]byte, error) {
	n, err := parseCanonical(raw)
	if err != nil {
		return nil, err
	}
	return n.append(nil), nil
}

// Leaves returns the leaves of a value in the order of its canonical text.
func Leaves(raw jsontext.Value) ([]Leaf, error) {
	n, err := parseCanonical(raw)
	if err != nil {
		return nil, err
	}
	var leaves []Leaf
	n.eachLeaf("", func(pointer string, value []byte) {
		leaves = append(leaves, Leaf{pointer, value, LeafDigest(pointer, value)})
	})
	return leaves, nil
}

func parseCanonical(raw jsontext.Value) (*node, error) {
	n, err := parse(raw)
	if err != nil {
		return nil, err
	}
	return n, n.canonicalise()
}

// canonicalise replaces number tokens by their canonical text.
func (n *node) canonicalise() (err error) {
	if n.kind == '0' {
		n.text, err = canonicalNumber(n.text)
		return err
	}
	for _, m := range n.members {
		if err := m.value.canonicalise(); err != nil {
			return err
		}
	}
	for _, e := range n.elements {
		if err := e.canonicalise(); err != nil {
			return err
		}
	}
	return nil
}

// append writes the canonical text of a canonicalised node.
func (n *node) append(b []byte) []byte {
	switch n.kind {
	case '0':
		return append(b, n.text...)
	case '"':
		return appendString(b, n.text)
	case '[':
		b = append(b, '[')
		for i, e := range n.elements {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.append(b)
		}
		return append(b, ']')
	case '{':
		b = append(b, '{')
		for i, m := range n.members {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, m.name), ':')
			b = m.value.append(b)
		}
		return append(b, '}')
	}
	return append(b, n.kind.String()...) // true, false, null
}

// appendString writes a string as RFC 8785 §3.2.2.2 does, which is what
// jsontext writes by default; names and texts of nodes are valid UTF-8.
func appendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s)
	return b
}

// eachLeaf visits the leaves below pointer in canonical order.
func (n *node) eachLeaf(pointer string, visit func(pointer string, value []byte)) {
	if len(n.members)+len(n.elements) == 0 {
		visit(pointer, n.append(nil))
		return
	}
	for _, m := range n.members {
		m.value.eachLeaf(pointer+"/"+escapeToken(m.name), visit)
	}
	for i, e := range n.elements {
		e.eachLeaf(pointer+"/"+strconv.Itoa(i), visit)
	}
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

func escapeToken(s string) string { return pointerEscaper.Replace(s) }

// LeafDigest is the digest of one leaf: its JSON Pointer and canonical value.
func LeafDigest(pointer string, value []byte) Digest {
	b := append(make([]byte, 0, 17+len(pointer)+len(value)), 0x00)
	return sha256.Sum256(appendSized(appendSized(b, pointer), string(value)))
}

// appendSized writes a byte count as unsigned 64-bit big-endian, then s.
func appendSized(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(s))), s...)
}
