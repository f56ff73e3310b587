package bridge

import (
	"bytes"
	"context"
	"net/http"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// paramHeaders knows which arguments of which tool are repeated as headers
// (2026-07-28, streamable-http, "Custom headers"). Clients over stdio leave
// that to whoever speaks HTTP.
type paramHeaders struct {
	mu    sync.Mutex
	tools map[string][]paramHeader
}

// paramHeader is one argument with a header.
type paramHeader struct {
	name string // of the header, without prefix
	at   jsontext.Pointer
}

const (
	maxParamTools   = 10_000
	maxParamHeaders = 64 // of one tool
	maxParamDepth   = 16
	maxListPages    = 200
)

// learn reads the tools of a listing.
func (p *paramHeaders) learn(result jsontext.Value) {
	tools, _, _, err := jsonrpc.Get(result, "/tools")
	if err != nil {
		return
	}
	elements, err := jsonrpc.Elements(tools)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tools == nil {
		p.tools = map[string][]paramHeader{}
	}
	for _, e := range elements {
		name := text(e.Value, "/name")
		delete(p.tools, name)
		if !bytes.Contains(e.Value, []byte("x-mcp-header")) || len(p.tools) >= maxParamTools {
			continue
		}
		if schema, _, _, err := jsonrpc.Get(e.Value, "/inputSchema"); err == nil {
			if headers := headersOf(nil, schema, "", 0); len(headers) > 0 {
				p.tools[name] = headers
			}
		}
	}
}

// headersOf walks the properties of a schema, as the gateway does.
func headersOf(all []paramHeader, schema jsontext.Value, at jsontext.Pointer, depth int) []paramHeader {
	properties, _, _, err := jsonrpc.Get(schema, "/properties")
	if err != nil || properties.Kind() != '{' || depth > maxParamDepth {
		return all
	}
	members, err := jsonrpc.Members(properties)
	if err != nil {
		return all
	}
	for _, property := range members {
		if property.Value.Kind() != '{' {
			continue
		}
		here := at.AppendToken(property.Name)
		if name := text(property.Value, "/x-mcp-header"); token(name) && len(all) < maxParamHeaders {
			all = append(all, paramHeader{name, here})
		}
		all = headersOf(all, property.Value, here, depth+1)
	}
	return all
}

// token reports whether a header name can be sent at all (RFC 9110 §5.6.2).
func token(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || bytes.IndexByte([]byte(`"(),/:;<=>?@[\]{}`), c) >= 0 {
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// add sets the headers of a call.
func (p *paramHeaders) add(h http.Header, m *jsonrpc.Message) {
	if m.Method != protocol.MethodToolsCall {
		return
	}
	p.mu.Lock()
	headers := p.tools[text(m.Params, "/name")]
	p.mu.Unlock()
	arguments, _, _, err := jsonrpc.Get(m.Params, "/arguments")
	if err != nil {
		return
	}
	for _, header := range headers {
		argument, _, _, err := jsonrpc.Get(arguments, header.at)
		if err != nil {
			continue
		}
		if value, ok := headerValue(argument); ok {
			h.Set(protocol.HeaderParamPrefix+header.name, value)
		}
	}
}

func headerValue(argument jsontext.Value) (string, bool) {
	switch argument.Kind() {
	case '"':
		decoded, err := jsontext.AppendUnquote(nil, argument)
		return protocol.EncodeHeader(string(decoded)), err == nil
	case 't', 'f', '0':
		return string(argument), true
	}
	return "", false
}

// learn lists the tools after the gateway missed a header: a client may call
// what it listed long ago, or never.
func (c *call) learn(ctx context.Context) error {
	meta, _, _, err := jsonrpc.Get(c.msg.Params, "/_meta")
	if err != nil {
		return errBroken
	}
	cursor := jsontext.Value(nil)
	for page := range maxListPages {
		params := []byte(`{"_meta":` + string(meta))
		if cursor != nil {
			params = append(append(params, `,"cursor":`...), cursor...)
		}
		m, err := c.parse(jsonrpc.NewRequest(int64(page+1), protocol.MethodToolsList, jsontext.Value(append(params, '}'))))
		if err != nil {
			return errBroken
		}
		answer, _, err := c.ask(ctx, m, upstream.RequestHeader(c.version, m.Method, m.Params))
		switch {
		case err != nil:
			return err
		case answer.Result == nil:
			return answeredError{answer}
		}
		c.params.learn(answer.Result)
		if cursor, _, _, err = jsonrpc.Get(answer.Result, "/nextCursor"); err != nil || cursor.Kind() != '"' {
			return nil
		}
	}
	return nil
}
