package gateway

import (
	"context"
	"net/http"

	"github.com/bartizan-mcp/bartizan/gateway/bridge"
	"github.com/bartizan-mcp/bartizan/gateway/stdio"
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
	for _, name := range traceHeaders {
		if value := x.header.Get(name); value != "" {
			h.Set(name, value)
		}
	}
	if m.Method == protocol.MethodToolsCall {
		mirrorParams(h, x.entry.Raw, m.Params)
	}
	return h
}

// translated are answers of a bridge as the relay reads them.
type translated struct{ bridge.Answers }

func (t translated) next(ctx context.Context) (upstream.Event, error) { return t.Next(ctx) }
func (t translated) head() head                                       { return head{status: t.Status()} }
func (t translated) close()                                           { t.Close() }

// spoken are answers of a link as a bridge reads them.
type spoken struct{ answers }

func (s spoken) Next(ctx context.Context) (upstream.Event, error) { return s.next(ctx) }
func (s spoken) Status() int                                      { return s.head().status }
func (s spoken) Close()                                           { s.close() }

// modernClientLink carries a modern client's messages to a legacy server.
type modernClientLink struct{ g *Gateway }

func (l modernClientLink) send(ctx context.Context, x *exchange, m *jsonrpc.Message) (answers, error) {
	if m.Kind != jsonrpc.Request {
		return accepted{}, nil // closing the stream cancels; a legacy server knows none of the others
	}
	key := bridge.Key{Tenant: x.caller.Tenant, Principal: x.caller.Principal, KeyID: x.caller.KeyID, Instance: x.svc.instance}
	said, err := l.g.bridges.Ask(ctx, key, func() (bridge.Server, error) { return l.g.dialLegacy(ctx, x) }, m)
	if err != nil {
		return nil, err
	}
	return translated{said}, nil
}

func (modernClientLink) listen(context.Context, *exchange, string) (answers, error) {
	return nil, errNoReplay // the modern era has no such stream
}

// dialLegacy opens the way to a legacy server for a session of a bridge.
func (g *Gateway) dialLegacy(ctx context.Context, x *exchange) (bridge.Server, error) {
	if x.svc.target.Transport == protocol.TransportSSE {
		events, err := g.openEvents(ctx, x)
		if err != nil {
			return nil, err
		}
		return legacyEvents{events}, nil
	}
	if !x.svc.local {
		return &legacyHTTP{target: x.svc.target, limits: g.cfg.Upstream}, nil
	}
	local, err := g.local.Session(g.serverOf(x))
	if err != nil {
		return nil, err
	}
	return legacyLocal{local}, nil
}

// legacyHTTP is a legacy server over streamable HTTP.
type legacyHTTP struct {
	target  upstream.Target
	limits  upstream.Limits
	session session // of which only the upstream's id and version count
}

func (s *legacyHTTP) header(version string) http.Header {
	h := http.Header{}
	if version != "" {
		h.Set(protocol.HeaderProtocolVersion, version)
	}
	if s.session.upstream != "" {
		h.Set(protocol.HeaderSessionID, s.session.upstream)
	}
	return h
}

func (s *legacyHTTP) Send(ctx context.Context, m *jsonrpc.Message, version string) (bridge.Answers, error) {
	stream, err := upstream.Post(ctx, s.target, m.Raw, s.header(version), s.limits)
	if err != nil {
		return nil, err
	}
	said := spoken{&httpAnswers{stream}}
	if m.Method == protocol.MethodInitialize {
		s.session.upstream = said.head().session
	} else if version != "" {
		s.session.setVersion(version)
	}
	return said, nil
}

func (s *legacyHTTP) Listen(ctx context.Context, version string) (bridge.Answers, error) {
	stream, err := upstream.OpenEvents(ctx, s.target, s.header(version), s.limits)
	if err != nil {
		return nil, err
	}
	return spoken{&httpAnswers{stream}}, nil
}

func (s *legacyHTTP) Close() {
	if s.session.upstream != "" {
		endSession(s.target, &s.session)()
	}
}

// legacyLocal is a legacy server over stdio.
type legacyLocal struct{ *stdio.Session }

func (s legacyLocal) Send(_ context.Context, m *jsonrpc.Message, _ string) (bridge.Answers, error) {
	if s.Gone() {
		return nil, bridge.ErrForgotten
	}
	if m.Kind != jsonrpc.Request {
		return spoken{accepted{}}, s.Session.Send(m.Raw)
	}
	c, err := s.Call(m)
	if err != nil {
		return nil, err
	}
	return spoken{localAnswers{c}}, nil
}

func (s legacyLocal) Listen(context.Context, string) (bridge.Answers, error) {
	c, err := s.Session.Listen()
	if err != nil {
		return nil, err
	}
	return spoken{localAnswers{c}}, nil
}
