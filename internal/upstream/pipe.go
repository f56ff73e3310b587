package upstream

import (
	"context"
	"fmt"
	"sync"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// pipe carries all messages of a conversation: a process, or a session over
// HTTP+SSE.
type pipe interface {
	Messages() <-chan []byte
	Send(raw []byte) error
	ending
}

type ending interface {
	Err() error
	Close() error
	fail(error)
}

// pipeConn shares one pipe between concurrent calls.
type pipeConn struct {
	client  *Client
	pipe    pipe
	sloppy  bool // prints what is no message
	mu      sync.Mutex
	waiting map[string]chan<- *jsonrpc.Message // by id
}

func dialProcess(_ context.Context, c *Client, t Target) error {
	p, err := StartProcess(c.ctx, t, c.lim)
	if err != nil {
		return err
	}
	c.converse(p, true)
	return nil
}

// dialEvents opens a session over HTTP+SSE, which only the legacy era has.
func dialEvents(ctx context.Context, c *Client, t Target) error {
	if c.era != protocol.Legacy {
		return fmt.Errorf("%w: HTTP+SSE is older", ErrEra)
	}
	s, err := OpenEventSession(ctx, t, nil, c.lim)
	if err != nil {
		return err
	}
	c.converse(s, false)
	return nil
}

func (c *Client) converse(p pipe, sloppy bool) {
	s := &pipeConn{client: c, pipe: p, sloppy: sloppy, waiting: map[string]chan<- *jsonrpc.Message{}}
	c.conn = s // before the server can ask for an answer
	go s.read()
}

// read hands every message to whom it belongs. A line of a process that does
// not begin like a message is log output of a sloppy server and passed over; one
// that does but cannot be read ends the conversation, for it may be somebody's
// answer.
func (s *pipeConn) read() {
	for line := range s.pipe.Messages() {
		if s.sloppy && line[0] != '{' && line[0] != '[' {
			continue
		}
		m, err := s.client.parse(line)
		if err != nil {
			s.pipe.fail(err)
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
	s.client.end(s.pipe.Err())
}

// claim finds the call that a response answers. An error without id answers
// the one call that it can belong to.
func (s *pipeConn) claim(m *jsonrpc.Message) chan<- *jsonrpc.Message {
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

func (s *pipeConn) exchange(ctx context.Context, raw []byte, m *jsonrpc.Message) (*jsonrpc.Message, error) {
	answer := make(chan *jsonrpc.Message, 1)
	s.mu.Lock()
	s.waiting[m.IDKey()] = answer
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waiting, m.IDKey())
		s.mu.Unlock()
	}()
	sent := make(chan error, 1)
	go func() { sent <- s.pipe.Send(raw) }() // the answer may come first
	for {
		select {
		case got := <-answer:
			return got, nil
		case err := <-sent:
			if sent = nil; err != nil {
				return nil, err
			}
		case <-s.client.Done():
			select { // the answer may have come before the end
			case got := <-answer:
				return got, nil
			default:
				return nil, s.client.Err()
			}
		case <-ctx.Done():
			if m.Method != protocol.MethodInitialize { // which must not be cancelled
				go s.pipe.Send(jsonrpc.NewNotification(protocol.NotificationCancelled, map[string]any{"requestId": m.ID}))
			}
			return nil, fmt.Errorf("no answer to %s: %w", m.Method, context.Cause(ctx))
		}
	}
}

func (s *pipeConn) send(_ context.Context, raw []byte, _ *jsonrpc.Message) error {
	return s.pipe.Send(raw)
}

func (s *pipeConn) close() error { return s.pipe.Close() }
