package gateway

import (
	"slices"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/merge"
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
	watch  []watched      // resources that the client subscribed to
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

// watched is a resource that the client subscribed to.
type watched struct{ alias, uri string }

// maxWatch bounds the subscriptions that a session can take to a new
// conversation with a server.
const maxWatch = 256

// noteWatch follows what the client subscribes to.
func (m *mergedSession) noteWatch(method, alias, uri string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := watched{alias, uri}
	switch {
	case method == protocol.MethodResourcesUnsubscribe:
		m.watch = slices.DeleteFunc(m.watch, func(have watched) bool { return have == w })
	case method == protocol.MethodResourcesSubscribe && len(m.watch) < maxWatch && !slices.Contains(m.watch, w):
		m.watch = append(m.watch, w)
	}
}

// wishes are what a new session with a server begins with.
func (m *mergedSession) wishes(alias string) (level jsontext.Value, uris []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.watch {
		if w.alias == alias {
			uris = append(uris, w.uri)
		}
	}
	return m.level, uris
}

func (m *mergedSession) setLevel(params jsontext.Value) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.level = params.Clone()
}
