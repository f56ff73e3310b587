package gateway

import (
	"context"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// turnAway drops a blocked notification and answers a blocked request, both on
// record.
func (g *Gateway) turnAway(ctx context.Context, x *exchange, l link, in *inbound, no *refusal) {
	g.logRefusal(ctx, no)
	call := callOf(x)
	call.ID, call.Method, call.Kind, call.Entry = audit.NewID(), in.method, "", ""
	call.Request = payloadOf(in.msg.Raw)
	id, failed := g.record.appendID(ctx, audit.CallRefused(call, audit.Refusal{
		Reason: string(no.reason), Rules: no.rules, Pointers: no.pointers, Verdict: x.verdict, Code: no.code(x.era),
	}))
	g.record.complain(ctx, failed)
	if in.msg.Kind == jsonrpc.Request {
		g.replyInstead(ctx, x, l, no.message(in.msg.ID, x.era, id))
	}
}

// repliesAtOnce bounds how many of the gateway's own replies wait for one server
// to take them.
const repliesAtOnce = 256

// replyInstead answers a server's request with an error of the gateway's, so
// that the server does not wait for a reply that will never come.
func (g *Gateway) replyInstead(ctx context.Context, x *exchange, l link, raw []byte) {
	reply, err := jsonrpc.Parse(raw, jsonrpc.Limits{})
	if err != nil {
		g.log.ErrorContext(ctx, "own error answer is malformed", "cause", err)
		return
	}
	server := x.caller.Tenant + "\x00" + x.svc.instance
	if !g.replies.enter(server) {
		return // it asks faster than it takes replies
	}
	go func() { // the stream that the request came on goes on meanwhile
		defer g.replies.leave(server)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if ans, err := l.send(ctx, x, reply); err == nil {
			ans.close()
		}
	}()
}
