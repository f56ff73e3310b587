package gateway

import (
	"context"
	"strings"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/flow"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// scanRequest (step 7) has the scanners examine everything that the client
// sends: arguments, replies to server requests, texts of notifications and the
// headers that carry parameters. A request is blocked, never edited.
type scanRequest struct {
	scanners     *engine.Live
	record       *recorder
	recollection *recollection
}

func (s scanRequest) do(ctx context.Context, x *exchange) *refusal {
	m, err := message.FromRequest(x.svc.approval.Server, x.msg)
	if err != nil {
		return refuse(ReasonUnexamined).because(err)
	}
	m.Caller = x.caller.Kind
	for name, values := range x.header {
		if !strings.HasPrefix(name, protocol.HeaderParamPrefix) {
			continue
		}
		value, ok := protocol.DecodeHeader(values[0])
		if !ok {
			return refuse(ReasonHeaderMismatch)
		}
		m.Segments = append(m.Segments, message.Segment{
			Kind: message.KindArgument, Pointer: "/headers/" + name, Text: value, Source: len(m.Segments), Fixed: true,
		})
	}
	if name := x.header.Get(protocol.HeaderName); name != "" && x.spoken == protocol.Modern && x.method.Entry == "" {
		text, ok := protocol.DecodeHeader(name)
		if !ok {
			return refuse(ReasonHeaderMismatch)
		}
		m.Segments = append(m.Segments, message.Segment{ // of a method whose params need not hold it
			Kind: message.KindArgument, Pointer: "/headers/" + protocol.HeaderName, Text: text, Source: len(m.Segments), Fixed: true,
		})
	}
	if no := ownCredential(x, m); no != nil {
		return no
	}
	x.asked = m.Segments
	v, no := examineWith(ctx, x, s.scanners, s.record, m, s.recollection.of(&x.caller))
	if no != nil {
		return no
	}
	return refusalOf(v, engine.ActionRedact)
}

// scanResult (step 10) has the scanners examine everything that an upstream
// says, whatever the method: results, errors, notifications and its own
// requests. It replaces what a finding says must go, and looks once more.
type scanResult struct {
	scanners     *engine.Live
	record       *recorder
	recollection *recollection
}

func (s scanResult) do(ctx context.Context, x *exchange, in *inbound) *refusal {
	rest, err := in.withoutEntries()
	if err != nil {
		return refuse(ReasonUpstreamProtocol).because(err)
	}
	v, no := s.look(ctx, x, in, rest)
	if no != nil {
		return no
	}
	if v.Action != engine.ActionRedact {
		return refusalOf(v, engine.ActionBlock)
	}
	if no := redact(x, in, v); no != nil {
		return no
	}
	in.redacted = true
	again, no := s.look(ctx, x, in, in.msg)
	if no != nil {
		return no
	}
	if !again.Action.Less(engine.ActionRedact) {
		no := refuse(ReasonRedaction)
		no.rules, no.pointers = cited(again, engine.ActionRedact)
		return no
	}
	return nil
}

func (s scanResult) look(ctx context.Context, x *exchange, in *inbound, m *jsonrpc.Message) (engine.Verdict, *refusal) {
	segments, err := message.FromResult(x.svc.approval.Server, in.method, in.entry, m)
	if err != nil {
		return engine.Verdict{}, refuse(ReasonUnexamined).because(err)
	}
	segments.Caller = x.caller.Kind
	v, no := examineWith(ctx, x, s.scanners, s.record, segments, s.recollection.of(&x.caller))
	s.recollection.note(&x.caller, s.record.now())
	return v, no
}

// examine scans one message. What it says above allow is on record before it
// has any effect.
func examine(ctx context.Context, x *exchange, scanners *engine.Live, record *recorder, m *message.Message) (engine.Verdict, *refusal) {
	return examineWith(ctx, x, scanners, record, m, flow.Scope{})
}

// examineWith is examine of what passes between the caller and servers: what
// was marked in earlier messages to him goes with it, what is marked in this one
// is remembered.
func examineWith(ctx context.Context, x *exchange, scanners *engine.Live, record *recorder, m *message.Message, scope flow.Scope) (engine.Verdict, *refusal) {
	v := scanners.ScanWith(ctx, m, engine.ScanOptions{
		Waivers: x.svc.waivers, Now: record.now(), Principal: author(x, m), Flow: scope, Known: x.asked, Demands: x.svc.demands,
	})
	if ctx.Err() != nil { // the exchange ended meanwhile: whatever was said is about half of it
		return v, refuse(ReasonClientGone).because(context.Cause(ctx))
	}
	if len(v.Findings) == 0 && len(v.Failures) == 0 && v.Action == engine.ActionAllow {
		return v, nil
	}
	said := verdictOf(m.Phase, v)
	x.verdict = &said
	return v, record.append(ctx, audit.VerdictReached(callOf(x), said))
}

// author is who can make a scanner fail with this message: the caller or, of
// what an upstream says, that server towards that caller. So neither's payload
// has a scanner skipped for anybody else, and a server's not for the caller's
// other servers.
func author(x *exchange, m *message.Message) string {
	who := x.caller.Tenant + "/" + x.caller.Principal
	if m.Phase != message.PhaseRequest {
		who += "\x00" + x.svc.approval.Server
	}
	return who
}

// refusalOf is what follows from a verdict at or above the given action.
func refusalOf(v engine.Verdict, from engine.Action) *refusal {
	if v.Action.Less(from) {
		return nil
	}
	no := refuse(ReasonFinding)
	no.rules, no.pointers = cited(v, from)
	switch {
	case len(no.rules) > 0:
	case len(v.Failures) > 0:
		no.reason = ReasonScannerFailure
	default:
		no.reason = ReasonUnexamined
	}
	return no
}

// cited lists rules and pointers of the findings that decided, each once.
func cited(v engine.Verdict, from engine.Action) (rules, pointers []string) {
	for _, f := range v.Findings {
		if !f.Action.Less(from) {
			rules = appendOnce(rules, f.Rule)
			pointers = appendOnce(pointers, f.Pointer)
		}
	}
	return rules, pointers
}

// maxCited bounds what an error lists.
const maxCited = 32

func appendOnce(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	if len(list) == maxCited {
		return list
	}
	return append(list, s)
}

func verdictOf(phase message.Phase, v engine.Verdict) audit.Verdict {
	said := audit.Verdict{Phase: string(phase), Action: string(v.Action), Unexamined: v.Unexamined, Flow: flowOf(v.Flow)}
	for _, f := range v.Findings {
		said.Findings = append(said.Findings, audit.Finding{
			Scanner: f.Scanner, Rule: f.Rule, Family: f.Family, Severity: string(f.Severity),
			Confidence: f.Confidence, Action: string(f.Action), Pointer: f.Pointer, Taxonomy: f.Taxonomy,
		})
	}
	for _, f := range v.Failures {
		said.Failures = append(said.Failures, audit.Failure{Scanner: f.Scanner, Digest: v.DigestOf(f.Scanner), Kind: f.Kind, Detail: f.Detail, Skipped: f.Skipped})
	}
	return said
}
