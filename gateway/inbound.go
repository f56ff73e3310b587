package gateway

import (
	"context"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// inbound is one message of an upstream on its way to the client.
type inbound struct {
	msg    *jsonrpc.Message
	method string // its own, or of the request that it answers
	entry  string // what that request named

	redacted bool
	counts   *audit.Counts // what a list holds after filtering; nil for other answers
}

// inboundOf describes a message in the context of the exchange it came in.
func inboundOf(x *exchange, m *jsonrpc.Message) *inbound {
	in := &inbound{msg: m, method: m.Method}
	if m.Kind == jsonrpc.Response && x.msg != nil {
		in.method, in.entry = x.msg.Method, x.ref.Key
	}
	return in
}

// splice edits the message.
func (in *inbound) splice(edits ...jsonrpc.Edit) *refusal {
	raw, err := jsonrpc.Splice(in.msg.Raw, edits...)
	if err == nil {
		err = in.replace(raw)
	}
	if err != nil {
		return refuse(ReasonInternal).because(err)
	}
	return nil
}

func (in *inbound) replace(raw []byte) error {
	m, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
	if err == nil {
		in.msg = m
	}
	return err
}

// listOf names the member that holds the entries of a list answer, "" if the
// message is none.
func (in *inbound) listOf() string {
	method, _ := protocol.Lookup(in.method)
	if in.msg.Kind != jsonrpc.Response || in.msg.Result == nil {
		return ""
	}
	return method.List
}

// withoutEntries is the message without what was already examined as listing:
// the entries of a list, and a server's instructions.
func (in *inbound) withoutEntries() (*jsonrpc.Message, error) {
	var pointer jsontext.Pointer
	var empty string
	switch list := in.listOf(); {
	case list != "":
		pointer, empty = jsontext.Pointer("/result").AppendToken(list), "[]"
	case in.introduces():
		pointer, empty = "/result/instructions", `""`
	default:
		return in.msg, nil
	}
	_, start, end, err := jsonrpc.Get(in.msg.Raw, pointer)
	if err != nil {
		return in.msg, nil
	}
	raw, err := jsonrpc.Splice(in.msg.Raw, jsonrpc.Edit{Start: start, End: end, New: []byte(empty)})
	if err != nil {
		return nil, err
	}
	return jsonrpc.Parse(raw, jsonrpc.Limits{})
}

// introduces reports whether a server introduces itself with this message.
func (in *inbound) introduces() bool {
	return in.msg.Kind == jsonrpc.Response && in.msg.Result != nil &&
		(in.method == protocol.MethodInitialize || in.method == protocol.MethodDiscover)
}

// errorCode is the JSON-RPC code of an error answer, 0 for a result.
func (in *inbound) errorCode() int {
	if in.msg.Error == nil {
		return 0
	}
	code, _, _, err := jsonrpc.Get(in.msg.Error, "/code")
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(string(code))
	return n
}

// knownInbound denies requests and notifications that a server may not send.
type knownInbound struct{}

func (knownInbound) do(_ context.Context, x *exchange, in *inbound) *refusal {
	switch {
	case in.msg.Kind == jsonrpc.Response:
		return nil
	case !admitted(x, in.msg, protocol.ServerToClient):
		return refuse(ReasonMethodDenied)
	case in.msg.Kind == jsonrpc.Request && x.session == nil:
		return refuse(ReasonSessionRequired) // nobody could be held to the reply
	case in.msg.Params != nil:
		method, _ := protocol.Lookup(in.msg.Method)
		if err := jsonrpc.CheckNames(in.msg.Params, method.Params...); err != nil {
			return refuse(ReasonUpstreamProtocol).because(err)
		}
	}
	return nil
}

// noteChange has the listing renewed at once when a server says that it changed.
type noteChange struct{ listings *inventory.Store }

func (s noteChange) do(_ context.Context, x *exchange, in *inbound) *refusal {
	if in.msg.Kind == jsonrpc.Notification && inventory.ListChanged(in.msg.Method) {
		s.listings.Changed(x.listingKey())
	}
	return nil
}
