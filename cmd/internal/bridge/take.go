package bridge

import (
	"context"
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

const (
	codeInvalidRequest = protocol.CodeInvalidRequest
	codeParseError     = protocol.CodeParseError
	codeInternalError  = protocol.CodeInternalError
)

// take handles one message of the client.
func (b *bridge) take(ctx context.Context, line []byte) {
	m, err := b.parse(line)
	if err != nil {
		b.refuse(line, err)
		return
	}
	switch {
	case m.Kind == jsonrpc.Request:
		b.request(ctx, m)
	case m.Method == protocol.NotificationCancelled:
		b.cancel(ctx, m)
	case m.Method == protocol.NotificationInitialized:
		b.deliverNow(ctx, m)
	default:
		b.deliverLater(ctx, m)
	}
}

// refuse answers what the gateway would refuse too, so that its sender does
// not wait. Whoever sent it gets an answer even where only the id is sound.
func (b *bridge) refuse(line []byte, why error) {
	b.Log.Warn("the client sent what is no message", "cause", why)
	code := codeParseError
	if errors.Is(why, jsonrpc.ErrBatch) {
		code = codeInvalidRequest
	}
	var id jsontext.Value
	if got, _, _, err := jsonrpc.Get(line, "/id"); err == nil && (got.Kind() == '"' || got.Kind() == '0') {
		id = got
	}
	b.out.send(jsonrpc.NewError(id, code, "not one well-formed JSON-RPC message", nil))
}

// request starts a call. initialize is waited for: whatever follows belongs to
// the session that it opens.
func (b *bridge) request(ctx context.Context, m *jsonrpc.Message) {
	version := bodyVersion(m)
	ctx, cancel := context.WithCancelCause(ctx)
	c := &call{
		bridge: b, msg: m, cancel: cancel, version: version,
		legacy:  m.Method == protocol.MethodInitialize || protocol.EraOf(version) == protocol.Legacy || version == "",
		endless: m.Method == protocol.MethodSubscriptionsListen,
	}
	if why := b.add(c); why != "" {
		cancel(nil)
		b.out.send(jsonrpc.NewError(m.ID, codeInvalidRequest, why, nil))
		return
	}
	b.work.Add(1)
	run := func() {
		defer b.work.Done()
		defer cancel(nil)
		defer b.drop(c)
		c.run(ctx)
	}
	if m.Method == protocol.MethodInitialize {
		run()
		return
	}
	go run()
}

// bodyVersion is the protocol version that a modern message carries, "" in
// legacy ones.
func bodyVersion(m *jsonrpc.Message) string {
	if m.Params == nil {
		return ""
	}
	return jsonrpc.Text(m.Params, jsontext.Pointer("/_meta").AppendToken(protocol.MetaProtocolVersion))
}

func (b *bridge) add(c *call) (refused string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := c.msg.IDKey()
	switch {
	case b.calls[key] != nil:
		return "a request with this id is under way"
	case len(b.calls) >= b.MaxCalls:
		return "too many requests under way"
	}
	b.calls[key] = c
	b.modern = !c.legacy
	return ""
}

func (b *bridge) drop(c *call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if key := c.msg.IDKey(); b.calls[key] == c {
		delete(b.calls, key)
	}
}

// endEndless ends the streams that would never end by themselves.
func (b *bridge) endEndless() {
	b.hangUp()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.calls {
		if c.endless {
			c.cancel(errInputEnded)
		}
	}
}

// cancel ends a call. In the modern era closing the stream is the cancellation
// (2026-07-28, streamable-http, "Cancellation"); in the legacy era the server
// is told, and may still answer for a while.
func (b *bridge) cancel(ctx context.Context, m *jsonrpc.Message) {
	id, _, _, err := jsonrpc.Get(m.Params, "/requestId")
	b.mu.Lock()
	var c *call
	if err == nil {
		c = b.calls[(&jsonrpc.Message{ID: id}).IDKey()]
	}
	modern := b.modern
	b.mu.Unlock()
	switch {
	case c != nil && !c.legacy:
		b.drop(c) // its id is free again
		c.cancel(errCancelled)
		return
	case c == nil && modern:
		return // answered already
	case c != nil:
		c.cancelAfter(b.Grace)
	}
	b.deliverLater(ctx, m)
}
