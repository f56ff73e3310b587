package strictyaml

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/goccy/go-yaml/ast"
)

// document is a YAML document as JSON, and where its parts came from.
type document struct {
	json   []byte
	places map[jsontext.Pointer]place
}

type place struct {
	line int
	key  string
}

// place finds a pointer, or the nearest part of the document around it.
func (d *document) place(p jsontext.Pointer) place {
	for {
		if at, ok := d.places[p]; ok || p == "" {
			return at
		}
		p = p.Parent()
	}
}

// bodyOf returns the one document of a file; nil if it is empty.
func bodyOf(file *ast.File) (ast.Node, error) {
	var body ast.Node
	for _, d := range file.Docs {
		if d.Body == nil || d.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			return nil, &Error{Line: lineOf(d.Body), Problem: "more than one document"}
		}
		body = d.Body
	}
	if body == nil || body.Type() == ast.NullType {
		return nil, nil
	}
	return body, nil
}

// translate writes a document as JSON, its keys without value as null or not
// at all.
func translate(body ast.Node, omitNull bool) (*document, error) {
	var b bytes.Buffer
	w := writer{
		enc:      jsontext.NewEncoder(&b),
		omitNull: omitNull,
		places:   map[jsontext.Pointer]place{},
	}
	if err := w.value(body, "", place{line: lineOf(body)}, 0); err != nil {
		return nil, err
	}
	return &document{json: b.Bytes(), places: w.places}, nil
}

type writer struct {
	enc      *jsontext.Encoder
	omitNull bool
	places   map[jsontext.Pointer]place
}

// value writes a node, which stands at a pointer in the JSON and at a place in
// the document.
func (w *writer) value(n ast.Node, ptr jsontext.Pointer, at place, depth int) error {
	w.places[ptr] = at
	key := at.key
	if depth > maxDepth {
		return &Error{Line: lineOf(n), Key: key, Problem: tooDeep}
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return w.mapping(n.Values, ptr, key, depth)
	case *ast.MappingValueNode:
		return w.mapping([]*ast.MappingValueNode{n}, ptr, key, depth)
	case *ast.SequenceNode:
		return w.sequence(n, ptr, key, depth)
	case *ast.StringNode:
		return w.enc.WriteToken(jsontext.String(n.Value))
	case *ast.LiteralNode:
		return w.enc.WriteToken(jsontext.String(n.Value.Value))
	case *ast.BoolNode:
		return w.enc.WriteToken(jsontext.Bool(n.Value))
	case *ast.NullNode:
		return w.enc.WriteToken(jsontext.Null)
	case *ast.IntegerNode, *ast.FloatNode:
		return w.number(n, key)
	default:
		return &Error{Line: lineOf(n), Key: key, Problem: "not allowed in configuration"}
	}
}

func (w *writer) mapping(values []*ast.MappingValueNode, ptr jsontext.Pointer, key string, depth int) error {
	if err := w.enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, v := range values {
		text, ok := v.Key.(*ast.StringNode)
		if !ok {
			return &Error{Line: lineOf(v.Key), Key: key, Problem: "keys must be text; quote this one"}
		}
		name := text.Value
		path := name
		if key != "" {
			path = key + "." + name
		}
		if seen[name] {
			return &Error{Line: lineOf(v.Key), Key: path, Problem: "duplicate key"}
		}
		seen[name] = true
		if w.omitNull && v.Value.Type() == ast.NullType {
			continue
		}
		if err := w.enc.WriteToken(jsontext.String(name)); err != nil {
			return err
		}
		if err := w.value(v.Value, ptr.AppendToken(name), place{lineOf(v.Key), path}, depth+1); err != nil {
			return err
		}
	}
	return w.enc.WriteToken(jsontext.EndObject)
}

func (w *writer) sequence(n *ast.SequenceNode, ptr jsontext.Pointer, key string, depth int) error {
	if err := w.enc.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for i, v := range n.Values {
		path := fmt.Sprintf("%s[%d]", key, i)
		if v.Type() == ast.NullType {
			return &Error{Line: lineOf(v), Key: path, Problem: "empty element"}
		}
		if err := w.value(v, ptr.AppendToken(strconv.Itoa(i)), place{lineOf(v), path}, depth+1); err != nil {
			return err
		}
	}
	return w.enc.WriteToken(jsontext.EndArray)
}

var decimal = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`)

// number copies a number as it is written: 010, 0x10 and 1_000 are numbers in
// some readers' YAML and other numbers, or none, in others'.
func (w *writer) number(n ast.Node, key string) error {
	text := n.GetToken().Value
	if !decimal.MatchString(text) {
		return &Error{Line: lineOf(n), Key: key, Problem: "write numbers in plain decimal, or quote text"}
	}
	return w.enc.WriteValue(jsontext.Value(text))
}

// lineOf is 1 where the parser kept no position.
func lineOf(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 1
}
