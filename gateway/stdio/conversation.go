package stdio

import (
	"context"
	"io"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// queued bounds the messages that wait for one client.
const queued = 1024

// Conversation is what a local server says to one client message, or outside
// of any. Messages are raw and in order.
type Conversation struct {
	messages chan []byte
	close    func()

	once sync.Once
	done chan struct{}
	err  error
}

func newConversation(onClose func()) *Conversation {
	return &Conversation{messages: make(chan []byte, queued), done: make(chan struct{}), close: sync.OnceFunc(onClose)}
}

// Next returns the next message; io.EOF after the last one, ErrGone when the
// process ended first, or ctx's error.
func (c *Conversation) Next(ctx context.Context) ([]byte, error) {
	select {
	case raw := <-c.messages:
		return raw, nil
	default:
	}
	select {
	case raw := <-c.messages:
		return raw, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.done:
		select { // what was delivered before the end still counts
		case raw := <-c.messages:
			return raw, nil
		default:
			return nil, c.err
		}
	}
}

// Close says that nobody listens any more.
func (c *Conversation) Close() { c.close() }

// deliver queues a message. A full queue ends the conversation.
func (c *Conversation) deliver(raw []byte) bool {
	select {
	case c.messages <- raw:
		return true
	default:
		c.end(ErrOverflow)
		return false
	}
}

func (c *Conversation) end(err error) {
	if err == nil {
		err = io.EOF
	}
	c.once.Do(func() { c.err = err; close(c.done) })
}

// idKey makes ids comparable: a peer may spell the same string with other escapes.
func idKey(id jsontext.Value) string {
	if id.Kind() == '"' {
		if text, err := jsontext.AppendUnquote(nil, id); err == nil {
			return "s" + string(text)
		}
	}
	return "n" + string(id)
}

// member returns a raw value below a message, nil if absent.
func member(m *jsonrpc.Message, ptr jsontext.Pointer) (val jsontext.Value, start, end int) {
	val, start, end, err := jsonrpc.Get(m.Raw, ptr)
	if err != nil {
		return nil, 0, 0
	}
	return val, start, end
}

const (
	tokenInRequest = jsontext.Pointer("/params/_meta/progressToken")
	tokenInNotice  = jsontext.Pointer("/params/progressToken")
	subInNotice    = jsontext.Pointer("/params/_meta/io.modelcontextprotocol~1subscriptionId")
	subInResult    = jsontext.Pointer("/result/_meta/io.modelcontextprotocol~1subscriptionId")
)
