// Package lockyaml reads lockfiles that are YAML, as their tools write them:
// one document of mappings, lists and scalars. What YAML has besides (anchors,
// aliases, tags, merge keys, directives, further documents) no tool writes into
// a lockfile, and readers disagree about it: it is refused, and so is a key that
// occurs twice.
//
// It knows YAML. It must not know any lockfile's format.
package lockyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Errors of the package.
var (
	ErrMalformed = errors.New("malformed YAML lockfile")
	ErrTooLarge  = errors.New("YAML lockfile exceeds a limit")
)

// Limits of one file. Lockfiles of the largest public workspaces fit; a parsed
// document takes about a hundred times the separators in it.
const (
	MaxBytes      = 4 << 20
	maxSeparators = 256 << 10 // newlines, commas and opening brackets
	maxDepth      = 32
)

// Node is a value of a document. The zero Node is an absent one: it has no text
// and no entries.
type Node struct{ n *yaml.Node }

// Parse reads a document whose top is a mapping.
func Parse(b []byte) (Node, error) {
	switch {
	case len(b) > MaxBytes:
		return Node{}, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxBytes)
	case !utf8.Valid(b):
		return Node{}, fmt.Errorf("%w: not UTF-8", ErrMalformed)
	case bytes.HasPrefix(b, []byte("%")) || bytes.Contains(b, []byte("\n%")):
		return Node{}, fmt.Errorf("%w: a directive", ErrMalformed)
	}
	separators, open, deepest := 0, 0, 0
	for _, c := range b {
		switch c {
		case '{', '[':
			open++
			separators++
		case '}', ']':
			open--
		case '\n', ',', '\r':
			separators++
		}
		deepest = max(deepest, open)
	}
	if separators > maxSeparators || deepest > maxSeparators/16 {
		return Node{}, fmt.Errorf("%w: more than %d values", ErrTooLarge, maxSeparators)
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return Node{}, fmt.Errorf("%w: not YAML", ErrMalformed)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return Node{}, fmt.Errorf("%w: more than one document", ErrMalformed)
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return Node{}, fmt.Errorf("%w: not a mapping", ErrMalformed)
	}
	return Node{doc.Content[0]}, check(doc.Content[0], 0)
}

func check(n *yaml.Node, depth int) error {
	switch {
	case depth > maxDepth:
		return fmt.Errorf("%w: nested more than %d deep", ErrTooLarge, maxDepth)
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return fmt.Errorf("%w: an anchor or alias in line %d", ErrMalformed, n.Line)
	case n.Style&yaml.TaggedStyle != 0:
		return fmt.Errorf("%w: a tag in line %d", ErrMalformed, n.Line)
	}
	seen := map[string]bool{}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			switch {
			case c.Kind != yaml.ScalarNode:
				return fmt.Errorf("%w: a key that is no text in line %d", ErrMalformed, c.Line)
			case seen[c.Value] || c.Tag == "!!merge":
				return fmt.Errorf("%w: a key that occurs twice or merges in line %d", ErrMalformed, c.Line)
			}
			seen[c.Value] = true
		}
		if err := check(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// Get is the value of a key, absent when there is none or n is no mapping.
func (n Node) Get(key string) Node {
	for k, v := range n.Entries() {
		if k == key {
			return v
		}
	}
	return Node{}
}

// Entries are the keys and values of a mapping, in the order of the file.
func (n Node) Entries() iter.Seq2[string, Node] {
	return func(yield func(string, Node) bool) {
		if n.n == nil || n.n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.n.Content); i += 2 {
			if !yield(n.n.Content[i].Value, Node{n.n.Content[i+1]}) {
				return
			}
		}
	}
}

// Text is a scalar as it is written, quotes removed: 1.10 stays 1.10.
func (n Node) Text() string {
	if n.n == nil || n.n.Kind != yaml.ScalarNode || n.n.Tag == "!!null" {
		return ""
	}
	return n.n.Value
}

// True tells a plain true from everything else.
func (n Node) True() bool { return n.n != nil && n.n.Tag == "!!bool" && n.n.Value == "true" }

// IsMapping tells keys and values from everything else.
func (n Node) IsMapping() bool { return n.n != nil && n.n.Kind == yaml.MappingNode }

// Present tells a value, of whatever kind, from an absent one.
func (n Node) Present() bool { return n.n != nil }

// List are the texts of a list; values of other kinds are left out.
func (n Node) List() []string {
	if n.n == nil || n.n.Kind != yaml.SequenceNode {
		return nil
	}
	out := []string{}
	for _, c := range n.n.Content {
		if v := (Node{c}); c.Kind == yaml.ScalarNode {
			out = append(out, v.Text())
		}
	}
	return out
}
