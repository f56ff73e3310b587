package bridge

import (
	"context"
	"io"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// turn is one exchange with the client within a call.
type turn struct {
	*call
	m     *jsonrpc.Message // what the client sent
	first []byte           // an answer without asking the server
	late  error            // the server did not take the input, unless it has answered anyway
	state string           // under which the call waits for the client's next turn
	kept  bool             // the client has the state
}

// Status is that of a success: errors are told in the message.
func (t *turn) Status() int { return http.StatusOK }

// Keep says that the client has been given what the call asks for. Without it
// Close ends a call that waits for input.
func (t *turn) Keep() { t.kept = true }

// Close ends the exchange, and with it the call unless it waits for input.
func (t *turn) Close() {
	switch {
	case t.state == "":
		t.end()
	case !t.kept:
		t.session.servers.abandon(t.state, t.call)
	}
}

// Next returns the next message for the client.
func (t *turn) Next(ctx context.Context) (upstream.Event, error) {
	stop := context.AfterFunc(ctx, func() { t.cancel(context.Cause(ctx)) })
	defer stop()
	for {
		raw, err := t.next()
		if raw != nil || err != nil {
			return upstream.Event{Data: raw}, err
		}
	}
}

func (t *turn) next() (raw []byte, err error) {
	switch {
	case t.first != nil:
		raw, t.first = t.first, nil
		return raw, nil
	case t.state != "" || t.done:
		return nil, io.EOF
	case t.late != nil:
		select {
		case a := <-t.said:
			t.late = nil
			return t.translate(a)
		default:
			return nil, t.late
		}
	}
	select {
	case a := <-t.said:
		return t.translate(a)
	case m := <-t.asides:
		return t.translate(arrival{m: m})
	case <-t.ctx.Done():
		return nil, context.Cause(t.ctx)
	}
}

// translate is what the client is told of a message; nil for nothing.
func (t *turn) translate(a arrival) ([]byte, error) {
	switch m := a.m; {
	case a.err != nil:
		return nil, a.err
	case m.Kind == jsonrpc.Response:
		t.done = true
		return response(m, t.m)
	case m.Kind == jsonrpc.Request:
		return t.require(m)
	default:
		return t.notice(m)
	}
}

// notice passes on what belongs to the call; the rest goes to those who
// subscribed to it.
func (c *call) notice(m *jsonrpc.Message) ([]byte, error) {
	switch m.Method {
	case protocol.NotificationProgress:
		if c.token == nil || string(at(m.Params, "progressToken")) != string(c.id) {
			return nil, nil
		}
		params, err := with(m.Params, "progressToken", c.token)
		if err != nil {
			return nil, err
		}
		return replaced(m, map[string]jsontext.Value{"params": params})
	case protocol.NotificationMessage:
		if level := levelOf(m); c.level < 0 || level < c.level {
			return nil, nil
		}
		return m.Raw, nil
	case protocol.NotificationCancelled, protocol.NotificationElicitationComplete:
		return nil, nil // the modern era has no server requests to speak of
	}
	if _, defined := protocol.Lookup(m.Method); !defined {
		return m.Raw, nil // an extension, for the steps to judge
	}
	c.session.announce(m)
	return nil, nil
}
