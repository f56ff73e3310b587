package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// Client is a conversation of Bartizan's own with a server, in one era. It is
// safe for concurrent use.
type Client struct {
	era   protocol.Era
	name  string // its own
	lim   Limits
	conn  conn
	hello hello // of the handshake

	lastID atomic.Int64
	mu     sync.Mutex
	notify func(*jsonrpc.Message)
	watch  sync.Once

	ctx context.Context // ends with the conversation; its cause says why
	end context.CancelCauseFunc
}

// conn carries messages. One pipe for all of them and an HTTP endpoint
// implement it.
type conn interface {
	// exchange sends a request and returns the response to it.
	exchange(ctx context.Context, raw []byte, m *jsonrpc.Message) (*jsonrpc.Message, error)
	// send sends a notification or a response.
	send(ctx context.Context, raw []byte, m *jsonrpc.Message) error
	close() error
}

// Dial opens a conversation in one era: initialize in the legacy era,
// server/discover in the modern one, with every client capability declared.
// ctx covers the handshake only. The error wraps ErrEra when the server does
// not speak the era; one that says nothing until StartTimeout does not.
func Dial(ctx context.Context, t Target, era protocol.Era, lim Limits) (*Client, error) {
	if !era.Valid() {
		return nil, fmt.Errorf("%w: unknown era", ErrEra)
	}
	c := &Client{era: era, name: t.ClientName, lim: lim.withDefaults()}
	c.ctx, c.end = context.WithCancelCause(context.WithoutCancel(ctx))
	dial := dialHTTP
	switch {
	case len(t.Command) > 0:
		dial = dialProcess
	case t.Transport == protocol.TransportSSE:
		dial = dialEvents
	}
	if err := dial(ctx, c, t); err != nil {
		c.end(err)
		return nil, err
	}
	handshake, cancel := context.WithTimeout(ctx, c.lim.StartTimeout)
	defer cancel()
	if err := c.greet(handshake); err != nil {
		err = eraError(ctx, err)
		c.shut(err)
		return nil, err
	}
	return c, nil
}

// Era returns the era of the conversation.
func (c *Client) Era() protocol.Era { return c.era }

// Call sends one request and returns the whole response message; an error that
// the server answers is a message too. In the modern era the _meta members that
// every request needs are added where params lack them.
func (c *Client) Call(ctx context.Context, method string, params jsontext.Value) (*jsonrpc.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, c.lim.CallTimeout)
	defer cancel()
	raw, m, err := c.request(method, params)
	if err != nil {
		return nil, err
	}
	return c.conn.exchange(ctx, raw, m)
}

// request builds a request with a fresh id.
func (c *Client) request(method string, params jsontext.Value) ([]byte, *jsonrpc.Message, error) {
	if c.era == protocol.Modern {
		var err error
		if params, err = withMeta(params, c.name); err != nil {
			return nil, nil, err
		}
	}
	raw := jsonrpc.NewRequest(c.lastID.Add(1), method, params)
	m, err := jsonrpc.Parse(raw, c.parseLimits())
	return raw, m, err
}

func (c *Client) parseLimits() jsonrpc.Limits { return jsonrpc.Limits{Bytes: int(c.lim.MessageBytes)} }

// parse reads one message of the server.
func (c *Client) parse(raw []byte) (*jsonrpc.Message, error) {
	m, err := jsonrpc.Parse(raw, c.parseLimits())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return m, nil
}

// OnNotification registers the function that receives notifications of the
// server, one after the other, and opens the stream on which the server sends
// those that belong to no call. f must return soon.
func (c *Client) OnNotification(f func(*jsonrpc.Message)) {
	c.mu.Lock()
	c.notify = f
	c.mu.Unlock()
	c.watch.Do(func() { go c.watchChanges() })
}

// receive takes a message that answers no call. Requests of the server are
// refused, except ping: this client samples and elicits nothing.
func (c *Client) receive(ctx context.Context, m *jsonrpc.Message) {
	switch m.Kind {
	case jsonrpc.Notification:
		c.mu.Lock()
		f := c.notify
		c.mu.Unlock()
		if f != nil {
			f(m)
		}
	case jsonrpc.Request:
		if c.era == protocol.Modern {
			return // the modern era has no requests of the server, and no answers to them
		}
		answer := jsonrpc.NewError(m.ID, protocol.CodeMethodNotFound, "method not found", nil)
		if m.Method == protocol.MethodPing {
			answer = jsonrpc.NewResult(m.ID, nil)
		}
		_ = c.conn.send(ctx, answer, nil) // a server that cannot take it ends by itself
	}
}

// Done is closed when the conversation has ended.
func (c *Client) Done() <-chan struct{} { return c.ctx.Done() }

// Err says why the conversation ended; nil while it has not.
func (c *Client) Err() error { return context.Cause(c.ctx) }

// Close ends the conversation.
func (c *Client) Close() error { return c.shut(ErrClosed) }

func (c *Client) shut(why error) error {
	c.end(why)
	return c.conn.close()
}

// StatusError is an HTTP error status without a JSON-RPC answer; it wraps
// ErrStatus.
type StatusError int

func (s StatusError) Error() string { return ErrStatus.Error() + ": " + strconv.Itoa(int(s)) }
func (s StatusError) Unwrap() error { return ErrStatus }

// answeredError is a JSON-RPC error where a result is needed.
type answeredError int

func (a answeredError) Error() string { return "server answered error " + strconv.Itoa(int(a)) }

// eraError marks the failures of a handshake that mean another era: an error
// answer, a status with which servers refuse what they do not know, silence,
// or an exit. The specification forbids to key this to one error code.
func eraError(ctx context.Context, err error) error {
	var status StatusError
	var answered answeredError
	refused := errors.As(err, &status) &&
		(status == http.StatusBadRequest || status == http.StatusNotFound || status == http.StatusMethodNotAllowed)
	silent := errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil
	if refused || silent || errors.As(err, &answered) || errors.Is(err, ErrClosed) {
		return fmt.Errorf("%w: %w", ErrEra, err)
	}
	return err
}
