package trace

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

const (
	inMeta   = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	inHeader = "00-11111111111111111111111111111111-2222222222222222-01"
)

func recorder(propagate bool) (*Tracer, *tracetest.SpanRecorder) {
	spans := tracetest.NewSpanRecorder()
	return New(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)), propagate), spans
}

// told is a span as a reader sees it.
func told(s sdktrace.ReadOnlySpan) map[string]string {
	all := map[string]string{"name": s.Name(), "kind": s.SpanKind().String()}
	if s.Status().Code != codes.Unset {
		all["status"] = s.Status().Code.String() + " " + s.Status().Description
	}
	for _, a := range s.Attributes() {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

// TestCall holds the spans of one call to the conventions.
func TestCall(t *testing.T) {
	tracer, spans := recorder(false)
	began := time.Now().Add(-time.Second)
	d := Detail{Method: "tools/call", Tool: "get-weather", ID: "7", Version: "2025-11-25", Session: "s1", Alias: "weather", Server: "io.example/weather", ServerVersion: "1.0", Call: "c1"}
	s := tracer.Begin(began, Remote{Parent: inMeta, State: "rojo=1"}, Remote{Parent: inHeader})
	s.Step("scan", began, began.Add(time.Millisecond))
	c := s.Ask(d, Peer{Host: "10.0.0.7", Port: 8080})
	c.End(Result{Kind: ToolError})
	c.End(Result{Reason: "too late"})
	s.End(d, Result{Kind: ToolError})
	ended := spans.Ended()
	if len(ended) != 3 {
		t.Fatalf("%d spans", len(ended))
	}
	step, client, server := ended[0], ended[1], ended[2]
	common := map[string]string{
		"name": "tools/call get-weather", "mcp.method.name": "tools/call", "gen_ai.tool.name": "get-weather",
		"gen_ai.operation.name": "execute_tool", "jsonrpc.request.id": "7", "mcp.protocol.version": "2025-11-25", "mcp.session.id": "s1",
		"network.transport": "tcp", "network.protocol.name": "http", "error.type": "tool_error", "status": "Error ",
		"bartizan.alias": "weather", "bartizan.server.name": "io.example/weather", "bartizan.server.version": "1.0", "bartizan.call.id": "c1",
	}
	with := func(more map[string]string) map[string]string {
		all := map[string]string{}
		for _, m := range []map[string]string{common, more} {
			for k, v := range m {
				all[k] = v
			}
		}
		return all
	}
	for _, tt := range []struct {
		span sdktrace.ReadOnlySpan
		want map[string]string
	}{
		{server, with(map[string]string{"kind": "server"})},
		{client, with(map[string]string{"kind": "client", "server.address": "10.0.0.7", "server.port": "8080"})},
		{step, map[string]string{"name": "scan", "kind": "internal"}},
	} {
		if diff := cmp.Diff(tt.want, told(tt.span)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.want["kind"], diff)
		}
	}
	if p := server.Parent(); p.SpanID().String() != "00f067aa0ba902b7" || !p.IsRemote() || p.TraceState().String() != "rojo=1" {
		t.Errorf("parent %v", p)
	}
	if l := server.Links(); len(l) != 1 || l[0].SpanContext.SpanID().String() != "2222222222222222" {
		t.Errorf("links %v", l)
	}
	for _, child := range []sdktrace.ReadOnlySpan{client, step} {
		if child.Parent().SpanID() != server.SpanContext().SpanID() {
			t.Errorf("%s is not the server span's child", child.Name())
		}
	}
	if !server.StartTime().Equal(began) || step.EndTime().Sub(step.StartTime()) != time.Millisecond {
		t.Error("times are not those of the message")
	}
}

// TestParent: what a peer writes is a parent or nothing.
func TestParent(t *testing.T) {
	long := strings.Repeat("a", 1<<20)
	for _, tt := range []struct {
		name         string
		meta, header Remote
		parent       string // span id; "" = a trace of our own
		links        int
	}{
		{"none", Remote{}, Remote{}, "", 0},
		{"message", Remote{Parent: inMeta}, Remote{}, "00f067aa0ba902b7", 0},
		{"header", Remote{}, Remote{Parent: inHeader}, "2222222222222222", 0},
		{"both", Remote{Parent: inMeta}, Remote{Parent: inHeader}, "00f067aa0ba902b7", 1},
		{"malformed message", Remote{Parent: "BLOCK-ME"}, Remote{Parent: inHeader}, "2222222222222222", 0},
		{"zero ids", Remote{Parent: "00-00000000000000000000000000000000-0000000000000000-01"}, Remote{}, "", 0},
		{"long", Remote{Parent: long, State: long}, Remote{Parent: long}, "", 0},
		{"malformed state", Remote{Parent: inMeta, State: "\x00" + long}, Remote{}, "00f067aa0ba902b7", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tracer, spans := recorder(false)
			tracer.Begin(time.Now(), tt.meta, tt.header).End(Detail{}, Result{})
			s := spans.Ended()[0]
			got := ""
			if s.Parent().IsValid() {
				got = s.Parent().SpanID().String()
			}
			if got != tt.parent || len(s.Links()) != tt.links || s.Parent().TraceState().Len() != 0 {
				t.Errorf("parent %q, %d links, state %q", got, len(s.Links()), s.Parent().TraceState())
			}
			if s.Name() != Other {
				t.Errorf("a message without a known method is called %q", s.Name())
			}
		})
	}
}

