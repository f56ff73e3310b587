package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/bartizan-mcp/bartizan/gateway/trace"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

const (
	traceInMeta   = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	traceInHeader = "00-11111111111111111111111111111111-2222222222222222-01"
	traceMeta     = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},` +
		`"traceparent":"` + traceInMeta + `", "tracestate":"rojo=1","baggage":"user=alice%20secret"}`
)

// traced starts a gateway whose spans are kept.
func traced(t *testing.T, propagate bool) (*house, *tracetest.SpanRecorder) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	tracer := trace.New(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)), propagate)
	return open(t, func(c *Config) { c.AutoRoutes = true; c.Tracer = tracer }), spans
}

// servers are the spans of messages, once there are n: they end after the
// client has its answer.
func servers(t *testing.T, spans *tracetest.SpanRecorder, n int) []sdktrace.ReadOnlySpan {
	t.Helper()
	var found []sdktrace.ReadOnlySpan
	eventually(t, fmt.Sprintf("%d server spans", n), func() bool {
		found = of(spans, "server")
		return len(found) >= n
	})
	if len(found) != n {
		t.Fatalf("%d server spans, want %d", len(found), n)
	}
	return found
}

func of(spans *tracetest.SpanRecorder, kind string) []sdktrace.ReadOnlySpan {
	var found []sdktrace.ReadOnlySpan
	for _, s := range spans.Ended() {
		if s.SpanKind().String() == kind {
			found = append(found, s)
		}
	}
	return found
}

// spanOf is the name and the attributes of a span, without those that differ in every run.
func spanOf(s sdktrace.ReadOnlySpan) map[string]string {
	all := map[string]string{"": s.Name()}
	for _, a := range s.Attributes() {
		switch a.Key {
		case "bartizan.call.id", "server.address", "server.port", "mcp.session.id":
		default:
			all[string(a.Key)] = a.Value.String()
		}
	}
	return all
}

// TestSpansOfACall: one message, from the client's trace to the upstream.
func TestSpansOfACall(t *testing.T) {
	s := newScript(t)
	h, spans := traced(t, false)
	h.serve("srv", s.start())
	body, header := modern(7, "tools/call", `{"name":"one","arguments":{}}`)
	body = strings.Replace(body, body[strings.Index(body, `"_meta"`):], traceMeta+"}}", 1)
	if r := h.raw("srv", body, append(header, "Traceparent: "+traceInHeader)...); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	server := servers(t, spans, 1)[0]
	if p := server.Parent(); p.SpanID().String() != "00f067aa0ba902b7" || len(server.Links()) != 1 {
		t.Errorf("parent %v, links %v", p, server.Links())
	}
	common := map[string]string{
		"": "tools/call one", "mcp.method.name": "tools/call", "gen_ai.tool.name": "one", "gen_ai.operation.name": "execute_tool",
		"jsonrpc.request.id": "7", "mcp.protocol.version": "2026-07-28", "network.transport": "tcp", "network.protocol.name": "http",
		"bartizan.alias": "srv", "bartizan.server.name": "io.example/srv", "bartizan.server.version": "1.0.0",
	}
	clients := of(spans, "client")
	if len(clients) != 1 {
		t.Fatalf("%d client spans", len(clients))
	}
	for _, span := range []sdktrace.ReadOnlySpan{server, clients[0]} {
		if diff := cmp.Diff(common, spanOf(span)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", span.SpanKind(), diff)
		}
	}
	var steps []string
	for _, span := range of(spans, "internal") {
		steps = append(steps, span.Name())
		if span.Parent().SpanID() != server.SpanContext().SpanID() || span.StartTime().Before(server.StartTime()) {
			t.Errorf("%s is not within the message", span.Name())
		}
	}
	want := []string{GroupIdentify, GroupApprove, GroupFingerprint, GroupScan, GroupIntent, GroupResult, GroupOutcome}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	for _, a := range server.Attributes() {
		if a.Key == "bartizan.call.id" {
			if found := h.events(audit.Query{ID: a.Value.AsString()}); len(found) == 0 {
				t.Errorf("no record has the id %s", a.Value.AsString())
			}
			return
		}
	}
	t.Error("the span does not lead to the records")
}

// TestTraceContextPasses: what a client says of its trace reaches the server as
// it is, in both eras; only where the operator wants it, the header names the
// gateway's span instead, and messages never change.
func TestTraceContextPasses(t *testing.T) {
	for _, tt := range []struct {
		name          string
		on, propagate bool
		inMessage     bool // the message names a trace, too
		header        string
		passes        bool // the header does
	}{
		{"off", false, false, true, traceInHeader, true},
		{"on", true, false, true, traceInHeader, true},
		{"on, none given", true, false, false, "", true},
		{"propagating", true, true, true, traceInHeader, false},
		{"propagating, none given", true, true, false, "", false},
		{"propagating, not sampled", true, true, false, traceInHeader[:53] + "00", true},
	} {
		for _, eras := range []string{"modern modern", "legacy legacy", "modern legacy", "legacy modern"} {
			t.Run(tt.name+", "+eras, func(t *testing.T) {
				s := newScript(t)
				legacy, bridged := strings.HasPrefix(eras, "legacy"), eras[:6] != eras[7:]
				s.legacy = legacy != bridged
				var h *house
				if tt.on {
					h, _ = traced(t, tt.propagate)
				} else {
					h = open(t, auto)
				}
				h.serve("srv", s.start())
				body, header := modern(7, "tools/call", `{"name":"one","arguments":{}}`)
				meta := traceMeta
				if legacy {
					header, meta = h.initialize("srv"), strings.Replace(traceMeta, `"io.modelcontextprotocol/protocolVersion":"2026-07-28",`, "", 1)
				}
				if !tt.inMessage {
					meta = strings.Replace(meta, `"traceparent":"`+traceInMeta+`", `, "", 1)
				}
				state := ""
				if tt.header != "" {
					state = "a=1"
				}
				body = strings.Replace(body, body[strings.Index(body, `"_meta"`):], meta+"}}", 1)
				if r := h.raw("srv", body, append(header, "Traceparent: "+tt.header, "Tracestate: "+state)...); r.status != http.StatusOK {
					t.Fatalf("%d %s", r.status, r.body)
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				last := len(s.got) - 1
				for s.got[last].Method != protocol.MethodToolsCall {
					last--
				}
				if got := string(s.got[last].Raw); bridged {
					for _, name := range []string{"traceparent", "tracestate", "baggage"} {
						if want := jsonrpc.Text([]byte(body), jsontext.Pointer("/params/_meta/"+name)); jsonrpc.Text([]byte(got), jsontext.Pointer("/params/_meta/"+name)) != want {
							t.Errorf("%s is not %q in %s", name, want, got)
						}
					}
				} else if got != body {
					t.Errorf("the upstream got\n%s, sent was\n%s", got, body)
				}
				got := s.header[last]
				passed := got.Get("Traceparent") == tt.header && got.Get("Tracestate") == state
				if passed != tt.passes {
					t.Errorf("the upstream got %q %q", got.Get("Traceparent"), got.Get("Tracestate"))
				}
				if got.Get("Baggage") != "" {
					t.Error("a header that the gateway does not know passed")
				}
			})
		}
	}
}

// TestSpansHoldNoSecrets: a client that writes its secrets everywhere, and a
// server that answers with its own, find none of them in spans.
func TestSpansHoldNoSecrets(t *testing.T) {
	const canary = "canary-7f3a"
	s := newScript(t)
	h, spans := traced(t, true)
	h.serve("srv", s.start())
	s.set(protocol.MethodToolsCall, `{"resultType":"complete","isError":true,"content":[{"type":"text","text":"`+canary+`"}]}`)
	s.set(protocol.MethodResourcesRead, `{"resultType":"complete","contents":[{"uri":"test://a","text":"`+canary+`"}]}`)
	failing := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":6,"error":{"code":-32050,"message":"%s","data":"%s"}}`, canary, canary)
	}
	h.call("srv", 1, "tools/call", `{"name":"one","arguments":{"a":"`+canary+`"}}`)
	h.call("srv", 2, "tools/call", `{"name":"`+canary+`","arguments":{}}`).refused(t, 403, ReasonEntryUnknown)
	h.call("srv", 3, "tools/call", `{"name":"one","arguments":{"a":"BLOCK-ME `+canary+`"}}`).refused(t, 403, ReasonFinding)
	h.call("srv", 4, "resources/read", `{"uri":"test://rows/`+canary+`"}`)
	h.call("srv", 5, canary+"/method", "").refused(t, 404, ReasonMethodDenied)
	s.on("prompts/get", failing)
	h.call("srv", 6, "prompts/get", `{"name":"ask","arguments":{"a":"`+canary+`"}}`)
	h.call("", 7, "tools/call", `{"name":"srv__one","arguments":{"a":"`+canary+`"}}`)
	h.call("", 8, "tools/call", `{"name":"srv__`+canary+`"}`).refused(t, 403, ReasonEntryUnknown)
	h.call("srv", 9, "tools/list", `{"cursor":"`+canary+`"}`, "Traceparent: "+canary, "Tracestate: a="+canary, "Baggage: a="+canary)
	long := strings.Repeat("x", maxSpanID) + canary
	h.raw("srv", `{"jsonrpc":"2.0","id":"`+long+`","method":"initialize","params":{"protocolVersion":"`+canary+`","capabilities":{"`+canary+`":{}},"clientInfo":{"name":"`+canary+`","version":"1"}}}`)
	h.call("srv", 11, "tools/list", "", "Authorization: Bearer "+canary).refused(t, 401, ReasonUnauthenticated)

	part := secretOf("Bearer " + h.token)[:40]
	body, header := modern(12, "tools/list", "")
	h.raw("srv", strings.Replace(body, `"id":12`, `"id":"`+part+`"`, 1), header...).refused(t, 403, ReasonFinding)
	h.call("srv", 13, "tools/list", "", "Traceparent: "+traceInHeader, "Tracestate: a="+part).refused(t, 403, ReasonFinding)

	found := servers(t, spans, 12)
	for _, s := range spans.Ended() {
		shown := fmt.Sprint(s.Name(), s.Attributes(), s.Status(), s.Events(), s.Links(), s.Parent().TraceState(), s.SpanContext().TraceState())
		for _, secret := range []string{canary, h.token, part, "alice", sessionOfScript} {
			if strings.Contains(shown, secret) {
				t.Errorf("%q is in %s", secret, shown)
			}
		}
	}
	ends := map[string]map[string]string{}
	for _, s := range found {
		all := spanOf(s)
		ends[all["jsonrpc.request.id"]] = all
	}
	for id, want := range map[string][3]string{ // name, error.type, reason
		"1": {"tools/call one", "tool_error", ""}, "2": {"tools/call", "-31403", "entry_unknown"}, "3": {"tools/call one", "-31403", "finding"},
		"4": {"resources/read", "", ""}, "5": {"_OTHER", "-32601", "method_denied"}, "6": {"prompts/get ask", "-32050", ""},
		"7": {"tools/call one", "tool_error", ""}, "8": {"tools/call", "-31403", "entry_unknown"}, "9": {"tools/list", "", ""},
	} {
		if got := [3]string{ends[id][""], ends[id]["error.type"], ends[id]["bartizan.reason"]}; got != want {
			t.Errorf("message %s: %q, want %q", id, got, want)
		}
	}
}

