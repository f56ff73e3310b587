package bridge

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// inputKey is our name for the one thing that a round asks for.
const inputKey = "input"

// require turns a request of the server's into the answer that asks for input.
func (t *turn) require(m *jsonrpc.Message) ([]byte, error) {
	if m.Method == protocol.MethodPing {
		t.session.reply(jsonrpc.NewResult(m.ID, nil))
		return nil, nil
	}
	t.asked = m
	if !mayAsk(t.call) || !offered(capabilitiesOf(t.m), m.Method, m.Params) {
		t.decline(protocol.CodeMethodNotFound, "the client does not offer this")
		return nil, nil
	}
	return t.park()
}

// mayAsk reports whether the answer to a call may ask for input.
func mayAsk(c *call) bool { return slices.Contains(asksInput, c.method) }

// decline answers what the server asks with an error.
func (c *call) decline(code int, why string) {
	c.session.reply(jsonrpc.NewError(c.asked.ID, code, why, nil))
	c.asked = nil
}

// park answers the client with what the server asks for. The call waits.
func (t *turn) park() ([]byte, error) {
	if t.rounds++; t.rounds > maxRounds {
		t.decline(protocol.CodeInternalError, "the client was asked too often")
		return nil, broken("input is asked for again and again")
	}
	wanted := []byte(`{"method":"` + t.asked.Method + `"`)
	if t.asked.Params != nil {
		wanted = append(append(wanted, `,"params":`...), t.asked.Params...)
	}
	t.session.wait(t.call, true)
	state, err := t.session.servers.park(t.call)
	if err != nil {
		t.decline(protocol.CodeInternalError, "too many calls wait for input")
		return nil, err
	}
	t.state = state
	result := `{"resultType":"input_required","inputRequests":{"` + inputKey + `":` + string(wanted) + `}},"requestState":"` + state + `"}`
	return jsonrpc.NewResult(t.m.ID, jsontext.Value(result)), nil
}

// resume gives the waiting server the input and goes on with the call.
func (c *call) resume(m *jsonrpc.Message) (Answers, error) {
	t := &turn{call: c, m: m}
	_, wanted, err := legacyParams(m.Method, m.Params)
	if err == nil {
		c.session.wish(c, wanted)
		input := at(m.Params, "inputResponses", inputKey)
		switch {
		case input == nil: // asked for again (2026-07-28, "Error Handling")
			t.first, err = t.park()
		case input.Kind() != '{':
			err = ErrParams
		default:
			t.late = c.supply(input)
		}
	}
	if err != nil {
		c.end()
		return nil, err
	}
	return t, nil
}

// supply hands the input to the server that asked.
func (c *call) supply(input jsontext.Value) error {
	ctx, cancel := context.WithTimeout(c.ctx, replyPatience)
	defer cancel()
	id := c.asked.ID
	c.asked = nil
	c.session.wait(c, false)
	return c.session.tell(ctx, jsonrpc.NewResult(id, input))
}
