package gateway

import (
	"context"
	"crypto/sha256"
	"maps"
	"net/http"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/merge"
	"github.com/bartizan-mcp/bartizan/internal/audit"
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
	closed bool
}

// subSession is the session with one server. Whoever holds turn may replace it.
type subSession struct {
	turn    chan struct{}
	session *session
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

// join takes a new session in; false when the whole is closed already.
func (m *mergedSession) join(s *subSession, opened *session) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	s.session = opened
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

// tell sends a server a message whose answer nobody waits for.
func (g *Gateway) tell(ctx context.Context, x *exchange, alias string, s *session, raw []byte) {
	y := x.towards(alias, raw)
	within(y, s)
	_, _ = g.aside(ctx, y) // a refusal is on record
}

// aside passes a message of the gateway's own through all steps and returns
// what the client of a single server would have been answered.
func (g *Gateway) aside(ctx context.Context, y *exchange) (answer *jsonrpc.Message, no *refusal) {
	y.id = audit.NewID()
	p := &part{g: g, x: y, quiet: true, got: func(m *jsonrpc.Message) { answer = m }}
	out := &responder{w: &tracked{ResponseWriter: discard{}}, timeout: g.cfg.WriteTimeout, seal: g.seal, part: p}
	g.pass(ctx, y, out)
	return answer, out.refused
}

// broadcast tells every server that has a session, all at once.
func (g *Gateway) broadcast(ctx context.Context, x *exchange, raw func() []byte) {
	open, _ := x.session.merged.open()
	ctx, cancel := context.WithTimeout(ctx, g.cfg.MergePatience)
	defer cancel()
	var work sync.WaitGroup
	for alias, s := range open {
		work.Go(func() { g.tell(ctx, x, alias, s, raw()) })
	}
	work.Wait()
}

// discard is nobody: what is written is gone.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) WriteHeader(int)             {}
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) Flush()                      {}

// digests are those of one list's parts, by alias.
type digests map[string][sha256.Size]byte

// told is what a client was last shown of each list, by server.
type told struct {
	mu    sync.Mutex
	lists map[string]digests
}

func (t *told) set(method string, now digests) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lists == nil {
		t.lists = map[string]digests{}
	}
	t.lists[method] = now
}

// differs replaces what is known of a list by what it is now; true when it was
// known and is another.
func (t *told) differs(method string, now digests) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, known := t.lists[method]
	if t.lists == nil {
		t.lists = map[string]digests{}
	}
	t.lists[method] = now
	return known && !maps.Equal(before, now)
}

func (t *told) of(method, alias string) (digest [sha256.Size]byte, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	digest, ok = t.lists[method][alias]
	return digest, ok
}

func digestsOf(lists []listed) digests {
	all := digests{}
	for _, l := range lists {
		all[l.alias] = l.digest
	}
	return all
}
