package gateway

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// mergedReply takes a client's reply to the server that asked.
func (g *Gateway) mergedReply(ctx context.Context, x *exchange, out *responder) *refusal {
	asked, ok := x.session.merged.ledger.Replied(x.msg.ID)
	if !ok {
		return refuse(ReasonReplyUnexpected)
	}
	raw, err := replaceAt(x.msg.Raw, "/id", asked.ID)
	if err != nil {
		return refuse(ReasonInternal).because(err)
	}
	return g.passOn(ctx, x, out, asked.Alias, raw)
}

// mergedNotice takes a client's notification to the server that it is about.
func (g *Gateway) mergedNotice(ctx context.Context, x *exchange, out *responder) *refusal {
	if x.session == nil { // closing the stream is what cancels in the modern era
		out.accept()
		return nil
	}
	ledger := &x.session.merged.ledger
	switch x.msg.Method {
	case protocol.NotificationCancelled:
		if alias, ok := ledger.CalledAt(idKey(valueAt(x.msg.Raw, "/params/requestId"))); ok {
			return g.passOn(ctx, x, out, alias, x.msg.Raw)
		}
	case protocol.NotificationProgress:
		asked, ok := ledger.Waiting(valueAt(x.msg.Raw, "/params/progressToken"))
		if ok && asked.Token != nil {
			raw, err := replaceAt(x.msg.Raw, "/params/progressToken", asked.Token)
			if err != nil {
				return refuse(ReasonInternal).because(err)
			}
			return g.passOn(ctx, x, out, asked.Alias, raw)
		}
	case protocol.NotificationRootsListChanged:
		g.broadcast(ctx, x, func() []byte { return x.msg.Raw })
	}
	out.accept() // each server is told by the gateway that it is initialized; what names nothing goes nowhere
	return nil
}

// passOn passes a message to a server that has a session already.
func (g *Gateway) passOn(ctx context.Context, x *exchange, out *responder, alias string, raw jsontext.Value) *refusal {
	open, _ := x.session.merged.open()
	s, ok := open[alias]
	if !ok {
		return refuse(ReasonReplyUnexpected)
	}
	y := x.towards(alias, raw)
	within(y, s)
	out.part = &part{g: g, x: y, whole: x.session}
	g.pass(ctx, y, out)
	return nil
}

// maxLevel bounds the params of logging/setLevel that a session keeps.
const maxLevel = 1 << 10

// levels are those of logging/setLevel (RFC 5424).
var levels = []string{"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"}

// levelMerged sets the log level of every server, now or when it joins.
func (g *Gateway) levelMerged(ctx context.Context, x *exchange, out *responder) *refusal {
	if len(x.msg.Params) > maxLevel || !slices.Contains(levels, jsonrpc.Text(x.msg.Raw, "/params/level")) {
		return refuse(ReasonInvalidParams)
	}
	m := x.session.merged
	m.setLevel(x.msg.Params)
	g.broadcast(ctx, x, func() []byte {
		return jsonrpc.NewRequest(m.nextID(), protocol.MethodLoggingSetLevel, x.msg.Params)
	})
	return g.answerOwn(ctx, x, out, jsontext.Value(`{}`))
}