// TestEnds: how a failure is told.
func TestEnds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		result Result
		want   map[string]string
	}{
		{"well", Result{}, map[string]string{}},
		{"error of the server", Result{Code: -32602, Kind: Other}, map[string]string{"error.type": "-32602", "rpc.response.status_code": "-32602", "status": "Error "}},
		{"error with a broken code", Result{Kind: Other}, map[string]string{"error.type": "_OTHER", "status": "Error "}},
		{"refusal", Result{Code: -31403, Reason: "finding", Text: "no"}, map[string]string{
			"error.type": "-31403", "rpc.response.status_code": "-31403", "bartizan.reason": "finding", "status": "Error no"}},
		{"client gone", Result{Reason: "client_gone"}, map[string]string{"error.type": "client_gone", "bartizan.reason": "client_gone", "status": "Error "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tracer, spans := recorder(false)
			s := tracer.Begin(time.Now(), Remote{}, Remote{})
			s.Ask(Detail{Method: "ping"}, Peer{}).End(tt.result)
			tt.want["name"], tt.want["kind"], tt.want["mcp.method.name"], tt.want["network.transport"] = "ping", "client", "ping", "pipe"
			if diff := cmp.Diff(tt.want, told(spans.Ended()[0])); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	long := Detail{Method: "prompts/get", Prompt: strings.Repeat("p", maxTarget+1)}
	if long.name() != "prompts/get" {
		t.Error("a long name is the name of a span")
	}
}

// TestInject names the span to an upstream only where that is wanted.
func TestInject(t *testing.T) {
	for _, propagate := range []bool{false, true} {
		tracer, _ := recorder(propagate)
		h := http.Header{"Traceparent": {inMeta}, "Tracestate": {"a=1"}}
		c := tracer.Begin(time.Now(), Remote{Parent: inMeta}, Remote{}).Ask(Detail{}, Peer{})
		c.Inject(h)
		if changed := h.Get("Traceparent") != inMeta; changed != propagate {
			t.Errorf("propagate %v: %v", propagate, h)
		}
		if propagate && (!strings.HasPrefix(h.Get("Traceparent"), inMeta[:36]+c.span.SpanContext().SpanID().String()) || h.Get("Tracestate") != "") {
			t.Errorf("%v does not name the span", h)
		}
	}
}

// silent is everything that a message does to a tracer.
func silent(t *Tracer, h http.Header, at time.Time) {
	s := t.Begin(at, Remote{}, Remote{})
	s.Step("scan", at, at)
	c := s.Ask(Detail{}, Peer{})
	c.Inject(h)
	c.End(Result{})
	s.End(Detail{}, Result{})
}

// TestOff: tracing that is off allocates nothing.
func TestOff(t *testing.T) {
	h, at := http.Header{}, time.Now()
	if n := testing.AllocsPerRun(100, func() { silent(nil, h, at) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	unsampled := New(sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())), true)
	if s := unsampled.Begin(at, Remote{}, Remote{}); s != nil {
		t.Error("a span that nobody gets is filled in")
	}
}

// FuzzParent: whatever a peer writes, there is a span, with a parent that is
// what W3C calls one.
func FuzzParent(f *testing.F) {
	f.Add(inMeta, "a=1,b@c=2", inHeader)
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, parent, state, header string) {
		tracer, spans := recorder(true)
		s := tracer.Begin(time.Now(), Remote{Parent: parent, State: state}, Remote{Parent: header})
		h := http.Header{}
		s.Ask(Detail{}, Peer{}).Inject(h)
		s.End(Detail{}, Result{})
		for _, ended := range spans.Ended() {
			if p := ended.Parent(); p.IsRemote() && (!p.IsValid() || len(p.TraceState().String()) > 32*(256+1+256+1)) {
				t.Errorf("parent %+v", p)
			}
		}
		for _, values := range h {
			if strings.ContainsAny(strings.Join(values, ""), "\r\n\x00") {
				t.Errorf("%q", values)
			}
		}
	})
}

// BenchmarkMessage: one call's spans, off, not sampled, and recorded.
func BenchmarkMessage(b *testing.B) {
	discard := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(sdktrace.NewSimpleSpanProcessor(tracetest.NewNoopExporter())))
	for _, bm := range []struct {
		name   string
		tracer *Tracer
	}{
		{"off", nil},
		{"unsampled", New(sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())), false)},
		{"recorded", New(discard, false)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			d := Detail{Method: "tools/call", Tool: "get-weather", ID: "7", Version: "2025-11-25", Alias: "weather", Server: "io.example/weather"}
			at := time.Now()
			for b.Loop() {
				s := bm.tracer.Begin(at, Remote{}, Remote{Parent: inHeader})
				for range 7 {
					s.Step("scan", at, at)
				}
				s.Ask(d, Peer{Host: "127.0.0.1", Port: 80}).End(Result{})
				s.End(d, Result{})
			}
		})
	}
}
