package bridge

import (
	"context"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// session finds or opens the session for a message, and marks it as in use.
func (s *Servers) session(ctx context.Context, key Key, dial func() (Server, error), m *jsonrpc.Message) (*session, error) {
	hello, err := helloOf(m)
	if err != nil {
		return nil, err
	}
	key.client = string(hello)
	s.mu.Lock()
	open := s.sessions[key]
	if open == nil && m.Kind == jsonrpc.Notification {
		open = s.latest(key) // a notification need not say who its client is
	}
	if open == nil {
		evicted, err := s.admit(key)
		if err != nil {
			s.mu.Unlock()
			return nil, err
		}
		if evicted != nil {
			delete(s.sessions, evicted.key)
			defer evicted.close()
		}
		open = newSession(s, key)
		s.sessions[key] = open
	}
	open.use()
	s.mu.Unlock()
	if err := open.ready(ctx, dial, hello); err != nil {
		open.release()
		s.retire(open)
		return nil, err
	}
	return open, nil
}

// latest is the session that was last used under a key, whatever the client
// said of itself. The caller holds s.mu.
func (s *Servers) latest(key Key) (found *session) {
	var since time.Time
	for other, open := range s.sessions {
		other.client = key.client
		if used, _ := open.idle(); other == key && (found == nil || used.After(since)) {
			found, since = open, used
		}
	}
	return found
}

// admit says which session must be closed for another one of this key: of a
// caller who has enough, the caller's own that is unused for longest; where all
// together are enough, anybody's. The caller holds s.mu.
func (s *Servers) admit(key Key) (evicted *session, err error) {
	var own, oldest *session
	var ownSince, since time.Time
	count := 0
	for other, open := range s.sessions {
		used, idle := open.idle()
		mine := other.owner() == key.owner()
		if mine {
			count++
		}
		if idle && mine && (own == nil || used.Before(ownSince)) {
			own, ownSince = open, used
		}
		if idle && (oldest == nil || used.Before(since)) {
			oldest, since = open, used
		}
	}
	switch {
	case s.ctx.Err() != nil:
		return nil, ErrSessions
	case count >= s.cfg.PerOwner:
		evicted = own
	case len(s.sessions) >= s.cfg.Sessions:
		evicted = oldest
	default:
		return nil, nil
	}
	if evicted == nil {
		return nil, ErrSessions
	}
	return evicted, nil
}

// makeRoom closes the session of a caller that is unused for longest, and waits
// until what it held is free; false when all are in use.
func (s *Servers) makeRoom(key Key) bool {
	var oldest *session
	var since time.Time
	s.mu.Lock()
	for other, open := range s.sessions {
		if used, idle := open.idle(); idle && other.owner() == key.owner() && (oldest == nil || used.Before(since)) {
			oldest, since = open, used
		}
	}
	if oldest != nil {
		delete(s.sessions, oldest.key)
	}
	s.mu.Unlock()
	if oldest == nil {
		return false
	}
	<-oldest.close()
	return true
}

// retire lets nobody new into a session; it is closed when the last one leaves.
func (s *Servers) retire(gone *session) {
	s.mu.Lock()
	if s.sessions[gone.key] == gone {
		delete(s.sessions, gone.key)
	}
	s.mu.Unlock()
	gone.retire()
}

func (s *Servers) reap() {
	ticker := time.NewTicker(max(s.cfg.Idle/8, 10*time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case now := <-ticker.C:
			before := now.Add(-s.cfg.Idle)
			s.closeIf(func(_ Key, open *session) bool {
				used, idle := open.idle()
				return idle && used.Before(before)
			})
		}
	}
}
