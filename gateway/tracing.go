package gateway

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/gateway/trace"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// startSpan begins the span of a message that a known caller sent and that
// could be read. Replies have none: they belong to a server's request.
type startSpan struct{ tracer *trace.Tracer }

func (s startSpan) do(_ context.Context, x *exchange) *refusal {
	if s.tracer == nil || x.arrived.IsZero() || x.msg.Kind == jsonrpc.Response {
		return nil
	}
	var meta, header trace.Remote
	if !x.leaks { // a trace context has room for a key
		header = trace.Remote{Parent: x.header.Get("Traceparent"), State: x.header.Get("Tracestate")}
		if x.msg.Params != nil {
			meta = trace.Remote{Parent: jsonrpc.Text(x.msg.Params, "/_meta/traceparent"), State: jsonrpc.Text(x.msg.Params, "/_meta/tracestate")}
		}
	}
	x.span = s.tracer.Begin(x.arrived, meta, header)
	return nil
}

// traceOf is the trace context that goes on upstream: the client's, or the
// gateway's span where the operator wants that.
func traceOf(x *exchange) http.Header {
	h := http.Header{}
	copyTrace(h, x.header)
	x.call.Inject(h)
	return h
}

// timed counts the time since began for a group of steps, tells of it in a
// span, and returns the present time.
func (g *Gateway) timed(x *exchange, group string, began time.Time) time.Time {
	now := g.stats.timed(group, began)
	x.span.Step(group, began, now)
	return now
}

// asking begins the span of the conversation with the upstream; the function
// ends it, if the answer did not.
func (x *exchange) asking() (end func()) {
	if x.span == nil {
		return func() {}
	}
	x.call = x.span.Ask(detailOf(x), peerOf(x.svc))
	return func() { x.call.End(trace.Result{Reason: string(x.ended)}) }
}

// heard ends the span of the conversation with what the upstream answered.
func (x *exchange) heard(in *inbound) {
	if x.call == nil {
		return
	}
	if x.answer = (trace.Result{Code: in.errorCode()}); in.msg.Error != nil {
		x.answer.Kind = trace.Other
	} else if failed, _, _, err := jsonrpc.Get(in.msg.Result, "/isError"); err == nil && string(failed) == "true" {
		x.answer.Kind = trace.ToolError
	}
	x.call.End(x.answer)
}

// done counts an exchange that is over, and ends its span.
func (g *Gateway) done(x *exchange, httpMethod string, panicked bool) {
	y := x
	if x.through != nil && x.through.msg != nil {
		y = x.through
	}
	if y.ended == "" && panicked {
		y.ended = ReasonInternal
	}
	g.stats.done(y, httpMethod, x.arrived)
	if x.span == nil {
		return
	}
	d := detailOf(y)
	if d.ID = idOf(x); x.session != nil {
		d.Session = x.session.id
	}
	result := y.answer
	if y.ended != "" {
		result = trace.Result{Code: y.told, Reason: string(y.ended), Text: meanings[y.ended].text}
	}
	x.span.End(d, result)
}

// detailOf is what a span may tell of an exchange. An entry is named once it
// was found as it was approved, a resource only by the URI that was approved:
// one made from a template holds arguments.
func detailOf(x *exchange) trace.Detail {
	d := trace.Detail{Method: x.method.Name, ID: idOf(x), Call: x.id}
	if x.svc != nil {
		d.Alias, d.Server, d.ServerVersion = x.alias, x.svc.approval.Server, x.svc.approval.Version
		if x.svc.extensions[x.msg.Method] {
			d.Method = x.msg.Method
		}
	}
	if x.entry.State == inventory.Same && x.entry.Ref == x.ref {
		switch x.ref.Kind {
		case fingerprint.KindTool:
			d.Tool = x.ref.Key
		case fingerprint.KindPrompt:
			d.Prompt = x.ref.Key
		case fingerprint.KindResource:
			d.Resource = x.ref.Key
		}
	}
	if d.Version = x.version; d.Version == "" && x.session != nil {
		d.Version = x.session.protocolVersion()
	}
	if protocol.EraOf(d.Version) == "" {
		d.Version = "" // what a client asks for need not be a version
	}
	if x.session != nil {
		d.Session = x.session.id
	}
	return d
}

// maxSpanID bounds the id of a request in a span; a longer one is left out.
const maxSpanID = 64

func idOf(x *exchange) string {
	if x.leaks || x.msg.Kind != jsonrpc.Request || len(x.msg.ID) > maxSpanID {
		return ""
	}
	if text, err := unquote(x.msg.ID); err == nil {
		return text
	}
	return string(x.msg.ID)
}

func peerOf(svc *service) trace.Peer {
	u, err := url.Parse(svc.target.URL)
	if svc.local || err != nil {
		return trace.Peer{}
	}
	port := map[string]int{"http": 80, "https": 443}[u.Scheme]
	if n, err := strconv.Atoi(u.Port()); err == nil {
		port = n
	}
	return trace.Peer{Host: u.Hostname(), Port: port}
}
