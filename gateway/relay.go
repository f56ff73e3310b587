package gateway

import (
	"context"
	"net/http"
	"time"

	"github.com/bartizan-mcp/bartizan/gateway/bridge"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// relay is one exchange from step 9 on: the message goes to the upstream, and
// what the upstream says goes through the inbound steps to the client.
type relay struct {
	g    *Gateway
	x    *exchange
	out  *responder
	link link
	dog  *watchdog
	sent time.Time

	bytes, messages int64
	asked           bool // the upstream has begun to answer
	ans             answers
	resumable       bool // an event id was handed out: the client may come back for the rest
	announced       bool // the last event named only a time to come back after
}

// forward runs steps 9 to 11 for a message that passed the others.
func (g *Gateway) forward(ctx context.Context, x *exchange, out *responder) {
	r := &relay{g: g, x: x, out: out}
	if no := r.openSession(ctx); no != nil {
		r.end(ctx, no, false)
		return
	}
	r.link = g.linkOf(x)
	defer x.asking()()
	if x.session != nil {
		defer x.session.use(g.cfg.Now)()
		out.session = x.session
	}
	if x.msg.Kind != jsonrpc.Request {
		r.deliver(ctx)
		return
	}
	r.ask(ctx)
}

// openSession starts the process that a new legacy session of a local server
// gets for itself, opens the stream that one over HTTP+SSE gets, or the bridge
// that a session with a modern server needs.
func (r *relay) openSession(ctx context.Context) *refusal {
	x := r.x
	if x.msg.Method != protocol.MethodInitialize || !x.svc.ownsSessions() && !x.bridged() {
		return nil
	}
	if x.bridged() {
		return r.admitSession(&session{bridge: bridge.NewClient()})
	}
	if !x.svc.local {
		events, err := r.g.openEvents(ctx, x)
		switch {
		case err != nil && ctx.Err() != nil:
			return refuse(ReasonClientGone).because(err)
		case err != nil:
			return refuse(reasonOf(err)).because(err)
		}
		return r.admitSession(&session{events: events})
	}
	local, err := r.g.local.Session(r.g.serverOf(x))
	if err != nil {
		return refuse(reasonOf(err)).because(err)
	}
	return r.admitSession(&session{local: local})
}

// admitSession opens a session that this exchange is the first of.
func (r *relay) admitSession(opened *session) *refusal {
	if no := r.g.sessions.add(r.x, opened); no != nil {
		opened.close()
		return no
	}
	r.x.session = opened
	r.out.naming = true
	return nil
}

// deliver forwards a notification or a reply, which no message answers.
func (r *relay) deliver(ctx context.Context) {
	ctx, dog := guard(ctx, r.g.cfg, false)
	defer dog.stop()
	ans, err := r.link.send(ctx, r.x, r.x.msg)
	if err != nil {
		r.end(ctx, r.failure(ctx, err), true)
		return
	}
	defer ans.close()
	if status := ans.head().status; status < 200 || status > 299 {
		r.end(ctx, r.refusedWith(status), true)
		return
	}
	r.out.accept()
}

// ask forwards a request and relays until it is answered.
func (r *relay) ask(ctx context.Context) {
	x := r.x
	endless := x.endless()
	ctx, dog := guard(ctx, r.g.cfg, endless)
	r.dog = dog
	defer dog.stop()
	allowed := r.g.stillApproved(x)
	if endless {
		allowed = r.g.stillRouted(x)
	}
	defer r.g.callers.hold(&holder{keyID: x.caller.KeyID, endless: endless, allowed: allowed, cancel: dog.cancel})()

	r.sent = time.Now()
	if x.session != nil {
		x.session.noteSent(x.msg.ID, sent{x.msg.Method, x.ref.Key})
	}
	ans, err := r.link.send(ctx, x, x.msg)
	if err != nil {
		r.stopped(ctx, err, head{})
		return
	}
	defer ans.close()
	r.asked, r.ans = true, ans
	h := ans.head()
	if no := r.nameSession(h); no != nil {
		r.end(ctx, no, true)
		return
	}
	if h.status < 200 || h.status > 299 {
		r.relayRefusal(ctx, ans, h)
		return
	}
	for {
		ev, err := ans.next(ctx)
		if err != nil {
			r.stopped(ctx, err, h)
			return
		}
		if done := r.message(ctx, ev, h); done {
			return
		}
	}
}

// nameSession opens the gateway's own session for one that an upstream over
// HTTP opened. One without an id gets one too: replies need an owner.
func (r *relay) nameSession(h head) *refusal {
	x := r.x
	if x.msg.Method != protocol.MethodInitialize || x.session != nil || h.status < 200 || h.status > 299 {
		return nil
	}
	opened := &session{upstream: h.session}
	if h.session != "" {
		opened.end = endSession(x.svc.target, opened)
	}
	if no := r.g.sessions.add(x, opened); no != nil {
		return no
	}
	x.session, r.out.session, r.out.naming = opened, opened, true
	return nil
}

// message handles one event of the answer; true when the exchange is over.
func (r *relay) message(ctx context.Context, ev upstream.Event, h head) (done bool) {
	r.dog.heard()
	r.messages++
	r.bytes += int64(len(ev.Data))
	if r.x.msg.Method != protocol.MethodSubscriptionsListen &&
		(r.messages > int64(r.g.cfg.AnswerMessages) || r.bytes > r.g.cfg.AnswerBytes) {
		r.end(ctx, refuse(ReasonUpstreamTooLarge), true)
		return true
	}
	r.resumable = r.resumable || ev.ID != "" && r.x.session != nil
	r.announced = ev.Retry > 0 && len(ev.Data) == 0 && r.x.session != nil
	if len(ev.Data) == 0 {
		r.out.event(ev)
		return false
	}
	m, err := jsonrpc.Parse(ev.Data, jsonrpc.Limits{})
	if err != nil {
		r.end(ctx, refuse(ReasonUpstreamProtocol).because(err), true)
		return true
	}
	if m.Kind == jsonrpc.Response {
		if idKey(m.ID) != idKey(r.x.msg.ID) {
			r.g.log.WarnContext(ctx, "upstream answered a request that was not asked here", "server", r.x.svc.approval.Server)
			return false
		}
		r.finish(ctx, m, ev, h)
		return true
	}
	r.aside(ctx, m, ev)
	if r.out.err != nil {
		r.left(ctx)
		return true
	}
	return false
}

// finish takes the response through the inbound steps and the outcome record.
func (r *relay) finish(ctx context.Context, m *jsonrpc.Message, ev upstream.Event, h head) {
	came := time.Now()
	if !r.x.endless() {
		r.g.stats.groups[GroupUpstream].Observe(came.Sub(r.sent))
	}
	in := inboundOf(r.x, m)
	r.x.heard(in)
	no := r.g.inspect(ctx, r.x, in)
	examined := r.g.timed(r.x, GroupResult, came)
	if no == nil {
		no = r.g.record.answered(ctx, r.x, in)
		r.g.timed(r.x, GroupOutcome, examined)
	}
	if no != nil {
		r.end(ctx, no, true)
		return
	}
	if r.x.msg.Method == protocol.MethodInitialize && r.x.session != nil {
		if in.msg.Error != nil {
			r.g.sessions.remove(r.x.session)
			r.out.naming = false
		} else {
			r.x.session.setVersion(jsonrpc.Text(in.msg.Result, "/protocolVersion"))
		}
	}
	if (r.x.svc.local || r.x.bridged()) && r.x.era == protocol.Modern {
		h.status = statusOfError(in.errorCode())
	}
	r.out.answer(in.msg.Raw, ev, h.status, h.stream)
	if waiting, ok := r.ans.(translated); ok && r.out.err == nil {
		waiting.keep()
	}
}

// statusOfError is the HTTP status that the modern era gives to an error
// answer. Local servers know no statuses, so the gateway is the one to set it
// (2026-07-28, streamable-http, "Request Metadata"; basic, "Error Codes").
func statusOfError(code int) int {
	switch code {
	case protocol.CodeMethodNotFound:
		return http.StatusNotFound
	case protocol.CodeInvalidParams, protocol.CodeHeaderMismatch, protocol.CodeMissingClientCapability, protocol.CodeUnsupportedVersion:
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// inspect runs the inbound steps.
func (g *Gateway) inspect(ctx context.Context, x *exchange, in *inbound) *refusal {
	for _, s := range g.inbound {
		if no := s.do(ctx, x, in); no != nil {
			g.strikes.note(ctx, x, no)
			return no
		}
	}
	return nil
}

// aside relays a notification or a request of the upstream that comes before
// the response.
func (r *relay) aside(ctx context.Context, m *jsonrpc.Message, ev upstream.Event) {
	in := inboundOf(r.x, m)
	no := r.g.inspect(ctx, r.x, in)
	if no == nil && m.Kind == jsonrpc.Request && !r.x.session.noteAsked(m.ID) {
		no = refuse(ReasonTooManyRequests)
	}
	switch {
	case no != nil && no.reason == ReasonClientGone:
		return // the next read says why
	case no != nil:
		r.g.turnAway(ctx, r.x, r.link, in, no)
		return
	}
	ev.Data = in.msg.Raw
	r.out.event(ev)
}
