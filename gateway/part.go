package gateway

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/merge"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// part stands between an exchange with one server and a client of the merged
// endpoint, after all inbound steps. It gives the server's requests numbers of
// the session's, and keeps one server from speaking of what is another's. A nil
// part changes nothing.
type part struct {
	g     *Gateway
	x     *exchange // with the one server
	whole *session  // the merged session; nil in the modern era
	token string    // idKey of the request's progress token, "" without one
	reads *reading  // set on the one stream that all servers share

	quiet bool                   // nothing reaches the client
	got   func(*jsonrpc.Message) // takes the response, or the acknowledgement of a subscription, instead of the client
}

// event translates one event on its way to the client; false drops it.
func (p *part) event(ev upstream.Event) (upstream.Event, bool) {
	if p == nil {
		return ev, true
	}
	if len(ev.Data) == 0 {
		return ev, !p.quiet && p.whole != nil
	}
	m, err := jsonrpc.Parse(ev.Data, jsonrpc.Limits{Bytes: ownBytes})
	if err != nil {
		return ev, false
	}
	keep := false
	switch m.Kind {
	case jsonrpc.Response:
		_, keep = p.answer(ev.Data, 0)
	case jsonrpc.Request:
		ev.Data, keep = p.request(m)
	case jsonrpc.Notification:
		ev.Data, keep = p.notice(m)
	}
	return ev, keep && !p.quiet
}

// answer notes the response; the client gets it where ok. In a legacy session
// 404 would say that all servers' session is over.
func (p *part) answer(raw []byte, status int) (_ int, ok bool) {
	switch {
	case p == nil:
		return status, true
	case p.got != nil:
		if m, err := jsonrpc.Parse(raw, jsonrpc.Limits{}); err == nil {
			p.got(m)
		}
		return status, false
	case p.whole != nil:
		if m, err := jsonrpc.Parse(raw, jsonrpc.Limits{Bytes: ownBytes}); err == nil {
			p.whole.merged.ledger.Answered(idKey(m.ID))
			p.noteElicitations(m)
		}
		if status == http.StatusNotFound {
			status = http.StatusBadGateway
		}
	}
	return status, !p.quiet
}

// noteElicitations notes what an answer asks the user for: a call may fail
// because the user must first go somewhere (2025-11-25, elicitation, "URL
// Elicitation Required").
func (p *part) noteElicitations(m *jsonrpc.Message) {
	if string(valueAt(m.Raw, "/error/code")) != strconv.Itoa(protocol.CodeURLElicitationRequired) {
		return
	}
	elements, err := jsonrpc.Elements(valueAt(m.Raw, "/error/data/elicitations"))
	if err != nil {
		return
	}
	for _, e := range elements {
		if id := jsonrpc.Text(e.Value, "/elicitationId"); id != "" {
			p.whole.merged.ledger.Elicit(p.x.alias, id)
		}
	}
}

// eventID names an event of one of several upstreams.
func (p *part) eventID(id, session string) (named, owner string) {
	if p == nil || p.whole == nil {
		return id, session
	}
	at := merge.Place{Alias: p.x.alias, Session: p.whole.merged.ordinal(p.x.session), Event: id}
	if p.reads != nil {
		return p.reads.reached(at).String(), p.whole.id
	}
	return merge.Resume{Answer: true, Places: []merge.Place{at}}.String(), p.whole.id
}

// request takes a server's request to the client.
func (p *part) request(m *jsonrpc.Message) ([]byte, bool) {
	if p.whole == nil || p.quiet {
		p.refuse(m, ReasonSessionRequired) // nobody is there to reply
		return nil, false
	}
	ledger := &p.whole.merged.ledger
	if id := jsonrpc.Text(m.Raw, "/params/elicitationId"); id != "" && m.Method == protocol.MethodElicitationCreate && !ledger.Elicit(p.x.alias, id) {
		p.refuse(m, ReasonForeign)
		return nil, false
	}
	asked := merge.Asked{Alias: p.x.alias, ID: m.ID.Clone(), Key: idKey(m.ID)}
	token, _, _, err := jsonrpc.Get(m.Raw, "/params/_meta/progressToken")
	if err == nil {
		asked.Token = token.Clone()
	}
	number := strconv.AppendInt(nil, ledger.Ask(asked), 10)
	raw, err := replaceAt(m.Raw, "/id", number)
	if err == nil && asked.Token != nil {
		raw, err = replaceAt(raw, "/params/_meta/progressToken", number)
	}
	return raw, err == nil
}

// notice lets a notification pass that speaks of nothing, or of what is this
// server's to speak of.
func (p *part) notice(m *jsonrpc.Message) ([]byte, bool) {
	own := true
	raw := []byte(m.Raw)
	switch m.Method {
	case protocol.NotificationProgress:
		token := valueAt(m.Raw, "/params/progressToken")
		if p.whole != nil {
			own = p.whole.merged.ledger.MayReport(p.x.alias, idKey(token))
		} else {
			own = p.token != "" && p.token == idKey(token)
		}
	case protocol.NotificationCancelled:
		own = false
		if p.whole != nil {
			var number int64
			number, own = p.whole.merged.ledger.NumberOf(p.x.alias, idKey(valueAt(m.Raw, "/params/requestId")))
			var err error
			if raw, err = replaceAt(m.Raw, "/params/requestId", strconv.AppendInt(nil, number, 10)); err != nil {
				return nil, false
			}
		}
	case protocol.NotificationElicitationComplete:
		own = p.whole != nil && p.whole.merged.ledger.Elicited(p.x.alias, jsonrpc.Text(m.Raw, "/params/elicitationId"))
	case protocol.NotificationResourcesUpdated:
		alias, err := p.g.merged.claimsOf(p.g.usable(p.x)).Resource(jsonrpc.Text(m.Raw, "/params/uri"))
		own = alias == p.x.alias || errors.Is(err, merge.ErrUnclaimed)
	case protocol.NotificationSubscriptionsAck:
		if p.got != nil {
			p.got(m)
			return nil, false
		}
	}
	if !own {
		p.refuse(m, ReasonForeign)
	}
	return raw, own
}

// refuse puts on record that a message does not go to the client. A request is
// answered, and no reply of the client's is expected any more.
func (p *part) refuse(m *jsonrpc.Message, reason Reason) {
	if m.Kind == jsonrpc.Request && p.x.session != nil {
		p.x.session.takeAsked(m.ID)
	}
	p.g.turnAway(context.Background(), p.x, p.g.linkOf(p.x), inboundOf(p.x, m), refuse(reason))
}

func valueAt(raw jsontext.Value, ptr jsontext.Pointer) jsontext.Value {
	value, _, _, err := jsonrpc.Get(raw, ptr)
	if err != nil {
		return nil
	}
	return value
}

// replaceAt replaces the value at a place in a message.
func replaceAt(raw jsontext.Value, ptr jsontext.Pointer, value []byte) ([]byte, error) {
	_, start, end, err := jsonrpc.Get(raw, ptr)
	if err != nil {
		return nil, err
	}
	return jsonrpc.Splice(raw, jsonrpc.Edit{Start: start, End: end, New: value})
}
