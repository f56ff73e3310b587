package gateway

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/gateway/merge"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// listenMerged serves the legacy stream outside of any request: what the
// servers of the session say there, and that a list changed. Or it takes up
// again the answer of one server.
func (g *Gateway) listenMerged(ctx context.Context, x *exchange, out *responder) {
	resume, no := g.admitListener(ctx, x)
	if no != nil {
		g.answerRefusal(ctx, x, out, no, false)
		return
	}
	defer x.session.use(g.cfg.Now)()
	defer x.session.stream()()
	out.session = x.session
	if resume.Answer {
		g.resumeAnswer(ctx, x, out, resume.Places[0])
		return
	}
	ctx, dog := guard(ctx, g.cfg, true)
	defer dog.stop()
	defer g.callers.hold(&holder{keyID: x.caller.KeyID, endless: true, needed: x.session.calling, allowed: always, cancel: dog.cancel})()
	out.begin()
	shared := &sharedWriter{w: out.w}
	out.w = &tracked{ResponseWriter: shared.of()}
	out.w.Header().Set("Content-Type", "text/event-stream")

	var work sync.WaitGroup
	defer work.Wait()
	defer dog.cancel(context.Canceled)
	reads := newReading(resume.Places)
	following := map[*session]bool{}
	tick := time.NewTicker(g.cfg.Recheck)
	defer tick.Stop()
	for {
		open, joined := x.session.merged.open()
		for alias, s := range open {
			if !following[s] {
				work.Go(func() { g.survive(ctx, func() { g.follow(ctx, x, alias, s, shared, reads) }) })
			}
		}
		clear(following)
		for _, s := range open {
			following[s] = true
		}
		select {
		case <-ctx.Done():
			return
		case <-joined:
		case <-tick.C:
			for _, method := range g.changed(ctx, x, &x.session.merged.told) {
				out.event(upstream.Event{Data: jsonrpc.NewNotification(method, nil)})
			}
		}
	}
}

// admitListener runs the steps that a request for a stream goes through.
func (g *Gateway) admitListener(ctx context.Context, x *exchange) (resume merge.Resume, no *refusal) {
	if no := g.admitSession(ctx, x); no != nil {
		return merge.Resume{}, no
	}
	if !accepts(x.header.Values("Accept"), "text/event-stream") {
		return merge.Resume{}, refuse(ReasonNotAcceptable)
	}
	if g.doorway.isDraining() && !x.session.calling() {
		return merge.Resume{}, refuse(ReasonShuttingDown)
	}
	last, no := g.resumedAt(x)
	if no != nil || last == "" {
		return merge.Resume{}, no
	}
	resume, ok := merge.ParseResume(last)
	if !ok {
		return merge.Resume{}, refuse(ReasonEventUnknown)
	}
	return resume, nil
}

// resumeAnswer takes up the answer of one server where the client lost it.
func (g *Gateway) resumeAnswer(ctx context.Context, x *exchange, out *responder, at merge.Place) {
	open, _ := x.session.merged.open()
	s, ok := open[at.Alias]
	if !ok || x.session.merged.ordinal(s) != at.Session {
		g.answerRefusal(ctx, x, out, refuse(ReasonEventUnknown), false)
		return
	}
	y := x.towards(at.Alias, nil)
	within(y, s)
	y.header.Set(protocol.HeaderLastEventID, g.seal.SealEncoded(at.Event, "event", s.id))
	out.part = &part{g: g, x: y, whole: x.session}
	g.listen(ctx, y, out)
}

func always() bool { return true }

// follow relays the stream of one server into the merged one, and asks for it
// again when it breaks, with a new session where the server forgot the old one:
// one server's restart is not the client's business.
func (g *Gateway) follow(ctx context.Context, x *exchange, alias string, s *session, shared *sharedWriter, reads *reading) {
	after := reads.left(alias, x.session.merged.ordinal(s))
	for {
		y := x.towards(alias, nil)
		within(y, s)
		resumed := after != ""
		if resumed {
			y.header.Set(protocol.HeaderLastEventID, g.seal.SealEncoded(after, "event", s.id))
			after = ""
		}
		out := &responder{w: &tracked{ResponseWriter: shared.of()}, timeout: g.cfg.WriteTimeout, seal: g.seal}
		out.part = &part{g: g, x: y, whole: x.session, reads: reads}
		began := time.Now()
		g.listen(ctx, y, out)
		forgotten := out.refused != nil && out.refused.reason == ReasonSessionUnknown
		if final(out.refused) && !resumed && !forgotten {
			return // the server has no such stream
		}
		if !reads.rest(ctx, alias, time.Since(began)) {
			return
		}
		if forgotten && (g.joinSession(ctx, x, x.towards(alias, nil)) == nil || ctx.Err() != nil) {
			return // the new session has a follower of its own
		}
	}
}

// final reports whether trying again will not help: it is not the server's
// failure.
func final(no *refusal) bool {
	return no != nil && meanings[no.reason].status < http.StatusInternalServerError
}
