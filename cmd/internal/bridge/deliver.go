package bridge

import (
	"context"
	"net/http"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// delivery is a notification or a reply of the client.
type delivery struct {
	msg  *jsonrpc.Message
	done chan struct{} // closed when it was delivered; nil if nobody waits
}

func (b *bridge) deliverLater(ctx context.Context, m *jsonrpc.Message) {
	select {
	case b.lane <- delivery{msg: m}:
	case <-ctx.Done():
	}
}

// deliverNow waits until the gateway has the message: what the client sends
// next relies on it.
func (b *bridge) deliverNow(ctx context.Context, m *jsonrpc.Message) {
	d := delivery{m, make(chan struct{})}
	select {
	case b.lane <- d:
	case <-ctx.Done():
		return
	}
	select {
	case <-d.done:
	case <-ctx.Done():
	}
}

// deliver sends what needs no answer, one after the other.
func (b *bridge) deliver(ctx context.Context) {
	for d := range b.lane {
		if ctx.Err() == nil {
			b.send(ctx, d.msg)
		}
		if d.done != nil {
			close(d.done)
		}
	}
}

func (b *bridge) send(ctx context.Context, m *jsonrpc.Message) {
	b.mu.Lock()
	modern := b.modern
	b.mu.Unlock()
	for tries := 0; ; tries++ {
		now := b.session.current()
		h := now.header()
		if modern {
			h = upstream.RequestHeader(protocol.VersionModern, m.Method, m.Params)
		}
		stream, err := b.post(ctx, m.Raw, h, deliverTimeout)
		if err != nil {
			b.Log.Warn("not delivered", "method", m.Method, "cause", err)
			return
		}
		stream.Close()
		lost := stream.Status == http.StatusNotFound && !modern && now.id != ""
		if lost && m.Kind == jsonrpc.Notification && tries == 0 && b.renew(ctx, now.generation) == nil {
			continue // a reply belongs to the session that asked
		}
		if stream.Status >= 400 {
			b.Log.Warn("not delivered", "method", m.Method, "status", stream.Status)
		}
		break
	}
	if m.Method == protocol.NotificationInitialized && b.session.began(m.Raw) {
		b.work.Add(1)
		go func() { defer b.work.Done(); b.follow(b.listening) }()
	}
}
