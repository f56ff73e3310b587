package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/merge"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// isMerged reports whether a request is to the endpoint of all servers.
func isMerged(u *url.URL) bool {
	return u.Path == "/mcp" && (u.RawPath == "" || u.RawPath == u.Path)
}

// serveMerged answers a request to all servers as one. A call is the call to
// one server with a translated name: an exchange of its own that goes through
// every step and whose answer comes back through a part (part.go). Lists are
// answered from the gateway's own listings (mergedlist.go).
func (g *Gateway) serveMerged(w *tracked, r *http.Request, x *exchange, out *responder) {
	ctx := r.Context()
	switch r.Method {
	case http.MethodGet:
		g.listenMerged(ctx, x, out)
		return
	case http.MethodDelete:
		if no := g.admitSession(ctx, x); no != nil {
			g.answerRefusal(ctx, x, out, no, false)
			return
		}
		g.sessions.remove(x.session)
		out.w.WriteHeader(http.StatusNoContent)
		return
	}
	no := g.readMessage(w, r, x)
	for _, s := range []step{
		authenticate{keys: g.cfg.Keys, now: g.cfg.Now},
		parse{sessions: g.sessions, limit: int(g.cfg.BodyBytes)},
		startSpan{tracer: g.cfg.Tracer},
		stillOpen{doorway: g.doorway},
	} {
		if no == nil {
			no = s.do(ctx, x)
		}
	}
	if no == nil {
		if x.session != nil {
			defer x.session.use(g.cfg.Now)()
		}
		no = g.dispatch(ctx, x, out)
	}
	if no != nil {
		g.answerRefusal(ctx, x, out, no, false)
	}
}

// dispatch finds out whose message it is. What names no server is answered here
// or goes to all; what the protocol does not define names nobody.
func (g *Gateway) dispatch(ctx context.Context, x *exchange, out *responder) *refusal {
	if err := g.routes.fresh(); err != nil {
		return refuse(ReasonApprovalsStale).because(err)
	}
	switch {
	case x.msg.Kind == jsonrpc.Response:
		return g.mergedReply(ctx, x, out)
	case x.leaks:
		return leaking()
	case !defined(x.era, x.msg, protocol.ClientToServer):
		return refuse(ReasonMethodDenied)
	case x.era == protocol.Legacy && x.session == nil && x.msg.Method != protocol.MethodInitialize:
		return refuse(ReasonSessionRequired)
	case x.msg.Kind == jsonrpc.Notification:
		return g.mergedNotice(ctx, x, out)
	}
	switch x.msg.Method {
	case protocol.MethodInitialize:
		return g.openMerged(ctx, x, out)
	case protocol.MethodDiscover:
		return g.discoverMerged(ctx, x, out)
	case protocol.MethodPing:
		return g.answerOwn(ctx, x, out, jsontext.Value(`{}`))
	case protocol.MethodLoggingSetLevel:
		return g.levelMerged(ctx, x, out)
	case protocol.MethodSubscriptionsListen:
		return g.subscribeMerged(ctx, x, out)
	}
	if x.method.List != "" {
		return g.listMerged(ctx, x, out)
	}
	return g.callMerged(ctx, x, out)
}

// callMerged passes a request on to the server that it names. A reload may end
// the session with that server after it was joined; nothing has been forwarded
// then, and the call goes through a new one.
func (g *Gateway) callMerged(ctx context.Context, x *exchange, out *responder) *refusal {
	alias, edits, name, no := g.addressee(x)
	if no != nil {
		return no
	}
	body, err := jsonrpc.Splice(x.msg.Raw, edits...)
	if err != nil {
		return refuse(ReasonInternal).because(err)
	}
	for again := x.session != nil; ; again = false {
		y := x.towards(alias, body)
		y.caller, y.known = x.caller, true
		y.joined = again
		if name != "" && x.method.Entry != "" && x.era == protocol.Modern {
			y.header.Set(protocol.HeaderName, protocol.EncodeHeader(name))
		}
		if no := g.throughOne(ctx, x, y, out); no != nil || !y.lost {
			return no
		}
	}
}

// throughOne has y answer for x.
func (g *Gateway) throughOne(ctx context.Context, x, y *exchange, out *responder) *refusal {
	p := &part{g: g, x: y}
	if token, _, _, err := jsonrpc.Get(x.msg.Raw, "/params/_meta/progressToken"); err == nil {
		p.token = idKey(token)
	}
	if x.session != nil {
		p.whole = x.session
		if no := g.joinSession(ctx, x, y); no != nil {
			return no
		}
		x.session.merged.noteWatch(x.msg.Method, y.alias, x.ref.Key)
		x.session.merged.ledger.Called(idKey(x.msg.ID), y.alias, p.token)
	}
	out.part = p
	x.through = y
	g.pass(ctx, y, out)
	return nil
}

