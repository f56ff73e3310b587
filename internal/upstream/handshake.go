package upstream

import (
	"bytes"
	"context"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// clientInfo is how a client calls itself.
func clientInfo(name string) string {
	if name == "" {
		name = "bartizan"
	}
	quoted, _ := jsontext.AppendQuote(nil, name) // an error is invalid UTF-8, which is replaced
	return `{"name":` + string(quoted) + `,"version":"1"}`
}

// Every client capability is declared, so that a server has no reason to list
// less to us than to any client (schema.ts of either era; the extensions are
// the published ones).
const (
	legacyCapabilities = `{"experimental":{},"roots":{"listChanged":true},"sampling":{"context":{},"tools":{}},` +
		`"elicitation":{"form":{},"url":{}},"tasks":{"list":{},"cancel":{},"requests":{` +
		`"sampling":{"createMessage":{}},"elicitation":{"create":{}}}}}`
	modernCapabilities = `{"experimental":{},"roots":{},"sampling":{"context":{},"tools":{}},"elicitation":{"form":{},"url":{}},` +
		`"extensions":{"io.modelcontextprotocol/tasks":{},"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}}`
)

// hello is what a server says of itself at the beginning.
type hello struct {
	ProtocolVersion string         `json:"protocolVersion"`
	Supported       []string       `json:"supportedVersions"`
	Capabilities    jsontext.Value `json:"capabilities"`
	ServerInfo      jsontext.Value `json:"serverInfo"`
	Instructions    *string        `json:"instructions"`
	Meta            jsontext.Value `json:"_meta"`
}

var helloNames = []string{"protocolVersion", "supportedVersions", "capabilities", "serverInfo", "instructions", "_meta"}

// greet is the handshake of the conversation's era.
func (c *Client) greet(ctx context.Context) error {
	if c.era == protocol.Modern {
		h, err := c.discover(ctx)
		c.hello = h
		return err
	}
	h, err := c.sayHello(ctx, protocol.MethodInitialize, jsontext.Value(
		`{"protocolVersion":"`+protocol.LatestLegacy+`","capabilities":`+legacyCapabilities+`,"clientInfo":`+clientInfo(c.name)+`}`))
	if err != nil {
		return err
	}
	if protocol.EraOf(h.ProtocolVersion) != protocol.Legacy {
		return answeredError(protocol.CodeUnsupportedVersion)
	}
	c.hello = h
	if over, ok := c.conn.(*httpConn); ok {
		over.negotiated(h.ProtocolVersion)
	}
	raw := jsonrpc.NewNotification(protocol.NotificationInitialized, nil)
	return c.conn.send(ctx, raw, nil)
}

// discover asks a modern server who it is; it can be asked again at any time.
func (c *Client) discover(ctx context.Context) (hello, error) {
	h, err := c.sayHello(ctx, protocol.MethodDiscover, nil)
	if err != nil {
		return hello{}, err
	}
	if !slices.Contains(h.Supported, protocol.VersionModern) {
		return hello{}, answeredError(protocol.CodeUnsupportedVersion)
	}
	h.ProtocolVersion = protocol.VersionModern
	if h.ServerInfo == nil {
		if info, _, _, err := jsonrpc.Get(h.Meta, jsontext.Pointer("").AppendToken(protocol.MetaServerInfo)); err == nil {
			h.ServerInfo = bytes.Clone(info)
		}
	}
	return h, nil
}

func (c *Client) sayHello(ctx context.Context, method string, params jsontext.Value) (hello, error) {
	var h hello
	result, err := c.result(ctx, method, params, helloNames)
	if err != nil {
		return h, err
	}
	if err := json.Unmarshal(result, &h); err != nil {
		return h, protocolError("the answer to " + method + " has the wrong shape")
	}
	for _, v := range []*jsontext.Value{&h.Capabilities, &h.ServerInfo} {
		switch v.Kind() {
		case '{':
		case 'n':
			*v = nil
		default:
			if *v != nil {
				return h, protocolError("the answer to " + method + " has the wrong shape")
			}
		}
	}
	return h, nil
}

// result calls a method and returns the complete result object, whose defined
// names must be spelled as defined.
func (c *Client) result(ctx context.Context, method string, params jsontext.Value, names []string) (jsontext.Value, error) {
	raw, m, err := c.request(method, params)
	if err != nil {
		return nil, err
	}
	answer, err := c.conn.exchange(ctx, raw, m)
	if err != nil {
		return nil, err
	}
	if code, failed := answer.Code(); failed {
		return nil, answeredError(code)
	}
	if answer.Result.Kind() != '{' {
		return nil, protocolError("the result of " + method + " is not an object")
	}
	if err := jsonrpc.CheckNames(answer.Result, append(names, "resultType")...); err != nil {
		return nil, protocolError("the result of " + method + " spells a defined name in another case")
	}
	kind, _, _, err := jsonrpc.Get(answer.Result, "/resultType")
	if err == nil && string(kind) != `"complete"` {
		return nil, protocolError("the result of " + method + " is not complete")
	}
	return answer.Result, nil
}

// withMeta adds the _meta members of every modern request that params lack.
func withMeta(params jsontext.Value, client string) (jsontext.Value, error) {
	requestMeta := []struct{ name, value string }{
		{protocol.MetaProtocolVersion, `"` + protocol.VersionModern + `"`},
		{protocol.MetaClientInfo, clientInfo(client)},
		{protocol.MetaClientCapabilities, modernCapabilities},
	}
	if len(params) == 0 {
		params = jsontext.Value(`{}`)
	}
	meta, start, end, err := jsonrpc.Get(params, "/_meta")
	if err != nil {
		params, err = prepend(params, "_meta", `{}`)
		if err != nil {
			return nil, err
		}
		if meta, start, end, err = jsonrpc.Get(params, "/_meta"); err != nil {
			return nil, err
		}
	}
	for _, m := range slices.Backward(requestMeta) {
		if _, _, _, err := jsonrpc.Get(meta, jsontext.Pointer("").AppendToken(m.name)); err == nil {
			continue
		}
		if meta, err = prepend(meta, m.name, m.value); err != nil {
			return nil, err
		}
	}
	return jsonrpc.Splice(params, jsonrpc.Edit{Start: start, End: end, New: meta})
}

// prepend adds a first member to an object.
func prepend(obj jsontext.Value, name, value string) (jsontext.Value, error) {
	members, err := jsonrpc.Members(obj)
	if err != nil {
		return nil, err
	}
	text := `"` + name + `":` + value
	if len(members) > 0 {
		text += ","
	}
	at := bytes.IndexByte(obj, '{') + 1
	return jsonrpc.Splice(obj, jsonrpc.Edit{Start: at, End: at, New: []byte(text)})
}
