// Package demux tells apart what a server says to several requests on one
// channel: a process's standard output, or the single event stream of HTTP+SSE.
// It hands every message to the request that it belongs to, in order and within
// bounds, and whatever belongs to none to whoever listens.
//
// It must not know how messages travel, and it never sends one.
package demux

import (
	"errors"
	"slices"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

var (
	// ErrGone is a server that went away before it answered.
	ErrGone = errors.New("server is gone")
	// ErrIDInUse is a request whose id is under way in the same session.
	ErrIDInUse = errors.New("request id is in use")
	// ErrOverflow is a client that takes messages slower than the server writes them.
	ErrOverflow = errors.New("too many messages wait for the client")
)

// Messages kept until a client listens.
const (
	backlog      = 256
	backlogBytes = 4 << 20
)

// Session is a channel that belongs to one legacy client session. Ids pass
// through as they are: nobody else talks on it. The zero Session is ready.
type Session struct {
	mu       sync.Mutex
	calls    []*pending // oldest first
	listener *Conversation
	waiting  [][]byte
	held     int // bytes of waiting
	gone     bool
}

// pending is one request under way.
type pending struct {
	*Conversation
	id    string
	token string // IDKey of its progress token, "" without one
}

// Await expects the answer to a request that is about to be sent. What the
// server says in relation to it, its response last, comes out of the
// conversation.
func (s *Session) Await(m *jsonrpc.Message) (*Conversation, error) {
	p := &pending{id: IDKey(m.ID)}
	if token, _, _, err := jsonrpc.Get(m.Raw, "/params/_meta/progressToken"); err == nil {
		p.token = IDKey(token)
	}
	p.Conversation = New(func() { s.forget(p) })
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.gone:
		return nil, ErrGone
	case slices.ContainsFunc(s.calls, func(other *pending) bool { return other.id == p.id }):
		return nil, ErrIDInUse
	}
	s.calls = append(s.calls, p)
	return p.Conversation, nil
}

// Listen returns what the server says outside of any request. A new listener
// takes over from an older one.
func (s *Session) Listen() (*Conversation, error) {
	var c *Conversation
	c = New(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.listener == c {
			s.listener = nil
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return nil, ErrGone
	}
	if s.listener != nil {
		s.listener.End(nil)
	}
	s.listener = c
	for _, raw := range s.waiting {
		c.Deliver(raw)
	}
	s.waiting, s.held = nil, 0
	return c, nil
}

// Gone reports whether the server has gone away.
func (s *Session) Gone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

// End ends every conversation: the server has gone away, for the given reason.
func (s *Session) End(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	for _, p := range s.calls {
		p.End(err)
	}
	s.calls, s.waiting = nil, nil
	if s.listener != nil {
		s.listener.End(err)
	}
}

// Deliver hands a message to the request it relates to: a response by its id,
// progress by its token, anything else to the only request under way, else to
// the listener, else to the newest request. A response that nobody awaits is
// dropped. Deliver never waits for a client.
func (s *Session) Deliver(m *jsonrpc.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.Kind == jsonrpc.Response {
		id := IDKey(m.ID)
		if i := slices.IndexFunc(s.calls, func(p *pending) bool { return p.id == id }); i >= 0 {
			s.calls[i].Deliver(m.Raw)
			s.calls[i].End(nil)
			s.calls = slices.Delete(s.calls, i, i+1)
		}
		return
	}
	if m.Method == protocol.NotificationProgress {
		if token, _, _, err := jsonrpc.Get(m.Raw, "/params/progressToken"); err == nil {
			key := IDKey(token)
			if i := slices.IndexFunc(s.calls, func(p *pending) bool { return p.token == key }); i >= 0 {
				s.calls[i].Deliver(m.Raw)
				return
			}
		}
	}
	switch {
	case len(s.calls) == 1:
		s.calls[0].Deliver(m.Raw)
	case s.listener != nil:
		s.listener.Deliver(m.Raw)
	case len(s.calls) > 0:
		s.calls[len(s.calls)-1].Deliver(m.Raw)
	case len(s.waiting) < backlog && s.held+len(m.Raw) <= backlogBytes:
		s.waiting = append(s.waiting, m.Raw)
		s.held += len(m.Raw)
	}
}

func (s *Session) forget(p *pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = slices.DeleteFunc(s.calls, func(other *pending) bool { return other == p })
	p.End(nil)
}

// IDKey makes ids and tokens comparable: a peer may spell the same string with
// other escapes.
func IDKey(id jsontext.Value) string {
	if id.Kind() == '"' {
		if text, err := jsontext.AppendUnquote(nil, id); err == nil {
			return "s" + string(text)
		}
	}
	return "n" + string(id)
}