// towards is an exchange with one server on behalf of x.
func (x *exchange) towards(alias string, body []byte) *exchange {
	y := &exchange{began: x.began, id: x.id, source: x.source, header: x.header.Clone(), alias: alias, body: body, span: x.span}
	y.header.Del(protocol.HeaderSessionID)
	y.header.Del(protocol.HeaderLastEventID)
	return y
}

// addressee is the server that a request is about, what its message must be
// edited into, and the name that the modern header repeats.
func (g *Gateway) addressee(x *exchange) (alias string, edits []jsonrpc.Edit, name string, no *refusal) {
	pointer := jsontext.Pointer("/params").AppendToken(x.method.Entry)
	switch x.ref.Kind {
	case fingerprint.KindResource, fingerprint.KindTemplate:
		claims := g.merged.claimsOf(g.usable(x))
		if x.ref.Kind == fingerprint.KindTemplate {
			alias, no = owner(claims.Template(x.ref.Key))
		} else {
			alias, no = owner(claims.Resource(x.ref.Key))
		}
		return alias, nil, "", no
	case fingerprint.KindPrompt:
		if x.method.Name == protocol.MethodCompletionComplete {
			pointer = "/params/ref/name"
		}
	case fingerprint.KindTool:
	default:
		return "", nil, "", refuse(ReasonMethodDenied)
	}
	alias, ok := merge.Alias(x.ref.Key)
	if !ok || !aliasPattern.MatchString(alias) {
		return "", nil, "", refuse(ReasonEntryUnknown)
	}
	y := &exchange{alias: alias, caller: x.caller, era: x.era, version: x.version}
	if no := g.approve().do(context.Background(), y); no != nil {
		if no.reason == ReasonServerUnknown || no.reason == ReasonVersion {
			no = refuse(ReasonEntryUnknown).because(no.cause) // of this endpoint's names it is one that is not there
		}
		return "", nil, "", no
	}
	if name, ok = g.merged.namesOf(y, x.ref.Kind).Original(x.ref.Key); !ok {
		return "", nil, "", refuse(ReasonEntryUnknown)
	}
	_, start, end, err := jsonrpc.Get(x.msg.Raw, pointer)
	quoted, err2 := jsontext.AppendQuote(nil, name)
	if err = errors.Join(err, err2); err != nil {
		return "", nil, "", refuse(ReasonInternal).because(err)
	}
	return alias, []jsonrpc.Edit{{Start: start, End: end, New: quoted}}, name, nil
}

func owner(alias string, err error) (string, *refusal) {
	switch {
	case errors.Is(err, merge.ErrContested):
		return "", refuse(ReasonContested).because(err)
	case err != nil:
		return "", refuse(ReasonEntryUnknown).because(err)
	}
	return alias, nil
}

// answerOwn answers a request in the gateway's own words, on record first.
func (g *Gateway) answerOwn(ctx context.Context, x *exchange, out *responder, result jsontext.Value) *refusal {
	m, err := jsonrpc.Parse(jsonrpc.NewResult(x.msg.ID, result), jsonrpc.Limits{})
	if err != nil {
		return refuse(ReasonInternal).because(err)
	}
	if x.method.List == "" { // what each server contributed to a list is on record
		if no := g.record.answered(ctx, x, inboundOf(x, m)); no != nil {
			return no
		}
	}
	out.nameSession()
	out.json(http.StatusOK, m.Raw)
	return nil
}

func (g *Gateway) approve() approve {
	return approve{routes: g.routes, unsafeRun: g.cfg.UnsafeRun, minBinding: g.cfg.MinBinding}
}

// usable are exchanges with the servers that the caller may use, in the order of
// their aliases, each in the era that its approval names: a bridge leads to those
// of the other one. What approve or a policy refuses is not there.
func (g *Gateway) usable(x *exchange) []*exchange {
	var all []*exchange
	client := g.rulebook.clientOf(x)
	for _, alias := range g.routes.aliases() {
		y := &exchange{
			began: x.began, id: x.id, source: x.source, header: x.header, alias: alias,
			caller: x.caller, era: x.era, version: x.version, client: client,
		}
		if no := g.usableBy(context.Background(), y); no == nil {
			all = append(all, y)
		}
	}
	return all
}

// usableBy holds an exchange that is about a server as a whole against its
// approval and the operator's policies.
func (g *Gateway) usableBy(ctx context.Context, x *exchange) *refusal {
	if no := g.approve().do(ctx, x); no != nil {
		return no
	}
	return g.rulebook.judge(x, nil)
}