// TestSpansOfLocalServers and of what is no request.
func TestSpansOfLocalServers(t *testing.T) {
	h, spans := traced(t, true)
	h.serve("every", upstream.Target{Command: []string{everything}})
	session := h.initialize("every")
	h.raw("every", `{"jsonrpc":"2.0","id":"a b","method":"tools/call","params":{"name":"test_simple_text","arguments":{}}}`, session...)
	h.do(http.MethodDelete, "/mcp/every", "", session...)
	var names []string
	for _, s := range servers(t, spans, 3) {
		all := spanOf(s)
		names = append(names, all[""]+" "+all["jsonrpc.request.id"]+" "+all["mcp.protocol.version"])
		if value := attribute(s, "mcp.session.id"); "Mcp-Session-Id: "+value != session[0] {
			t.Errorf("%s in session %q", s.Name(), value)
		}
	}
	want := []string{"initialize 0 2025-11-25", "notifications/initialized  2025-11-25", "tools/call test_simple_text a b 2025-11-25"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	clients := of(spans, "client")
	if len(clients) != 3 {
		t.Fatalf("%d client spans", len(clients))
	}
	for _, s := range clients {
		if attribute(s, "network.transport") != "pipe" || attribute(s, "server.address") != "" {
			t.Errorf("%v", s.Attributes())
		}
	}
}

func attribute(s sdktrace.ReadOnlySpan, key string) string {
	for _, a := range s.Attributes() {
		if string(a.Key) == key {
			return a.Value.String()
		}
	}
	return ""
}

// TestSpansOfUpstreamFailures: a conversation that ends without an answer has
// an end all the same.
func TestSpansOfUpstreamFailures(t *testing.T) {
	s := newScript(t)
	h, spans := traced(t, false)
	h.serve("srv", s.start())
	s.on("tools/call", func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) })
	h.call("srv", 1, "tools/call", `{"name":"one","arguments":{}}`).refused(t, 502, ReasonUpstreamGone)
	h.inbound = append([]inboundStep{panicking{}}, h.inbound...)
	h.call("srv", 2, "tools/list", "").refused(t, 500, ReasonInternal)
	found := servers(t, spans, 2)
	if got := [2]string{attribute(found[0], "bartizan.reason"), attribute(found[1], "bartizan.reason")}; got != [2]string{"upstream_gone", "internal"} {
		t.Errorf("%q", got)
	}
	for _, c := range of(spans, "client") {
		if c.Name() == "tools/call one" && attribute(c, "error.type") != "upstream_gone" {
			t.Errorf("%v", c.Attributes())
		}
	}
	if n := len(of(spans, "client")); n != 2 {
		t.Errorf("%d client spans ended", n)
	}
}

// TestOneDecision: a message to all servers is sampled or not, once, with all
// that is asked of servers for it.
func TestOneDecision(t *testing.T) {
	s, decisions := newScript(t), &never{}
	spans := tracetest.NewSpanRecorder()
	tracer := trace.New(sdktrace.NewTracerProvider(sdktrace.WithSampler(decisions), sdktrace.WithSpanProcessor(spans)), true)
	h := open(t, func(c *Config) { c.AutoRoutes = true; c.Tracer = tracer })
	h.serve("srv", s.start())
	h.call("", 1, "tools/call", `{"name":"srv__one","arguments":{}}`)
	h.call("", 2, "server/discover", "")
	eventually(t, "both are counted", func() bool { return h.Stats().Total.Count == 2 })
	if n := decisions.made.Load(); n != 2 || len(spans.Ended()) != 0 {
		t.Errorf("%d decisions about two messages, %d spans", n, len(spans.Ended()))
	}
}

// never samples nothing, and counts.
type never struct{ made atomic.Int64 }

func (n *never) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	n.made.Add(1)
	return sdktrace.NeverSample().ShouldSample(p)
}

func (*never) Description() string { return "never" }
