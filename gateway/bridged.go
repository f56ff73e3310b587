package gateway

import (
	"context"
	"net/http"

	"github.com/bartizan-mcp/bartizan/gateway/bridge"
	"github.com/bartizan-mcp/bartizan/gateway/trace"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// A bridge stands where a link stands: the steps before it see what the client
// says, the steps after it what the client is told, both in the client's era.

// legacyClientLink carries the messages of a legacy session to a modern server.
type legacyClientLink struct{ modern link }

func (l legacyClientLink) send(ctx context.Context, x *exchange, m *jsonrpc.Message) (answers, error) {
	client := x.session.bridge
	if m.Kind != jsonrpc.Request {
		return accepted{}, client.Tell(ctx, l.ask(x), m)
	}
	said, err := client.Ask(ctx, l.ask(x), m)
	if err != nil {
		return nil, err
	}
	return translated{said}, nil
}

func (l legacyClientLink) listen(ctx context.Context, x *exchange, lastEvent string) (answers, error) {
	if lastEvent != "" {
		return nil, errNoReplay
	}
	said, err := x.session.bridge.Listen(ctx, l.ask(x))
	if err != nil {
		return nil, err
	}
	return translated{said}, nil
}

// ask sends what the bridge wrote, with the headers that the modern era wants.
func (l legacyClientLink) ask(x *exchange) bridge.Ask {
	return func(ctx context.Context, raw []byte) (bridge.Answers, error) {
		m, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
		if err != nil {
			return nil, err
		}
		y := *x
		y.session, y.msg = nil, m
		y.header = modernHeader(x, m)
		said, err := l.modern.send(ctx, &y, m)
		if err != nil {
			return nil, err
		}
		return spoken{said}, nil
	}
}

// modernHeader is the header of a request that a legacy client made.
func modernHeader(x *exchange, m *jsonrpc.Message) http.Header {
	h := upstream.RequestHeader(protocol.VersionModern, m.Method, m.Params)
	copyTrace(h, x.header)
	if m.Method == protocol.MethodToolsCall {
		mirrorParams(h, x.entry.Raw, m.Params)
	}
	return h
}

// copyTrace takes over the trace context, as far as it is one.
func copyTrace(to, from http.Header) {
	sound := trace.Remote{Parent: from.Get("Traceparent"), State: from.Get("Tracestate")}.Sound()
	if sound.Parent != "" {
		to.Set("Traceparent", sound.Parent)
	}
	if sound.State != "" {
		to.Set("Tracestate", sound.State)
	}
}

// translated are answers of a bridge as the relay reads them.
type translated struct{ bridge.Answers }

func (t translated) next(ctx context.Context) (upstream.Event, error) { return t.Next(ctx) }
func (t translated) head() head                                       { return head{status: t.Status()} }
func (t translated) close()                                           { t.Close() }

// keep tells a bridge that the client has the answer that it waits to hear back on.
func (t translated) keep() {
	if waiting, ok := t.Answers.(interface{ Keep() }); ok {
		waiting.Keep()
	}
}

// spoken are answers of a link as a bridge reads them.
type spoken struct{ answers }

func (s spoken) Next(ctx context.Context) (upstream.Event, error) { return s.next(ctx) }
func (s spoken) Status() int                                      { return s.head().status }
func (s spoken) Close()                                           { s.close() }
