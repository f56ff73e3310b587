package bridge

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// Bounds of what one client holds.
const (
	maxCalls   = 256 // requests under way
	maxWatched = 256 // resources subscribed to
)

// Client is the session of a legacy client with a modern server. Whatever a
// legacy server would remember of its client is remembered here.
type Client struct {
	mu           sync.Mutex
	closed       bool
	capabilities jsontext.Value
	info         jsontext.Value
	level        string
	watched      []string
	stream       *watch
	last         int64 // id of the last request to the server
	calls        map[string]context.CancelCauseFunc
	waiting      map[string]chan<- *jsonrpc.Message
}

// NewClient returns a session that awaits its initialize.
func NewClient() *Client {
	return &Client{calls: map[string]context.CancelCauseFunc{}, waiting: map[string]chan<- *jsonrpc.Message{}}
}

// Ask answers a request of the client, most of them by asking the server. ask
// is used as long as the answers are read.
//
// Errors: ErrIDInUse, ErrFull, ErrParams, upstream.ErrProtocol, ErrCancelled
// from Next, and what ask fails with.
func (c *Client) Ask(ctx context.Context, ask Ask, m *jsonrpc.Message) (Answers, error) {
	switch m.Method {
	case protocol.MethodInitialize:
		return c.introduce(ctx, ask, m)
	case protocol.MethodPing:
		return done(m.ID), nil
	case protocol.MethodLoggingSetLevel:
		return c.setLevel(m)
	case protocol.MethodResourcesSubscribe:
		return c.subscribe(m, true)
	case protocol.MethodResourcesUnsubscribe:
		return c.subscribe(m, false)
	}
	return c.call(ctx, ask, m)
}

// done is the empty result.
func done(id jsontext.Value) *single { return &single{raw: jsonrpc.NewResult(id, nil)} }

// levels are those of RFC 5424, as logging/setLevel names them.
var levels = []string{"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"}

func (c *Client) setLevel(m *jsonrpc.Message) (Answers, error) {
	level := jsonrpc.Text(m.Params, "/level")
	if !slices.Contains(levels, level) {
		return nil, fmt.Errorf("%w: no such logging level", ErrParams)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.level = level
	return done(m.ID), nil
}

// Tell takes a notification or a reply of the client. A reply that nobody
// waits for any more is dropped: the request it belongs to is over.
func (c *Client) Tell(ctx context.Context, ask Ask, m *jsonrpc.Message) error {
	if m.Kind == jsonrpc.Response {
		c.mu.Lock()
		replies := c.waiting[idKey(m.ID)]
		delete(c.waiting, idKey(m.ID))
		c.mu.Unlock()
		if replies != nil {
			replies <- m // has room for every reply of its round
		}
		return nil
	}
	switch m.Method {
	case protocol.NotificationInitialized, protocol.NotificationRootsListChanged, protocol.NotificationProgress:
		return nil // the modern era has none of them
	case protocol.NotificationCancelled:
		c.mu.Lock()
		cancel := c.calls[idKey(at(m.Params, "requestId"))]
		c.mu.Unlock()
		if cancel != nil {
			cancel(ErrCancelled)
		}
		return nil
	}
	params, err := c.params(m.Params)
	if err != nil {
		return err
	}
	raw, err := replaced(m, map[string]jsontext.Value{"params": params})
	if err != nil {
		return err
	}
	answers, err := ask(ctx, raw)
	if err == nil {
		answers.Close()
	}
	return err
}

// Close ends every call under way, and the stream.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, cancel := range c.calls {
		cancel(ErrCancelled)
	}
	if c.stream != nil {
		c.stream.cancel(ErrCancelled)
	}
}

// params adds what the modern era wants to know with every request. A client
// that writes these members itself does not get to choose them.
func (c *Client) params(params jsontext.Value) (jsontext.Value, error) {
	c.mu.Lock()
	capabilities, info, level := c.capabilities, c.info, c.level
	c.mu.Unlock()
	meta, err := without(orEmpty(at(params, "_meta")), protocol.MetaClientInfo, protocol.MetaLogLevel)
	if err != nil {
		return nil, fmt.Errorf("%w: _meta is no object", ErrParams)
	}
	if level != "" {
		meta, err = with(meta, protocol.MetaLogLevel, strconv.AppendQuote(nil, level))
	}
	if err == nil && info != nil {
		meta, err = with(meta, protocol.MetaClientInfo, info)
	}
	if err == nil {
		meta, err = with(meta, protocol.MetaClientCapabilities, orEmpty(capabilities))
	}
	if err == nil {
		meta, err = with(meta, protocol.MetaProtocolVersion, []byte(`"`+protocol.VersionModern+`"`))
	}
	if err != nil {
		return nil, err
	}
	return with(params, "_meta", meta)
}

func orEmpty(obj jsontext.Value) jsontext.Value {
	if obj == nil {
		return jsontext.Value("{}")
	}
	return obj
}

// nextID names a request to the server. Client ids are not passed on: a retry
// needs one of its own.
func (c *Client) nextID() jsontext.Value {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	return strconv.AppendInt(nil, c.last, 10)
}

// begin notes a request under way.
func (c *Client) begin(id jsontext.Value, cancel context.CancelCauseFunc) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := idKey(id)
	if _, twice := c.calls[key]; twice {
		return ErrIDInUse
	}
	if c.closed || len(c.calls) >= maxCalls {
		return ErrFull
	}
	c.calls[key] = cancel
	return nil
}

func (c *Client) end(id jsontext.Value) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, idKey(id))
}
