// Package trace tells of messages in spans, by OpenTelemetry's conventions for
// MCP (open-telemetry/semantic-conventions-genai, docs/gen-ai/mcp.md): a server
// span for what a client asked, a client span for the conversation with the
// upstream, one inside for each group of steps. It knows names, codes and
// times. It must not know, and so cannot tell, what a message says, who sent it
// and with which credential; nor does it know where spans go.
//
// A nil *Tracer begins nil spans, and every method of a nil span does nothing:
// tracing that is off, or a message that was not sampled, costs comparisons.
package trace

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Tracer begins spans.
type Tracer struct {
	tracer    trace.Tracer
	propagate bool
}

// New makes a Tracer whose spans go where the provider takes them. Where
// propagate, Client.Inject names its span to upstreams.
func New(provider trace.TracerProvider, propagate bool) *Tracer {
	return &Tracer{tracer: provider.Tracer("github.com/bartizan-mcp/bartizan/gateway"), propagate: propagate}
}

// Server is the span of a message that a client sent.
type Server struct {
	of   *Tracer
	ctx  context.Context
	span trace.Span
}

// Begin begins the span of a message. Its parent is the context in the
// message's params._meta; that of the HTTP request then is a link, and the
// parent where the message names none.
func (t *Tracer) Begin(began time.Time, meta, header Remote) *Server {
	if t == nil {
		return nil
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(began)}
	parent, transport := meta.context(), header.context()
	switch {
	case !parent.IsValid():
		parent = transport
	case transport.IsValid():
		options = append(options, trace.WithLinks(trace.Link{SpanContext: transport}))
	}
	ctx := context.Background()
	if parent.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, parent)
	}
	ctx, span := t.tracer.Start(ctx, Other, options...) // named when it is known what it may be called
	if !span.IsRecording() {
		return nil
	}
	return &Server{of: t, ctx: ctx, span: span}
}

// Step tells of a group of steps that the message went through.
func (s *Server) Step(name string, from, to time.Time) {
	if s == nil {
		return
	}
	_, span := s.of.tracer.Start(s.ctx, name, trace.WithTimestamp(from))
	span.End(trace.WithTimestamp(to))
}

// End ends the span.
func (s *Server) End(d Detail, r Result) {
	if s == nil {
		return
	}
	s.span.SetName(d.name())
	s.span.SetAttributes(d.attributes()...)
	s.span.SetAttributes(overHTTP...)
	r.settle(s.span)
	s.span.End()
}

// Client is the span of the conversation with an upstream about one message.
type Client struct {
	of   *Tracer
	ctx  context.Context
	span trace.Span
	over bool
}

// Ask begins the span of the conversation that a message leads to.
func (s *Server) Ask(d Detail, p Peer) *Client {
	if s == nil {
		return nil
	}
	ctx, span := s.of.tracer.Start(s.ctx, d.name(), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(d.attributes()...), trace.WithAttributes(p.attributes()...))
	return &Client{of: s.of, ctx: ctx, span: span}
}

// End ends the span; again, it does nothing.
func (c *Client) End(r Result) {
	if c == nil || c.over {
		return
	}
	c.over = true
	r.settle(c.span)
	c.span.End()
}

// Inject names the span in the header of the request to the upstream, instead
// of what the client named there, where the Tracer propagates.
func (c *Client) Inject(h http.Header) {
	if c == nil || !c.of.propagate {
		return
	}
	h.Del("Tracestate")
	propagation.TraceContext{}.Inject(c.ctx, propagation.HeaderCarrier(h))
}

// Result is how a message or a conversation ended; the zero Result is well.
type Result struct {
	Code   int    // of a JSON-RPC error
	Kind   string // of a failure without a code: ToolError, Other
	Reason string // the gateway's, where it refused or no answer came
	Text   string // the gateway's own words for it
}

func (r Result) settle(span trace.Span) {
	kind := r.errorType()
	if kind == "" {
		return
	}
	span.SetStatus(codes.Error, r.Text)
	span.SetAttributes(attribute.String("error.type", kind))
	if r.Code != 0 {
		span.SetAttributes(attribute.String("rpc.response.status_code", code(r.Code)))
	}
	if r.Reason != "" {
		span.SetAttributes(attribute.String("bartizan.reason", r.Reason))
	}
}
