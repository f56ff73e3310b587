package gateway

import (
	"context"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/seal"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// A requestState (2026-07-28, multi round-trip requests) is opaque to clients
// and travels through them: without a seal one caller could play back what a
// server said to another.

// bindState seals the requestState of an answer for its caller.
type bindState struct{ key seal.Key }

func (s bindState) do(_ context.Context, x *exchange, in *inbound) *refusal {
	if in.msg.Kind != jsonrpc.Response || x.era != protocol.Modern {
		return nil
	}
	value, start, _, err := jsonrpc.Get(in.msg.Raw, "/result/requestState")
	if err != nil {
		return nil
	}
	state, err := unquote(value)
	if err != nil {
		return refuse(ReasonUpstreamProtocol).because(err)
	}
	prefix := s.key.Prefix(state, stateOwner(x)...)
	return in.splice(jsonrpc.Edit{Start: start + 1, End: start + 1, New: []byte(prefix)})
}

// openState restores the server's own requestState in a retry.
type openState struct{ key seal.Key }

func (s openState) do(_ context.Context, x *exchange) *refusal {
	if x.msg.Params == nil || x.spoken != protocol.Modern && x.era != protocol.Modern {
		return nil
	}
	if x.era == protocol.Legacy { // the bridge holds it; a client of this era never got one
		for _, member := range []jsontext.Pointer{"/params/requestState", "/params/inputResponses"} {
			if _, _, _, err := jsonrpc.Get(x.msg.Raw, member); err == nil {
				return refuse(ReasonStateForeign)
			}
		}
		return nil
	}
	value, start, _, err := jsonrpc.Get(x.msg.Raw, "/params/requestState")
	if err != nil {
		return nil
	}
	sealed, err := unquote(value)
	if err != nil {
		return refuse(ReasonInvalidParams)
	}
	state, err := s.key.Open(sealed, stateOwner(x)...)
	if err != nil || !strings.HasPrefix(string(value[1:]), sealed[:seal.PrefixLen]) {
		return refuse(ReasonStateForeign)
	}
	_ = state // the message keeps the client's spelling of it
	raw, err := jsonrpc.Splice(x.msg.Raw, jsonrpc.Edit{Start: start + 1, End: start + 1 + seal.PrefixLen})
	if err != nil {
		return refuse(ReasonInternal).because(err)
	}
	if x.msg, err = jsonrpc.Parse(raw, jsonrpc.Limits{}); err != nil {
		return refuse(ReasonInternal).because(err)
	}
	return nil
}

func stateOwner(x *exchange) []string {
	return []string{"requestState", x.caller.Tenant, x.caller.Principal, x.svc.instance, x.msg.Method, x.ref.Key}
}

func unquote(v jsontext.Value) (string, error) {
	if v.Kind() != '"' {
		return "", jsonrpc.ErrMalformed
	}
	decoded, err := jsontext.AppendUnquote(nil, v)
	return string(decoded), err
}
