package trace

import (
	"strconv"

	"go.opentelemetry.io/otel/attribute"
)

// Detail is what may be told of a message. Names are the protocol's or an
// approval's: what a client merely claims is not among them.
type Detail struct {
	Method   string // "" where neither the protocol nor the approval names it
	Tool     string // approved entries
	Prompt   string
	Resource string
	ID       string // JSON-RPC id of a request
	Version  string // of the protocol
	Session  string // as the client knows it

	Alias         string // of the approved server
	Server        string // its name
	ServerVersion string
	Call          string // id that the records of the call share
}

// maxTarget bounds the name of a span.
const maxTarget = 128

func (d Detail) method() string {
	if d.Method == "" {
		return Other
	}
	return d.Method
}

func (d Detail) name() string {
	target := d.Tool + d.Prompt
	if target == "" || len(target) > maxTarget {
		return d.method()
	}
	return d.method() + " " + target
}

func (d Detail) attributes() []attribute.KeyValue {
	all := make([]attribute.KeyValue, 0, 16)
	add := func(key, value string) {
		if value != "" {
			all = append(all, attribute.String(key, value))
		}
	}
	add("mcp.method.name", d.method())
	add("gen_ai.tool.name", d.Tool)
	if d.Tool != "" {
		add("gen_ai.operation.name", "execute_tool")
	}
	add("gen_ai.prompt.name", d.Prompt)
	add("mcp.resource.uri", d.Resource)
	add("jsonrpc.request.id", d.ID)
	add("mcp.protocol.version", d.Version)
	add("mcp.session.id", d.Session)
	add("bartizan.alias", d.Alias)
	add("bartizan.server.name", d.Server)
	add("bartizan.server.version", d.ServerVersion)
	add("bartizan.call.id", d.Call)
	return all
}

// Peer is where an upstream is. Without a host it is a local process.
type Peer struct {
	Host string
	Port int
}

func (p Peer) attributes() []attribute.KeyValue {
	if p.Host == "" {
		return []attribute.KeyValue{attribute.String("network.transport", "pipe")}
	}
	return append([]attribute.KeyValue{attribute.String("server.address", p.Host), attribute.Int("server.port", p.Port)}, overHTTP...)
}

var overHTTP = []attribute.KeyValue{attribute.String("network.transport", "tcp"), attribute.String("network.protocol.name", "http")}

// Kinds of failures that have no code.
const (
	ToolError = "tool_error" // the result of a tool says isError
	Other     = "_OTHER"
)

// errorType is the convention's: the code where there is one, a kind, or a
// reason of our own.
func (r Result) errorType() string {
	switch {
	case r.Code != 0:
		return code(r.Code)
	case r.Kind != "":
		return r.Kind
	}
	return r.Reason
}

func code(n int) string { return strconv.Itoa(n) }
