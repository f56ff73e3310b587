package trace

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Remote is a W3C trace context as a peer wrote it; what does not parse is none.
type Remote struct{ Parent, State string }

func (r Remote) context() trace.SpanContext {
	if r.Parent == "" {
		return trace.SpanContext{}
	}
	carrier := propagation.MapCarrier{"traceparent": r.Parent, "tracestate": r.State}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
}

// maxState bounds a tracestate that is passed on: as long as everybody must take
// (W3C Trace Context, §3.3.1.5).
const maxState = 512

// Sound is what of the context may be passed on: a parent of the grammar, and
// with it a state of the grammar. The rest is dropped whole (W3C Trace Context,
// §3.2.2, §3.3.1), so that the headers are no way past whoever reads messages.
func (r Remote) Sound() Remote {
	if !soundParent(r.Parent) {
		return Remote{}
	}
	if len(r.State) > maxState {
		r.State = ""
	}
	if _, err := trace.ParseTraceState(r.State); err != nil {
		r.State = ""
	}
	return r
}

// soundParent: version, trace id, parent id and flags in lower-case hexadecimal.
// Later versions may say more behind that, which nobody knows how to read yet.
func soundParent(parent string) bool {
	const form = "00-00000000000000000000000000000000-0000000000000000-00"
	if len(parent) != len(form) || parent[:2] == "ff" {
		return false
	}
	for i := range form {
		c := parent[i]
		hex := '0' <= c && c <= '9' || 'a' <= c && c <= 'f'
		if form[i] == '-' && c != '-' || form[i] == '0' && !hex {
			return false
		}
	}
	return strings.Trim(parent[3:35], "0") != "" && strings.Trim(parent[36:52], "0") != ""
}
