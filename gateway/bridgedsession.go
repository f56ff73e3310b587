package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/bartizan-mcp/bartizan/gateway/bridge"
	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/gateway/stdio"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// modernClientLink carries a modern client's messages to a legacy server, in a
// session that the gateway holds.
type modernClientLink struct{ g *Gateway }

func (l modernClientLink) send(ctx context.Context, x *exchange, m *jsonrpc.Message) (answers, error) {
	key := bridge.Key{
		Tenant: x.caller.Tenant, Principal: x.caller.Principal, KeyID: x.caller.KeyID,
		Server: x.svc.approval.Server, Instance: x.svc.instance,
	}
	ctx = context.WithValue(ctx, traceHeader{}, traceOf(x))
	dial := func() (bridge.Server, error) { return l.g.dialLegacy(ctx, x) }
	if m.Kind != jsonrpc.Request {
		return accepted{}, l.g.bridges.Tell(ctx, key, dial, m)
	}
	said, err := l.g.bridges.Ask(ctx, key, dial, m)
	if err != nil {
		return nil, err
	}
	return translated{said}, nil
}

func (modernClientLink) listen(context.Context, *exchange, string) (answers, error) {
	return nil, errNoReplay // the modern era has no such stream
}

// newBridges makes the sessions with legacy servers that modern clients share
// with nobody.
func (g *Gateway) newBridges() *bridge.Servers {
	return bridge.NewServers(bridge.Config{
		Sessions: g.cfg.Sessions, PerOwner: g.cfg.SessionsPerCaller, Calls: g.cfg.SessionsPerCaller,
		Idle: g.cfg.Idle, Patience: g.cfg.SilenceTimeout,
		Changed: func(k bridge.Key) {
			g.listings.Changed(inventory.Key{Tenant: k.Tenant, Server: k.Server, Instance: k.Instance, Era: protocol.Legacy})
		},
	})
}

// dialLegacy opens the way to a legacy server for a session of a bridge.
func (g *Gateway) dialLegacy(ctx context.Context, x *exchange) (bridge.Server, error) {
	if x.svc.target.Transport == protocol.TransportSSE {
		y := *x
		y.header = legacyHeader(ctx, "")
		events, err := g.openEvents(ctx, &y)
		if err != nil {
			return nil, err
		}
		return legacyEvents{events}, nil
	}
	if !x.svc.local {
		return &legacyHTTP{target: x.svc.target, limits: g.cfg.Upstream}, nil
	}
	local, err := g.local.Session(g.serverOf(x))
	if errors.Is(err, stdio.ErrBusy) {
		return nil, fmt.Errorf("%w: %w", bridge.ErrBusy, err)
	}
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

// traceHeader is the key of the header whose trace context a call goes on with.
type traceHeader struct{}

// legacyHeader is that of a message in a session of a bridge.
func legacyHeader(ctx context.Context, version string) http.Header {
	h := http.Header{}
	if version != "" {
		h.Set(protocol.HeaderProtocolVersion, version)
	}
	if client, ok := ctx.Value(traceHeader{}).(http.Header); ok {
		copyTrace(h, client)
	}
	return h
}

func (s *legacyHTTP) header(ctx context.Context, version string) http.Header {
	h := legacyHeader(ctx, version)
	if s.session.upstream != "" {
		h.Set(protocol.HeaderSessionID, s.session.upstream)
	}
	return h
}

func (s *legacyHTTP) Send(ctx context.Context, m *jsonrpc.Message, version string) (bridge.Answers, error) {
	stream, err := upstream.Post(ctx, s.target, m.Raw, s.header(ctx, version), s.limits)
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

func (s *legacyHTTP) Listen(ctx context.Context, version, lastEvent string) (bridge.Answers, error) {
	h := s.header(ctx, version)
	if lastEvent != "" {
		h.Set(protocol.HeaderLastEventID, lastEvent)
	}
	stream, err := upstream.OpenEvents(ctx, s.target, h, s.limits)
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

func (s legacyLocal) Listen(_ context.Context, _, lastEvent string) (bridge.Answers, error) {
	if s.Gone() {
		return nil, bridge.ErrForgotten
	}
	if lastEvent != "" {
		return nil, errNoReplay
	}
	c, err := s.Session.Listen()
	if err != nil {
		return nil, bridge.ErrForgotten
	}
	return spoken{localAnswers{c}}, nil
}
