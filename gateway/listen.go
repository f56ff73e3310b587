package gateway

import (
	"context"
	"errors"
	"net/http"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// listen serves the legacy stream of server messages outside of any request
// (GET), or resumes an interrupted one. Replayed events are scanned again.
func (g *Gateway) listen(ctx context.Context, x *exchange, out *responder) {
	lastEvent, no := g.admitStream(ctx, x)
	if no == nil && !accepts(x.header.Values("Accept"), "text/event-stream") {
		no = refuse(ReasonNotAcceptable)
	}
	if no == nil {
		no = (notSuspended{ledger: g.strikes.ledger}).do(ctx, x)
	}
	if no == nil && g.doorway.isDraining() && !x.session.calling() {
		no = refuse(ReasonShuttingDown)
	}
	if no != nil {
		g.answerRefusal(ctx, x, out, no, false)
		return
	}
	defer x.session.use(g.cfg.Now)()
	defer x.session.stream()()
	out.session = x.session
	ctx, dog := guard(ctx, g.cfg, true)
	defer dog.stop()
	defer g.callers.hold(&holder{keyID: x.caller.KeyID, endless: true, needed: x.session.calling, allowed: g.stillRouted(x), cancel: dog.cancel})()

	l := g.linkOf(x)
	ans, err := l.listen(ctx, x, lastEvent)
	if err != nil {
		no := refuse(reasonOf(err)).because(err)
		if errors.Is(err, errNoReplay) {
			no = refuse(ReasonEventUnknown)
		}
		g.answerRefusal(ctx, x, out, no, false)
		return
	}
	defer ans.close()
	if status := ans.head().status; status != http.StatusOK {
		g.answerRefusal(ctx, x, out, g.streamRefused(x, status), false)
		return
	}
	out.begin()
	for out.err == nil {
		ev, err := ans.next(ctx)
		if err != nil {
			return // a stream without a request has no answer to fail
		}
		g.relayEvent(ctx, x, l, out, ev)
	}
}

// admitStream runs the steps that a request without a body goes through.
func (g *Gateway) admitStream(ctx context.Context, x *exchange) (lastEvent string, no *refusal) {
	if no := g.admitSession(ctx, x); no != nil {
		return "", no
	}
	if no := g.usableBy(ctx, x); no != nil {
		return "", no
	}
	return g.resumedAt(x)
}

// resumedAt opens the event id that a stream is to go on from, "" for none.
func (g *Gateway) resumedAt(x *exchange) (event string, no *refusal) {
	sealed := x.header.Get(protocol.HeaderLastEventID)
	if sealed == "" {
		return "", nil
	}
	event, err := g.seal.OpenEncoded(sealed, "event", x.session.id)
	if err != nil {
		return "", refuse(ReasonEventUnknown)
	}
	return event, nil
}

// admitSession finds out who asks for a stream, and of which session.
func (g *Gateway) admitSession(ctx context.Context, x *exchange) *refusal {
	if no := (authenticate{keys: g.cfg.Keys, now: g.cfg.Now}).do(ctx, x); no != nil {
		return no
	}
	x.era, x.version = protocol.Legacy, x.header.Get(protocol.HeaderProtocolVersion)
	id := x.header.Get(protocol.HeaderSessionID)
	switch {
	case protocol.EraOf(x.version) == protocol.Modern:
		return refuse(ReasonHTTPMethod) // the modern era is POST only
	case x.version != "" && protocol.EraOf(x.version) == "":
		return unsupported(x.version, protocol.LegacyVersions)
	case id == "":
		return refuse(ReasonSessionRequired)
	}
	session, ok := g.sessions.find(id, x.caller, x.alias)
	if !ok {
		return refuse(ReasonSessionUnknown)
	}
	x.session = session
	return nil
}

func (g *Gateway) streamRefused(x *exchange, status int) *refusal {
	switch {
	case status == http.StatusMethodNotAllowed:
		return refuse(ReasonHTTPMethod)
	case status == http.StatusNotFound && x.session.upstream != "":
		g.sessions.remove(x.session)
		return refuse(ReasonSessionUnknown)
	case status == http.StatusBadRequest && x.header.Get(protocol.HeaderLastEventID) != "":
		return refuse(ReasonEventUnknown)
	case status == http.StatusNotFound:
		return refuse(ReasonHTTPMethod)
	}
	return refuse(ReasonUpstreamRefused)
}

// relayEvent relays one event of the stream. A response can only be a replayed
// one, and only of a request that this session sent.
func (g *Gateway) relayEvent(ctx context.Context, x *exchange, l link, out *responder, ev upstream.Event) {
	if len(ev.Data) == 0 {
		out.event(ev)
		return
	}
	m, err := jsonrpc.Parse(ev.Data, jsonrpc.Limits{})
	if err != nil {
		g.log.WarnContext(ctx, "upstream sent a malformed event", "server", x.svc.approval.Server, "cause", err)
		return
	}
	in := inboundOf(x, m)
	if m.Kind == jsonrpc.Response {
		call, known := x.session.sentAs(m.ID)
		if !known {
			return
		}
		in.method, in.entry = call.method, call.entry
	}
	no := g.inspect(ctx, x, in)
	if no == nil && m.Kind == jsonrpc.Request && !x.session.noteAsked(m.ID) {
		no = refuse(ReasonTooManyRequests)
	}
	if no == nil && m.Kind == jsonrpc.Response {
		no = g.record.answered(ctx, x, in)
	}
	switch {
	case no == nil:
		ev.Data = in.msg.Raw
	case no.reason == ReasonClientGone:
		return
	case m.Kind == jsonrpc.Response:
		g.logRefusal(ctx, no)
		ev.Data = no.message(m.ID, x.era, g.record.refused(ctx, x, no, true))
	default:
		g.turnAway(ctx, x, l, in, no)
		return
	}
	out.event(ev)
}

// endClientSession serves DELETE: the client is done with its session.
func (g *Gateway) endClientSession(ctx context.Context, x *exchange, out *responder) {
	if _, no := g.admitStream(ctx, x); no != nil {
		g.answerRefusal(ctx, x, out, no, false)
		return
	}
	g.sessions.remove(x.session)
	out.w.WriteHeader(http.StatusNoContent)
}
