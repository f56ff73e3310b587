package gateway

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// aliasOf takes the alias out of /mcp/<alias>. The raw path is matched, so that
// no two readers can see different aliases in one request.
func aliasOf(u *url.URL) (alias string, ok bool) {
	alias, ok = strings.CutPrefix(u.Path, "/mcp/")
	return alias, ok && (u.RawPath == "" || u.RawPath == u.Path) && aliasPattern.MatchString(alias)
}

// serveMCP answers a request to one server, or to all of them (alias ""): step
// 0, then by HTTP method.
func (g *Gateway) serveMCP(w *tracked, r *http.Request, alias string) {
	x := &exchange{began: g.cfg.Now(), id: audit.NewID(), source: r.RemoteAddr, header: r.Header, alias: alias, arrived: time.Now()}
	panicked := true
	defer func() { g.done(x, r.Method, panicked) }()
	out := &responder{w: w, timeout: g.cfg.WriteTimeout, seal: g.seal}
	host := addrHost(r.RemoteAddr)
	if !g.addresses.enter(host) {
		no := refuse(ReasonTooManyRequests)
		no.retry = time.Second
		g.answerRefusal(r.Context(), x, out, no, false)
		return
	}
	defer g.addresses.leave(host)
	if no := g.checkConnection(r); no != nil {
		g.answerRefusal(r.Context(), x, out, no, false)
		return
	}
	switch {
	case alias == "":
		g.serveMerged(w, r, x, out)
	case r.Method == http.MethodGet:
		g.listen(r.Context(), x, out)
	case r.Method == http.MethodDelete:
		g.endClientSession(r.Context(), x, out)
	default:
		g.post(w, r, x, out)
	}
	panicked = false
}

// post takes one message through the pipeline.
func (g *Gateway) post(w *tracked, r *http.Request, x *exchange, out *responder) {
	if no := g.readMessage(w, r, x); no != nil {
		g.answerRefusal(r.Context(), x, out, no, false)
		return
	}
	g.pass(r.Context(), x, out)
}

// readMessage reads the body of a POST.
func (g *Gateway) readMessage(w *tracked, r *http.Request, x *exchange) (no *refusal) {
	if r.Header.Get(protocol.HeaderLastEventID) != "" {
		return refuse(ReasonEventUnknown) // only a GET resumes
	}
	x.body, no = g.readBody(w, r)
	return no
}

// pass takes a message that has been read through the steps, there and back.
func (g *Gateway) pass(ctx context.Context, x *exchange, out *responder) {
	var no *refusal
	began := time.Now()
	for i, s := range g.request {
		if no != nil {
			break
		}
		no = s.do(ctx, x)
		if last := i == len(g.request)-1; no != nil || last || g.request[i+1].group != s.group {
			began = g.timed(x, s.group, began)
		}
	}
	if no != nil && x.joined && no.reason == ReasonSessionUnknown {
		x.lost = true
		return
	}
	if no != nil {
		if x.replies {
			g.replyInstead(ctx, x, g.linkOf(x), no.message(x.msg.ID, x.era, ""))
		}
		g.answerRefusal(ctx, x, out, no, false)
		return
	}
	g.forward(ctx, x, out)
}
