package clients

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/tailscale/hujson"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// maxDepth bounds nesting before a recursive reader sees the file. Brackets in
// strings count too, so it is generous.
const maxDepth = 100_000

// document is a JSON file with comments and trailing commas.
type document struct {
	src []byte
	// strict is the same file as plain JSON: comments, trailing commas and a
	// byte order mark are spaces, so that offsets in it are offsets in src.
	strict  jsontext.Value
	newline string
	unit    string // one level of indentation
}

var byteOrderMark = []byte("\uFEFF")

// readJSON refuses what is not one object without duplicate names.
func readJSON(src []byte) (*document, error) {
	if len(src) > maxFile || tooDeep(src) {
		return nil, fmt.Errorf("%w: too large", ErrUnreadable)
	}
	blank := bytes.Clone(src)
	if bytes.HasPrefix(blank, byteOrderMark) {
		copy(blank, "   ")
	}
	if len(bytes.TrimSpace(blank)) == 0 {
		return &document{src: src, newline: newlineOf(src), unit: "  "}, nil
	}
	strict, err := hujson.Standardize(blank)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	d := &document{src: src, strict: strict, newline: newlineOf(src), unit: "  "}
	members, err := jsonrpc.Members(d.strict)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if len(members) > 0 {
		if indent, first := d.indentation(members[0].KeyStart); first && indent != "" {
			d.unit = indent
		}
	}
	return d, nil
}

func tooDeep(src []byte) bool {
	depth := 0
	for _, c := range src {
		switch c {
		case '{', '[':
			if depth++; depth > maxDepth {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

// indentation is the white space that the line at an offset begins with, and
// whether nothing else stands before the offset.
func (d *document) indentation(at int) (string, bool) {
	line := d.src[bytes.LastIndexByte(d.src[:at], '\n')+1 : at]
	blank := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
	return string(blank), len(blank) == len(line)
}

// container is an object or array of the document. Offsets are the document's.
type container struct {
	open, close int // of the brackets
	items       []item
}

type item struct {
	name             string
	start            int // of the name, in objects
	valueStart, stop int // of the value
}

// root is the whole document; an empty one has none.
func (d *document) root() (*container, error) {
	return d.object(0, len(d.strict))
}

func (d *document) object(start, stop int) (*container, error) {
	members, err := jsonrpc.Members(d.strict[start:stop])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	c := d.brackets(start, stop, '{')
	for _, m := range members {
		c.items = append(c.items, item{m.Name, start + m.KeyStart, start + m.Start, start + m.End})
	}
	return c, nil
}

func (d *document) array(start, stop int) (*container, error) {
	elements, err := jsonrpc.Elements(d.strict[start:stop])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	c := d.brackets(start, stop, '[')
	for _, e := range elements {
		c.items = append(c.items, item{"", start + e.Start, start + e.Start, start + e.End})
	}
	return c, nil
}

func (d *document) brackets(start, stop int, open byte) *container {
	return &container{
		open:  start + bytes.IndexByte(d.strict[start:stop], open),
		close: start + len(bytes.TrimRight(d.strict[start:stop], " \t\r\n")) - 1,
	}
}

func (c *container) find(name string) (item, bool) {
	for _, it := range c.items {
		if it.name == name {
			return it, true
		}
	}
	return item{}, false
}

// insert adds an item after the last. render writes it for lines that begin
// with prefix; an empty unit asks for one line.
func (d *document) insert(c *container, render func(prefix, unit string) []byte) ([]byte, error) {
	outer, _ := d.indentation(c.open)
	inner := outer + d.unit
	inside := d.src[c.open+1 : c.close]
	tail := c.open + 1 + len(bytes.TrimRight(inside, " \t\r\n")) // after all text, comments included
	lines := len(c.items) == 0 || bytes.IndexByte(inside, '\n') >= 0
	text := func(prefix, unit string) []byte {
		return bytes.ReplaceAll(render(prefix, unit), []byte("\n"), []byte(d.newline))
	}
	if len(c.items) == 0 {
		added := append([]byte(d.newline+inner), text(inner, d.unit)...)
		end := tail
		if bytes.IndexByte(d.src[tail:c.close], '\n') < 0 {
			added, end = append(added, d.newline+outer...), c.close
		}
		return splice(d.src, jsonrpc.Edit{Start: tail, End: end, New: added})
	}
	last := c.items[len(c.items)-1]
	if indent, first := d.indentation(last.start); first {
		inner = indent
	}
	var added []byte
	if lines {
		added = append([]byte(d.newline+inner), text(inner, d.unit)...)
	} else {
		added = append([]byte(" "), render("", "")...)
	}
	if d.trailingComma(last.stop, c.close) >= 0 {
		return splice(d.src, jsonrpc.Edit{Start: tail, End: tail, New: append(added, ',')})
	}
	return splice(d.src,
		jsonrpc.Edit{Start: last.stop, End: last.stop, New: []byte(",")},
		jsonrpc.Edit{Start: tail, End: tail, New: added})
}

// trailingComma is the offset of a comma after the last item, -1 if there is
// none.
func (d *document) trailingComma(from, to int) int {
	for i := from; i < to; i++ {
		switch rest := d.src[i:to]; {
		case rest[0] == ',':
			return i
		case bytes.HasPrefix(rest, []byte("//")):
			if i += bytes.IndexByte(rest, '\n'); i < from {
				return -1
			}
		case bytes.HasPrefix(rest, []byte("/*")):
			i += 2 + bytes.Index(rest[2:], []byte("*/")) + 1
		}
	}
	return -1
}

// remove takes an item out with one neighbouring comma.
func (d *document) remove(c *container, name string) ([]byte, error) {
	for i, it := range c.items {
		if it.name != name {
			continue
		}
		edit := jsonrpc.Edit{Start: it.start, End: it.stop}
		switch {
		case i > 0:
			edit.Start = c.items[i-1].stop
		case len(c.items) > 1:
			edit.End = c.items[1].start
		default:
			if comma := d.trailingComma(it.stop, c.close); comma >= 0 {
				edit.End = comma + 1
			}
		}
		return splice(d.src, edit)
	}
	return d.src, nil
}

func splice(src []byte, edits ...jsonrpc.Edit) ([]byte, error) {
	out, err := jsonrpc.Splice(src, edits...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	return out, nil
}

// plainJSON is a value without its comments and trailing commas.
func plainJSON(raw []byte) (jsontext.Value, error) {
	return hujson.Standardize(bytes.Clone(raw))
}
