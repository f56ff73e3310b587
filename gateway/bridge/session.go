package bridge

import (
	"context"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// session is one legacy session that the gateway opened for one client.
type session struct {
	servers *Servers
	key     Key
	ctx     context.Context
	cancel  context.CancelCauseFunc
	closing sync.Once
	closed  chan struct{}

	opening gate // held while the session is opened or closed
	server  Server
	hello   jsontext.Value // result of initialize; nil until then
	version string

	replying gate // holds a place for each reply on its way
	leveling gate // held while the server is told a log level
	watching gate // held while subscriptions change

	mu        sync.Mutex
	last      int64 // id of the last request
	open      int   // requests and streams under way
	used      time.Time
	retired   bool
	level     int // index into levels that the server was told, -1 none
	watched   map[string]int
	listeners map[*listener]struct{}
	calls     []*call       // under way, oldest first
	heard     chan struct{} // the session's stream was asked for; closed when the server has said whether there is one
	settle    func()        // closes heard, once
}

func newSession(s *Servers, key Key) *session {
	open := &session{
		servers: s, key: key, closed: make(chan struct{}),
		opening: make(gate, 1), replying: make(gate, repliesAtOnce), leveling: make(gate, 1), watching: make(gate, 1),
		used: time.Now(), level: -1, watched: map[string]int{}, listeners: map[*listener]struct{}{},
	}
	open.ctx, open.cancel = context.WithCancelCause(s.ctx)
	return open
}

// gate is a lock that one can stop waiting for.
type gate chan struct{}

func (g gate) enter(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (g gate) leave() { <-g }

func (s *session) use() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open++
	s.used = time.Now()
}

func (s *session) release() {
	s.mu.Lock()
	s.open--
	s.used = time.Now()
	over := s.retired && s.open == 0
	s.mu.Unlock()
	if over {
		s.close()
	}
}

// idle reports when the session was last used, and whether it is not in use.
func (s *session) idle() (used time.Time, idle bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used, s.open == 0
}

// retire ends the listeners, whose clients ask anew, and closes the session when
// nobody uses it any more.
func (s *session) retire() {
	s.mu.Lock()
	s.retired = true
	over := s.open == 0
	s.mu.Unlock()
	s.endListeners()
	if over {
		s.close()
	}
}

// close ends the session and every call in it. What it returns is closed when
// the server has been told.
func (s *session) close() <-chan struct{} {
	s.closing.Do(func() {
		s.cancel(upstream.ErrClosed)
		go func() {
			defer close(s.closed)
			s.opening <- struct{}{}
			defer s.opening.leave()
			if s.server != nil {
				s.server.Close()
			}
		}()
	})
	return s.closed
}
