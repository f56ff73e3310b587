package stdio

import (
	"github.com/bartizan-mcp/bartizan/gateway/demux"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// Session is a local server that belongs to one legacy client session.
type Session struct {
	demux.Session
	proc *running
}

func newSession(proc *running) *Session {
	s := &Session{proc: proc}
	go s.pump()
	return s
}

// Call sends a request. What the server says in relation to it, its response
// last, comes out of the conversation.
func (s *Session) Call(m *jsonrpc.Message) (*demux.Conversation, error) {
	c, err := s.Await(m)
	if err != nil {
		return nil, err
	}
	if err := s.Send(m.Raw); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Send sends a notification or a reply.
func (s *Session) Send(raw []byte) error {
	if err := s.proc.Send(raw); err != nil {
		return demux.ErrGone
	}
	return nil
}

// Close kills the process.
func (s *Session) Close() {
	s.proc.Close()
	s.proc.release()
}

func (s *Session) pump() {
	defer s.proc.ended()
	for raw := range s.proc.Messages() {
		if m, err := jsonrpc.Parse(raw, jsonrpc.Limits{}); err == nil {
			s.Deliver(m)
		} // else no JSON-RPC message: servers print banners; nothing of it goes anywhere
	}
	s.End(demux.ErrGone)
}
