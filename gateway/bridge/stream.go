package bridge

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// Times of the stream outside of any request.
const (
	hearPatience = time.Second // a call waits this long for the stream to be there
	shortPause   = time.Second
	fullPause    = 30 * time.Second
	maxPolls     = 64 // of one answer, without a message
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
		*pause = min(time.Duration(ev.Retry)*time.Millisecond, fullPause)
	}
}

// resumed is the answer to a call, followed over streams that the server closes
// to be polled (2025-11-25, streamable-http, "Sending Messages to the Server").
type resumed struct {
	Answers
	session *session
	last    string
	pause   time.Duration
	polls   int
}

// Next is that of the current stream, or of the one that goes on with it.
func (r *resumed) Next(ctx context.Context) (upstream.Event, error) {
	for {
		ev, err := r.Answers.Next(ctx)
		if err == nil {
			if note(ev, &r.last, &r.pause); len(ev.Data) > 0 {
				r.polls = 0
			}
			return ev, nil
		}
		if err != io.EOF || r.last == "" || r.polls >= maxPolls {
			return ev, err
		}
		r.polls++
		select {
		case <-time.After(max(r.pause, 10*time.Millisecond)):
		case <-ctx.Done():
			return ev, context.Cause(ctx)
		}
		next, err := r.session.server.Listen(ctx, r.session.version, r.last)
		if err != nil {
			return ev, err
		}
		if next.Status() != http.StatusOK {
			next.Close()
			return ev, io.EOF
		}
		r.Answers.Close()
		r.Answers = next
	}
}

// outside handles what the server says outside of any request. While calls are
// under way it belongs to one of them: to the one that it names, else to the
// newest that can take it.
func (s *session) outside(m *jsonrpc.Message) {
	switch m.Kind {
	case jsonrpc.Response: // of a call whose stream the server took for this one
		s.hand(m, func(c *call) bool { return idKey(c.id) == idKey(m.ID) })
	case jsonrpc.Request:
		switch {
		case m.Method == protocol.MethodPing:
			s.reply(jsonrpc.NewResult(m.ID, nil))
		case !s.hand(m, mayAsk):
			s.reply(jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "no request is under way", nil))
		}
	case jsonrpc.Notification:
		_, defined := protocol.Lookup(m.Method)
		switch {
		case m.Method == protocol.NotificationProgress:
			token := string(at(m.Params, "progressToken"))
			s.hand(m, func(c *call) bool { return string(c.id) == token })
		case m.Method == protocol.NotificationMessage:
			level := levelOf(m)
			s.hand(m, func(c *call) bool { return c.level >= 0 && c.level <= level })
		case !defined:
			s.hand(m, func(*call) bool { return true })
		default:
			s.announce(m)
		}
	}
}

// hand gives a message to the newest call that takes it, to one that waits for
// input only where no other does.
func (s *session) hand(m *jsonrpc.Message, takes func(*call) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, waiting := range []bool{false, true} {
		for _, c := range slices.Backward(s.calls) {
			if c.waiting != waiting || !takes(c) {
				continue
			}
			select {
			case c.asides <- m:
				return true
			default:
				return false
			}
		}
	}
	return false
}

// add notes a call under way.
func (s *session) add(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
}

// remove forgets a call, and returns what the server asked it on the session's
// stream in vain.
func (s *session) remove(gone *call) (unanswered []*jsonrpc.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = slices.DeleteFunc(s.calls, func(c *call) bool { return c == gone })
	for {
		select {
		case m := <-gone.asides:
			if m.Kind == jsonrpc.Request {
				unanswered = append(unanswered, m)
			}
		default:
			return unanswered
		}
	}
}

// wait notes whether a call waits for input.
func (s *session) wait(c *call, waiting bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.waiting = waiting
}

// wish notes what the current turn of a call wants.
func (s *session) wish(c *call, wanted wishes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.wishes = wanted
}
