package clients

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

func jsonGet(src []byte, path [2]string) ([]byte, error) {
	d, err := readJSON(src)
	if err != nil || d.strict == nil {
		return nil, err
	}
	servers, _, err := d.servers(path[0])
	if err != nil || servers == nil {
		return nil, err
	}
	if it, ok := servers.find(path[1]); ok {
		return src[it.valueStart:it.stop], nil
	}
	return nil, nil
}

// servers finds the container of the servers; nil if there is none.
func (d *document) servers(name string) (servers, root *container, err error) {
	root, err = d.root()
	if err != nil {
		return nil, nil, err
	}
	it, ok := root.find(name)
	if !ok {
		return nil, root, nil
	}
	if d.strict[it.valueStart] != '{' {
		return nil, nil, fmt.Errorf("%w: %q is not an object", ErrUnreadable, name)
	}
	servers, err = d.object(it.valueStart, it.stop)
	return servers, root, err
}

func jsonPut(src []byte, path [2]string, e entry) ([]byte, error) {
	return jsonWrite(src, path, func(prefix, unit string) []byte { return asJSON(e, prefix, unit) })
}

// jsonWrite adds or replaces an entry by what value renders.
func jsonWrite(src []byte, path [2]string, value func(prefix, unit string) []byte) ([]byte, error) {
	d, err := readJSON(src)
	if err != nil {
		return nil, err
	}
	if d.strict == nil {
		text := "{\n  " + quote(path[0]) + ": {\n    " + quote(path[1]) + ": " + string(value("    ", "  ")) + "\n  }\n}\n"
		return append(bytes.Clone(src[:markOf(src)]), text...), nil
	}
	servers, root, err := d.servers(path[0])
	if err != nil {
		return nil, err
	}
	if servers == nil {
		return d.insert(root, func(prefix, unit string) []byte {
			if unit == "" {
				return []byte(quote(path[0]) + ": {" + quote(path[1]) + ": " + string(value("", "")) + "}")
			}
			inner := prefix + unit
			return []byte(quote(path[0]) + ": {\n" + inner + quote(path[1]) + ": " + string(value(inner, unit)) + "\n" + prefix + "}")
		})
	}
	it, ok := servers.find(path[1])
	if !ok {
		return d.insert(servers, func(prefix, unit string) []byte {
			return append([]byte(quote(path[1])+": "), value(prefix, unit)...)
		})
	}
	prefix, first := d.indentation(it.start)
	unit := d.unit
	if !first {
		prefix, unit = "", ""
	}
	text := bytes.ReplaceAll(value(prefix, unit), []byte("\n"), []byte(d.newline))
	return splice(src, jsonrpc.Edit{Start: it.valueStart, End: it.stop, New: text})
}

func markOf(src []byte) int {
	if bytes.HasPrefix(src, byteOrderMark) {
		return len(byteOrderMark)
	}
	return 0
}

func jsonRestore(src []byte, path [2]string, raw []byte) ([]byte, error) {
	if raw != nil {
		unified := bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
		return jsonWrite(src, path, func(string, string) []byte { return unified })
	}
	d, err := readJSON(src)
	if err != nil || d.strict == nil {
		return src, err
	}
	servers, _, err := d.servers(path[0])
	if err != nil || servers == nil {
		return src, err
	}
	return d.remove(servers, path[1])
}

func jsonHolds(raw []byte, e entry) bool {
	have, err := plainJSON(raw)
	if err != nil {
		return false
	}
	want := jsontext.Value(asJSON(e, "", ""))
	return have.Canonicalize() == nil && want.Canonicalize() == nil && bytes.Equal(have, want)
}

// putPrompt adds a VS Code input that the entry refers to, unless the file has
// one of that id.
func putPrompt(src []byte, p *prompt) ([]byte, error) {
	d, err := readJSON(src)
	if err != nil {
		return nil, err
	}
	root, err := d.root()
	if err != nil {
		return nil, err
	}
	render := func(prefix, unit string) []byte { return asJSON(p, prefix, unit) }
	it, ok := root.find("inputs")
	if !ok {
		return d.insert(root, func(prefix, unit string) []byte {
			if unit == "" {
				return append(append([]byte(`"inputs": [`), render("", "")...), ']')
			}
			inner := prefix + unit
			return []byte("\"inputs\": [\n" + inner + string(render(inner, unit)) + "\n" + prefix + "]")
		})
	}
	if d.strict[it.valueStart] != '[' {
		return nil, fmt.Errorf("%w: \"inputs\" is not an array", ErrUnreadable)
	}
	inputs, err := d.array(it.valueStart, it.stop)
	if err != nil {
		return nil, err
	}
	for _, input := range inputs.items {
		var have struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(d.strict[input.valueStart:input.stop], &have) == nil && have.ID == p.ID {
			return src, nil
		}
	}
	return d.insert(inputs, render)
}

func quote(s string) string {
	b, _ := jsontext.AppendQuote(nil, s) // names are checked before
	return string(b)
}
