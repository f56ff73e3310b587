package bridge

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

var errNoInput = errors.New("the input did not come in time")

// park keeps a call until its client comes back with input, or until it has
// waited long enough, or until the session ends. The state is 128 random bits.
func (s *Servers) park(c *call) (state string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := 0
	for _, other := range s.parked {
		if other.session.key.owner() == c.session.key.owner() {
			own++
		}
	}
	if own >= s.cfg.Calls || len(s.parked) >= s.cfg.Sessions {
		return "", ErrFull
	}
	state = rand.Text()
	s.parked[state] = c
	patience := time.AfterFunc(s.cfg.Patience, func() { c.cancel(errNoInput) })
	unwatch := context.AfterFunc(c.ctx, func() { s.abandon(state, c) })
	c.wake = func() { patience.Stop(); unwatch() }
	return state, nil
}

// abandon ends a call that still waits under a state.
func (s *Servers) abandon(state string, c *call) {
	s.mu.Lock()
	waits := s.parked[state] == c
	if waits {
		delete(s.parked, state)
		c.wake()
	}
	s.mu.Unlock()
	if waits {
		c.end()
	}
}

// resume goes on with the call that waits under a state: once, for its owner,
// and for the same request.
func (s *Servers) resume(key Key, state string, m *jsonrpc.Message) (Answers, error) {
	s.mu.Lock()
	c := s.parked[state]
	if c == nil || c.session.key.owner() != key.owner() || c.session.key.Instance != key.Instance ||
		c.method != m.Method || c.request != requestDigest(m.Params) {
		s.mu.Unlock()
		return nil, ErrState
	}
	delete(s.parked, state)
	c.wake()
	s.mu.Unlock()
	return c.resume(m)
}
