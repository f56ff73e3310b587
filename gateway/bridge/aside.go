package bridge

import (
	"slices"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

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
