package bridge

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// with sets a member of an object: where it stands, else as the first one. No
// object at all counts as an empty one.
func with(obj jsontext.Value, name string, value []byte) (jsontext.Value, error) {
	if len(obj) == 0 {
		obj = jsontext.Value("{}")
	}
	if obj.Kind() != '{' {
		return nil, fmt.Errorf("%w: not an object", ErrParams)
	}
	members, err := jsonrpc.Members(obj)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if m.Name == name {
			return jsonrpc.Splice(obj, jsonrpc.Edit{Start: m.Start, End: m.End, New: value})
		}
	}
	text := append(append(quoted(name), ':'), value...)
	if len(members) > 0 {
		text = append(text, ',')
	}
	at := bytes.IndexByte(obj, '{') + 1
	return jsonrpc.Splice(obj, jsonrpc.Edit{Start: at, End: at, New: text})
}

// quoted is a text as JSON.
func quoted(text string) []byte {
	b, err := jsontext.AppendQuote(nil, text)
	if err != nil { // not UTF-8, which no parsed message holds
		return []byte(`""`)
	}
	return b
}

// without drops members of an object.
func without(obj jsontext.Value, names ...string) (jsontext.Value, error) {
	var err error
	for _, name := range names {
		if obj, err = jsonrpc.RemoveMember(obj, name); err != nil {
			return nil, err
		}
	}
	return obj, nil
}

// at returns the value below an object, nil where there is none.
func at(obj jsontext.Value, ptr ...string) jsontext.Value {
	for _, token := range ptr {
		if obj.Kind() != '{' {
			return nil
		}
		value, _, _, err := jsonrpc.Get(obj, jsontext.Pointer("").AppendToken(token))
		if err != nil {
			return nil
		}
		obj = value
	}
	return obj
}

// replaced gives a message other members; every other byte is kept.
func replaced(m *jsonrpc.Message, members map[string]jsontext.Value) ([]byte, error) {
	var edits []jsonrpc.Edit
	for name, value := range members {
		_, start, end, err := jsonrpc.Get(m.Raw, jsontext.Pointer("").AppendToken(name))
		if err != nil { // it has none yet; a message is never empty, so a comma is due
			start = len(m.Raw) - 1
			end, value = start, append([]byte(`,"`+name+`":`), value...)
		}
		edits = append(edits, jsonrpc.Edit{Start: start, End: end, New: value})
	}
	slices.SortFunc(edits, func(a, b jsonrpc.Edit) int { return a.Start - b.Start })
	return jsonrpc.Splice(m.Raw, edits...)
}

// idKey makes ids comparable: a peer may spell the same string with other escapes.
func idKey(id jsontext.Value) string {
	if id.Kind() == '"' {
		if decoded, err := jsontext.AppendUnquote(nil, id); err == nil {
			return "s" + string(decoded)
		}
	}
	return "n" + string(id)
}

func broken(why string) error { return fmt.Errorf("%w: %s", upstream.ErrProtocol, why) }
