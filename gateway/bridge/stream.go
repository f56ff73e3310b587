package bridge

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// Times of the stream outside of any request.
const (
	hearPatience = time.Second // a call waits this long for the stream to be there
	shortPause   = time.Second
	fullPause    = 30 * time.Second
	leastPause   = 50 * time.Millisecond // whatever the server asks for
	maxPolls     = 64                    // of one answer, without a message
)

// hear has the session's stream read from the first call on: many a server asks
// there, and says nothing where nobody listens. It waits until the server has
// said whether it has such a stream.
func (s *session) hear(ctx context.Context) {
	s.mu.Lock()
	if s.heard == nil {
		heard := make(chan struct{})
		s.heard, s.settle = heard, sync.OnceFunc(func() { close(heard) })
		go s.follow()
	}
	s.mu.Unlock()
	select {
	case <-s.heard:
		return
	default:
	}
	patience := time.NewTimer(hearPatience)
	defer patience.Stop()
	select {
	case <-s.heard:
	case <-patience.C:
		s.settle() // nobody waits for this server again
	case <-ctx.Done():
	}
}

// follow reads the session's stream as long as there is a session, and takes it
// up again when it breaks.
func (s *session) follow() {
	last, pause := "", shortPause
	for {
		answers, err := s.server.Listen(s.ctx, s.version, last)
		s.settle()
		status := 0
		if err == nil {
			status = answers.Status()
			if status == http.StatusOK {
				pause = shortPause
				s.listenTo(answers, &last, &pause)
			}
			answers.Close()
		}
		switch {
		case s.ctx.Err() != nil:
			return
		case errors.Is(err, ErrForgotten), status == http.StatusNotFound:
			s.servers.retire(s)
			return
		case status == http.StatusBadRequest && last != "":
			last = "" // what the server has forgotten cannot be resumed
		case status >= 400 && status < 500:
			return // no such stream, so nothing to tell outside of calls
		}
		if last == "" {
			s.endListeners() // what they missed nobody knows
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, fullPause)
		case <-s.ctx.Done():
			return
		}
	}
}

// listenTo reads one stream to its end.
func (s *session) listenTo(answers Answers, last *string, pause *time.Duration) {
	for {
		ev, err := answers.Next(s.ctx)
		if err != nil {
			return
		}
		note(ev, last, pause)
		if m, err := jsonrpc.Parse(ev.Data, jsonrpc.Limits{}); err == nil {
			s.outside(m)
		}
	}
}

// note keeps what an event says about coming back.
func note(ev upstream.Event, last *string, pause *time.Duration) {
	if ev.ID != "" {
		*last = ev.ID
	}
	if ev.Retry > 0 {
		*pause = min(max(time.Duration(ev.Retry)*time.Millisecond, leastPause), fullPause)
	}
}
