package gateway

import (
	"context"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// How a merged session comes to its session with one server, and how that one
// begins.

// joinSession has y belong to the session with its server, which it opens where
// there is none. A refusal is the server's, and is answered as one.
func (g *Gateway) joinSession(ctx context.Context, x, y *exchange) *refusal {
	m := x.session.merged
	s := m.sub(y.alias)
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return refuse(ReasonClientGone).because(context.Cause(ctx))
	}
	open, _ := m.open()
	known, ok := open[y.alias]
	if ok {
		known, ok = g.sessions.find(known.id, x.caller, y.alias)
	}
	if ok && g.outdated(ctx, x, y.alias, known) {
		g.sessions.remove(known)
		ok = false
	}
	if !ok {
		m.ledger.Forget(y.alias)
		var no *refusal
		if known, no = g.openSub(ctx, x, y.alias, s); no != nil {
			return no
		}
	}
	within(y, known)
	return nil
}

// outdated reports whether a session was opened towards what its alias no
// longer means, or in an era that its approval no longer names.
func (g *Gateway) outdated(ctx context.Context, x *exchange, alias string, s *session) bool {
	no := g.approve().do(ctx, &exchange{alias: alias, caller: x.caller, era: x.era, session: s})
	return no != nil && no.reason == ReasonSessionUnknown
}

// within names the session with one server in the header of an exchange.
func within(y *exchange, s *session) {
	y.header.Set(protocol.HeaderSessionID, s.id)
	y.header.Del(protocol.HeaderProtocolVersion)
	if version := s.protocolVersion(); protocol.EraOf(version) == protocol.Legacy {
		y.header.Set(protocol.HeaderProtocolVersion, version)
	}
}

// openSub initializes a session with one server, as the client initialized the
// merged one.
func (g *Gateway) openSub(ctx context.Context, x *exchange, alias string, s *subSession) (*session, *refusal) {
	m := x.session.merged
	y := x.towards(alias, jsonrpc.NewRequest(m.nextID(), protocol.MethodInitialize, m.hello))
	y.header.Del(protocol.HeaderProtocolVersion)
	answer, no := g.aside(ctx, y)
	switch {
	case no != nil && no.reason == ReasonServerUnknown:
		return nil, refuse(ReasonEntryUnknown).because(no.cause)
	case no != nil:
		return nil, no
	case answer == nil || answer.Error != nil || y.session == nil:
		return nil, refuse(ReasonUpstreamRefused)
	}
	g.settle(ctx, x, alias, y.session)
	if !m.join(s, y.session) {
		g.sessions.remove(y.session)
		return nil, refuse(ReasonSessionUnknown)
	}
	return y.session, nil
}

// settle tells a server what the client told it, or another in its place,
// before: whether or not the client still waits.
func (g *Gateway) settle(ctx context.Context, x *exchange, alias string, s *session) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.cfg.MergePatience)
	defer cancel()
	m := x.session.merged
	g.tell(ctx, x, alias, s, jsonrpc.NewNotification(protocol.NotificationInitialized, nil))
	level, uris := m.wishes(alias)
	if level != nil {
		g.tell(ctx, x, alias, s, jsonrpc.NewRequest(m.nextID(), protocol.MethodLoggingSetLevel, level))
	}
	for _, uri := range uris {
		g.tell(ctx, x, alias, s, jsonrpc.NewRequest(m.nextID(), protocol.MethodResourcesSubscribe, map[string]string{"uri": uri}))
	}
}
