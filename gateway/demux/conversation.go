package demux

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
)

// What waits for one client. One message may be larger.
const (
	queued      = 1024
	queuedBytes = 64 << 20
)

// Conversation is what a server says to one client message, or outside of any.
// Messages are raw and in order.
type Conversation struct {
	messages chan []byte
	held     atomic.Int64 // bytes of messages
	close    func()

	once sync.Once
	done chan struct{}
	err  error
}

// New makes a conversation; onClose is called once, when nobody listens to it
// any more.
func New(onClose func()) *Conversation {
	return &Conversation{messages: make(chan []byte, queued), done: make(chan struct{}), close: sync.OnceFunc(onClose)}
}

// Next returns the next message; io.EOF after the last one, the reason when the
// conversation ended otherwise, or ctx's error.
func (c *Conversation) Next(ctx context.Context) ([]byte, error) {
	select {
	case raw := <-c.messages:
		return c.taken(raw), nil
	default:
	}
	select {
	case raw := <-c.messages:
		return c.taken(raw), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.done:
		select { // what was delivered before the end still counts
		case raw := <-c.messages:
			return c.taken(raw), nil
		default:
			return nil, c.err
		}
	}
}

func (c *Conversation) taken(raw []byte) []byte {
	c.held.Add(-int64(len(raw)))
	return raw
}

// Close says that nobody listens any more.
func (c *Conversation) Close() { c.close() }

// Deliver queues a message. What is beyond the queue ends the conversation.
func (c *Conversation) Deliver(raw []byte) bool {
	size := int64(len(raw))
	if held := c.held.Add(size); held > queuedBytes && held > size {
		c.End(ErrOverflow)
		return false
	}
	select {
	case c.messages <- raw:
		return true
	default:
		c.End(ErrOverflow)
		return false
	}
}

// End ends the conversation after what was delivered; nil is its natural end.
func (c *Conversation) End(err error) {
	if err == nil {
		err = io.EOF
	}
	c.once.Do(func() { c.err = err; close(c.done) })
}
