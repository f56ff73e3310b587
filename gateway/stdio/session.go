package stdio

import (
	"slices"
	"sync"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// backlog bounds the messages kept until a client listens.
const backlog = 256

// Session is a local server that belongs to one legacy client session. Ids
// pass through as they are: nobody else talks to this process.
type Session struct {
	proc *running

	mu       sync.Mutex
	calls    []*pending // oldest first
	listener *Conversation
	waiting  [][]byte
	gone     bool
}

// pending is one request under way.
type pending struct {
	*Conversation
	id    string
	token string // idKey of its progress token, "" without one
}

func newSession(proc *running) *Session {
	s := &Session{proc: proc}
	go s.pump()
	return s
}

// Call sends a request. What the server says in relation to it, its response
// last, comes out of the conversation.
func (s *Session) Call(m *jsonrpc.Message) (*Conversation, error) {
	p := &pending{id: idKey(m.ID)}
	if token, _, _ := member(m, tokenInRequest); token != nil {
		p.token = idKey(token)
	}
	p.Conversation = newConversation(func() { s.forget(p, nil) })
	s.mu.Lock()
	switch {
	case s.gone:
		s.mu.Unlock()
		return nil, ErrGone
	case slices.ContainsFunc(s.calls, func(other *pending) bool { return other.id == p.id }):
		s.mu.Unlock()
		return nil, ErrIDInUse
	}
	s.calls = append(s.calls, p)
	s.mu.Unlock()
	if err := s.proc.Send(m.Raw); err != nil {
		s.forget(p, ErrGone)
		return nil, ErrGone
	}
	return p.Conversation, nil
}

// Send sends a notification or a reply.
func (s *Session) Send(raw []byte) error {
	if err := s.proc.Send(raw); err != nil {
		return ErrGone
	}
	return nil
}

// Listen returns what the server says outside of any request. A new listener
// takes over from an older one.
func (s *Session) Listen() (*Conversation, error) {
	var c *Conversation
	c = newConversation(func() {
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
		s.listener.end(nil)
	}
	s.listener = c
	for _, raw := range s.waiting {
		c.deliver(raw)
	}
	s.waiting = nil
	return c, nil
}

// Gone reports whether the process has ended.
func (s *Session) Gone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

// Close kills the process.
func (s *Session) Close() {
	s.proc.Close()
	s.proc.release()
}

func (s *Session) pump() {
	defer s.proc.ended()
	for raw := range s.proc.Messages() {
		m, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
		if err != nil {
			continue // no JSON-RPC message: servers print banners; nothing of it goes anywhere
		}
		s.mu.Lock()
		s.route(m)
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	for _, p := range s.calls {
		p.end(ErrGone)
	}
	s.calls = nil
	if s.listener != nil {
		s.listener.end(ErrGone)
	}
}

// route hands a message to the request it relates to: a response by its id,
// progress by its token, anything else to the only request under way, else to
// the listener, else to the newest request. The caller holds s.mu.
func (s *Session) route(m *jsonrpc.Message) {
	if m.Kind == jsonrpc.Response {
		id := idKey(m.ID)
		if i := slices.IndexFunc(s.calls, func(p *pending) bool { return p.id == id }); i >= 0 {
			s.calls[i].deliver(m.Raw)
			s.calls[i].end(nil)
			s.calls = slices.Delete(s.calls, i, i+1)
		}
		return
	}
	if m.Method == protocol.NotificationProgress {
		if token, _, _ := member(m, tokenInNotice); token != nil {
			key := idKey(token)
			if i := slices.IndexFunc(s.calls, func(p *pending) bool { return p.token == key }); i >= 0 {
				s.calls[i].deliver(m.Raw)
				return
			}
		}
	}
	switch {
	case len(s.calls) == 1:
		s.calls[0].deliver(m.Raw)
	case s.listener != nil:
		s.listener.deliver(m.Raw)
	case len(s.calls) > 0:
		s.calls[len(s.calls)-1].deliver(m.Raw)
	case len(s.waiting) < backlog:
		s.waiting = append(s.waiting, m.Raw)
	}
}

func (s *Session) forget(p *pending, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = slices.DeleteFunc(s.calls, func(other *pending) bool { return other == p })
	p.end(err)
}
