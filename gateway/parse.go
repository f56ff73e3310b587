package gateway

import (
	"context"
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// parse (step 2) reads the body once, strictly, and settles what every later
// step relies on: the message, its method, era, version and session. Headers
// that repeat the body must equal it.
type parse struct {
	sessions *sessions
	limit    int
}

func (s parse) do(_ context.Context, x *exchange) *refusal {
	m, err := jsonrpc.Parse(x.body, jsonrpc.Limits{Bytes: s.limit})
	switch {
	case errors.Is(err, jsonrpc.ErrBatch):
		return refuse(ReasonBatch)
	case errors.Is(err, jsonrpc.ErrAmbiguous):
		return refuse(ReasonAmbiguous).because(err)
	case errors.Is(err, jsonrpc.ErrTooLarge):
		return refuse(ReasonBodyTooLarge)
	case err != nil:
		return refuse(ReasonMalformed).because(err)
	}
	x.msg = m
	x.method, _ = protocol.Lookup(m.Method)
	params, err := paramsOf(m)
	if err != nil {
		return refuse(ReasonMalformed).because(err)
	}
	if x.method.Name != "" {
		if err := jsonrpc.CheckMembers(params, x.method.Params...); err != nil {
			return refuse(ReasonAmbiguous).because(err)
		}
	}
	if no := settleEra(x, params); no != nil {
		return no
	}
	if no := nameEntry(x, params); no != nil && x.method.In(x.era) {
		return no // a method that this era does not have is denied as such, whatever its params
	}
	if x.era == protocol.Modern {
		return checkHeaders(x)
	}
	return s.findSession(x)
}

// paramsOf lists the members of params, none where there are no params. They are
// read once: arguments are most of a message.
func paramsOf(m *jsonrpc.Message) ([]jsonrpc.Member, error) {
	if m.Params == nil {
		return nil, nil
	}
	return jsonrpc.Members(m.Params)
}

// memberOf is the value of a member, nil where there is none.
func memberOf(members []jsonrpc.Member, name string) jsontext.Value {
	for _, m := range members {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// findSession attaches the legacy session that the request names. Sessions are
// bound to principal and alias; somebody else's is as unknown as none.
func (s parse) findSession(x *exchange) *refusal {
	id := x.header.Get(protocol.HeaderSessionID)
	switch {
	case x.msg.Method == protocol.MethodInitialize:
		return nil // opens a new one, whatever the client still holds
	case id == "" && x.msg.Kind == jsonrpc.Response:
		return refuse(ReasonSessionRequired)
	case id == "":
		return nil // an upstream without sessions; approve refuses it where one is needed
	}
	session, ok := s.sessions.find(id, x.caller, x.alias)
	if !ok {
		return refuse(ReasonSessionUnknown)
	}
	// The header may name another legacy version than initialize agreed on:
	// clients do, nothing here depends on it, and the upstream sees it.
	x.session = session
	return nil
}

// settleEra decides which generation of the protocol the message belongs to.
// Header and body must say the same (2026-07-28, streamable-http, "Protocol
// version header").
func settleEra(x *exchange, params []jsonrpc.Member) *refusal {
	header := x.header.Get(protocol.HeaderProtocolVersion)
	body := jsonrpc.Text(memberOf(params, "_meta"), "/io.modelcontextprotocol~1protocolVersion")
	if header != "" && body != "" && header != body {
		return refuse(ReasonHeaderMismatch)
	}
	for _, version := range []string{header, body} {
		if version != "" && protocol.EraOf(version) == "" {
			return unsupported(version, append([]string{protocol.VersionModern}, protocol.LegacyVersions...))
		}
	}
	modern := protocol.EraOf(header) == protocol.Modern
	x.era, x.version = protocol.Legacy, header
	switch {
	case x.msg.Method == protocol.MethodInitialize && protocol.EraOf(body) != protocol.Modern:
		if modern {
			return refuse(ReasonHeaderMismatch)
		}
		x.version = jsonrpc.Text(memberOf(params, "protocolVersion"), "")
		return nil
	case protocol.EraOf(body) == protocol.Modern && !modern: // the header is missing
		return refuse(ReasonHeaderMismatch)
	case !modern:
		return nil
	case x.msg.Kind == jsonrpc.Response: // the modern era has no server requests to reply to
		return refuse(ReasonReplyUnexpected)
	case body == "" && x.msg.Kind == jsonrpc.Request:
		return refuse(ReasonInvalidParams)
	}
	x.era = protocol.Modern
	return nil
}

func unsupported(requested string, supported []string) *refusal {
	no := refuse(ReasonVersion)
	no.requested, no.supported = requested, supported
	return no
}

// checkHeaders compares the modern headers with the body.
func checkHeaders(x *exchange) *refusal {
	if x.header.Get(protocol.HeaderMethod) != x.msg.Method {
		return refuse(ReasonHeaderMismatch)
	}
	name := x.header.Get(protocol.HeaderName)
	if x.method.Entry == "" || !x.method.In(x.era) {
		return nil
	}
	if decoded, ok := protocol.DecodeHeader(name); !ok || name == "" || decoded != x.ref.Key {
		return refuse(ReasonHeaderMismatch)
	}
	return nil
}
