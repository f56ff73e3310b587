package gateway

import (
	"context"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/merge"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// mergedSession is what a legacy session with all servers owns: a session with
// each server, opened by the first message for it and closed with the whole.
type mergedSession struct {
	hello  jsontext.Value // the client's initialize params, for every server
	ledger merge.Ledger
	told   told

	mu     sync.Mutex
	subs   map[string]*subSession
	level  jsontext.Value // params of the last logging/setLevel
	lastID int64          // of the gateway's own requests; they count downwards
	joined chan struct{}  // closed when a session with a further server is open
	opened int            // sessions so far
	closed bool
}

// subSession is the session with one server. Whoever holds turn may replace it.
type subSession struct {
	turn    chan struct{}
	session *session
	ordinal int // which of the sessions that the whole opened
}

func newMergedSession(hello jsontext.Value) *mergedSession {
	return &mergedSession{hello: hello.Clone(), subs: map[string]*subSession{}, joined: make(chan struct{})}
}

func (m *mergedSession) sub(alias string) *subSession {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.subs[alias]
	if s == nil {
		s = &subSession{turn: make(chan struct{}, 1)}
		m.subs[alias] = s
	}
	return s
}

// open are the sessions that exist, by alias, and what closes when one joins.
func (m *mergedSession) open() (map[string]*session, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	open := map[string]*session{}
	for alias, s := range m.subs {
		if s.session != nil {
			open[alias] = s.session
		}
	}
	return open, m.joined
}

// ordinal numbers the sessions that the whole opened, 0 for one that it has not.
func (m *mergedSession) ordinal(of *session) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.subs {
		if of != nil && s.session == of {
			return s.ordinal
		}
	}
	return 0
}

// join takes a new session in; false when the whole is closed already.
func (m *mergedSession) join(s *subSession, opened *session) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.opened++
	s.session, s.ordinal = opened, m.opened
	close(m.joined)
	m.joined = make(chan struct{})
	return true
}

func (m *mergedSession) close(all *sessions) {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	open, _ := m.open()
	for _, s := range open {
		all.remove(s)
	}
}

func (m *mergedSession) nextID() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lastID--
	return m.lastID
}

func (m *mergedSession) setLevel(params jsontext.Value) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.level = params.Clone()
}

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
	if !m.join(s, y.session) {
		g.sessions.remove(y.session)
		return nil, refuse(ReasonSessionUnknown)
	}
	g.tell(ctx, x, alias, y.session, jsonrpc.NewNotification(protocol.NotificationInitialized, nil))
	m.mu.Lock()
	level := m.level
	m.mu.Unlock()
	if level != nil {
		g.tell(ctx, x, alias, y.session, jsonrpc.NewRequest(m.nextID(), protocol.MethodLoggingSetLevel, level))
	}
	return y.session, nil
}
