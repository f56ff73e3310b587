package upstream

import (
	"net/http"
	"regexp"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// AddParamHeaders writes the Mcp-Param-* headers that a tool's input schema
// asks for with x-mcp-header, from the arguments of a call to it (2026-07-28,
// streamable-http, "Custom headers").
func AddParamHeaders(h http.Header, schema, arguments jsontext.Value) {
	properties, _, _, err := jsonrpc.Get(schema, "/properties")
	if err != nil || properties.Kind() != '{' || arguments.Kind() != '{' {
		return
	}
	members, err := jsonrpc.Members(properties)
	if err != nil {
		return
	}
	for _, property := range members {
		argument, _, _, err := jsonrpc.Get(arguments, jsontext.Pointer("").AppendToken(property.Name))
		if err != nil || property.Value.Kind() != '{' {
			continue // true and false are schemas too
		}
		if name := jsonrpc.Text(property.Value, "/x-mcp-header"); headerName.MatchString(name) {
			switch argument.Kind() {
			case '"':
				if value, err := jsontext.AppendUnquote(nil, argument); err == nil {
					h.Set(protocol.HeaderParamPrefix+name, protocol.EncodeHeader(string(value)))
				}
			case 't', 'f', '0':
				h.Set(protocol.HeaderParamPrefix+name, string(argument))
			}
		}
		AddParamHeaders(h, property.Value, argument)
	}
}

// headerName is a token (RFC 9110 §5.6.2): anything else is no header at all.
var headerName = regexp.MustCompile("\\A[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}\\z")
