package gateway

import (
	"math/big"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// paramsMatch walks the properties of a schema along the arguments. Every
// property marked with x-mcp-header must have a header equal to its argument,
// and none where the argument is absent or null (2026-07-28, streamable-http,
// "Custom headers").
func paramsMatch(header http.Header, schema, arguments jsontext.Value) bool {
	properties, _, _, err := jsonrpc.Get(schema, "/properties")
	if err != nil || properties.Kind() != '{' {
		return true
	}
	members, err := jsonrpc.Members(properties)
	if err != nil {
		return true
	}
	for _, property := range members {
		if property.Value.Kind() != '{' {
			continue // true and false are schemas too
		}
		var argument jsontext.Value
		if arguments != nil && arguments.Kind() == '{' {
			argument, _, _, _ = jsonrpc.Get(arguments, jsontext.Pointer("").AppendToken(property.Name))
		}
		if name := jsonrpc.Text(property.Value, "/x-mcp-header"); name != "" {
			if !paramMatches(header.Get(protocol.HeaderParamPrefix+name), argument) {
				return false
			}
		}
		if !paramsMatch(header, property.Value, argument) {
			return false
		}
	}
	return true
}

func paramMatches(header string, argument jsontext.Value) bool {
	decoded, ok := protocol.DecodeHeader(header)
	if !ok {
		return false
	}
	switch argument.Kind() {
	case 0, 'n':
		return header == ""
	case '"':
		value, err := unquote(argument)
		return err == nil && value == decoded
	case 't', 'f':
		return decoded == string(argument)
	case '0':
		a, okA := new(big.Rat).SetString(string(argument))
		b, okB := new(big.Rat).SetString(decoded)
		return len(decoded) <= 32 && len(argument) <= 32 && okA && okB && a.IsInt() && a.Cmp(b) == 0
	}
	return false
}

// mirrorParams writes the headers that paramsMatch demands, for a client whose
// era has none. The arguments are those of a call to the tool listed as entry.
func mirrorParams(h http.Header, entry, params jsontext.Value) {
	schema, _, _, err := jsonrpc.Get(entry, "/inputSchema")
	if err != nil {
		return
	}
	arguments, _, _, err := jsonrpc.Get(params, "/arguments")
	if err != nil {
		return
	}
	upstream.AddParamHeaders(h, schema, arguments)
}
