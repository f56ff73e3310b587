package upstream

import (
	"context"
	"fmt"
	"sync"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// stdioConn shares one process between concurrent calls.
type stdioConn struct {
	client  *Client
	process *Process
	mu      sync.Mutex
	waiting map[string]chan<- *jsonrpc.Message // by id
}

func dialProcess(c *Client, t Target) error {
	p, err := StartProcess(c.ctx, t, c.lim)
	if err != nil {
		return err
	}
	s := &stdioConn{client: c, process: p, waiting: map[string]chan<- *jsonrpc.Message{}}
	c.conn = s // before the server can ask for an answer
	go s.read()
	return nil
}

// read hands every message to whom it belongs. A line that does not begin like
// a message is log output of a sloppy server and passed over; one that does but
// cannot be read ends the conversation, for it may be somebody's answer.
func (s *stdioConn) read() {
	for line := range s.process.Messages() {
		if line[0] != '{' && line[0] != '[' {
			continue
		}
		m, err := s.client.parse(line)
		if err != nil {
			s.process.fail(err)
			continue
		}
		if m.Kind != jsonrpc.Response {
			s.client.receive(s.client.ctx, m)
			continue
		}
		if waiting := s.claim(m); waiting != nil { // otherwise nobody asked, or nobody waits any more
			waiting <- m
		}
	}
	s.client.end(s.process.Err())
}

// claim finds the call that a response answers. An error without id answers
// the one call that it can belong to.
func (s *stdioConn) claim(m *jsonrpc.Message) chan<- *jsonrpc.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := m.IDKey()
	if anonymous(m) && len(s.waiting) == 1 {
		for only := range s.waiting {
			key = only
		}
	}
	waiting := s.waiting[key]
	delete(s.waiting, key)
	return waiting
}

// anonymous reports an error of a server that could not tell which request it
// refuses (JSON-RPC 2.0 §5).
func anonymous(m *jsonrpc.Message) bool {
	return m.Error != nil && (m.ID == nil || m.ID.Kind() == 'n')
}

func (s *stdioConn) exchange(ctx context.Context, raw []byte, m *jsonrpc.Message) (*jsonrpc.Message, error) {
	answer := make(chan *jsonrpc.Message, 1)
	s.mu.Lock()
	s.waiting[m.IDKey()] = answer
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waiting, m.IDKey())
		s.mu.Unlock()
	}()
	if err := s.process.Send(raw); err != nil {
		return nil, err
	}
	select {
	case got := <-answer:
		return got, nil
	case <-s.client.Done():
		select { // the answer may have come before the end
		case got := <-answer:
			return got, nil
		default:
			return nil, s.client.Err()
		}
	case <-ctx.Done():
		if m.Method != protocol.MethodInitialize { // which must not be cancelled
			_ = s.process.Send(jsonrpc.NewNotification(protocol.NotificationCancelled, map[string]any{"requestId": m.ID}))
		}
		return nil, fmt.Errorf("no answer to %s: %w", m.Method, context.Cause(ctx))
	}
}

func (s *stdioConn) send(_ context.Context, raw []byte, _ *jsonrpc.Message) error {
	return s.process.Send(raw)
}

func (s *stdioConn) close() error { return s.process.Close() }
