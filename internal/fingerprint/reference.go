package fingerprint

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Keywords of JSON Schema 2020-12 that matter for references.
var (
	referenceKeywords = map[string]bool{"$ref": true, "$dynamicRef": true, "$id": true}
	anchorKeywords    = map[string]bool{"$anchor": true, "$dynamicAnchor": true, "$id": true}
	// dataKeywords hold instances, not schemas.
	dataKeywords = map[string]bool{"const": true, "enum": true, "default": true, "examples": true}
	// mapKeywords hold schemas under names that the author chose.
	mapKeywords = map[string]bool{"properties": true, "patternProperties": true, "$defs": true,
		"definitions": true, "dependentSchemas": true, "dependencies": true}
)

// checkReferences refuses references that leave the schema document root. nil
// is an absent schema.
func checkReferences(root *node) error {
	if root == nil {
		return nil
	}
	r := &references{root: root, seen: map[*node]bool{}, anchors: map[string][]*node{}}
	r.collectAnchors(root)
	return r.schema(root)
}

// references walks schema positions. Values of unknown keywords count as
// schemas, because a local reference may lead to them; data does not, until a
// local reference leads into it and thereby makes it a schema.
type references struct {
	root    *node
	seen    map[*node]bool
	anchors map[string][]*node // every object that carries an anchor, data included
}

func (r *references) schema(n *node) error {
	if r.seen[n] {
		return nil
	}
	r.seen[n] = true
	for _, e := range n.elements {
		if err := r.schema(e); err != nil {
			return err
		}
	}
	for _, m := range n.members {
		if err := r.keyword(m); err != nil {
			return err
		}
	}
	return nil
}

func (r *references) keyword(m member) error {
	switch {
	case dataKeywords[m.name]:
		return nil
	case mapKeywords[m.name] && m.value.kind == '{':
		for _, named := range m.value.members {
			if err := r.schema(named.value); err != nil {
				return err
			}
		}
		return nil
	case referenceKeywords[m.name] && m.value.kind == '"':
		local, ok := strings.CutPrefix(m.value.text, "#")
		if !ok {
			return fmt.Errorf("%w: %s", ErrExternalReference, m.name)
		}
		if m.name == "$id" {
			return nil // an anchor of older drafts
		}
		for _, target := range r.resolve(local) {
			if err := r.schema(target); err != nil {
				return err
			}
		}
		return nil
	}
	return r.schema(m.value)
}

// resolve returns what a fragment may lead to: the target of a JSON Pointer, or
// every object that carries the anchor.
func (r *references) resolve(fragment string) []*node {
	if decoded, err := url.PathUnescape(fragment); err == nil {
		fragment = decoded
	}
	if fragment != "" && fragment[0] != '/' {
		return r.anchors[fragment]
	}
	n := r.root
	for token := range jsontext.Pointer(fragment).Tokens() {
		if n = n.child(token); n == nil {
			return nil
		}
	}
	return []*node{n}
}

func (r *references) collectAnchors(n *node) {
	for _, m := range n.members {
		if anchorKeywords[m.name] && m.value.kind == '"' {
			name := strings.TrimPrefix(m.value.text, "#") // "$id":"#name" is draft-06
			r.anchors[name] = append(r.anchors[name], n)
		}
		r.collectAnchors(m.value)
	}
	for _, e := range n.elements {
		r.collectAnchors(e)
	}
}
