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
	tools map[string]jsontext.Value // input schemas by tool, of those that ask for headers
}

const (
	maxParamTools = 10_000
	maxParamTool  = 1 << 20 // bytes of one
	maxListPages  = 200
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
		p.tools = map[string]jsontext.Value{}
	}
	for _, e := range elements {
		name := jsonrpc.Text(e.Value, "/name")
		delete(p.tools, name)
		if len(e.Value) > maxParamTool || !bytes.Contains(e.Value, []byte("x-mcp-header")) || len(p.tools) >= maxParamTools {
			continue
		}
		if schema, _, _, err := jsonrpc.Get(e.Value, "/inputSchema"); err == nil {
			p.tools[name] = schema.Clone() // not the whole list
		}
	}
}

// add sets the headers of a call.
func (p *paramHeaders) add(h http.Header, m *jsonrpc.Message) {
	if m.Method != protocol.MethodToolsCall {
		return
	}
	p.mu.Lock()
	schema := p.tools[jsonrpc.Text(m.Params, "/name")]
	p.mu.Unlock()
	if arguments, _, _, err := jsonrpc.Get(m.Params, "/arguments"); err == nil && schema != nil {
		upstream.AddParamHeaders(h, schema, arguments)
	}
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
