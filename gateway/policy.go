package gateway

import (
	"context"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/policy"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// rulebook is the operator's policies in force; a reload replaces them.
type rulebook struct {
	set  atomic.Pointer[policy.Set] // nil: the operator has none
	zone *time.Location             // that hours and weekdays are of
	now  func() time.Time
}

func newRulebook(cfg Config) *rulebook {
	b := &rulebook{zone: cfg.TimeZone, now: cfg.Now}
	b.set.Store(cfg.Policies)
	return b
}

// clientOf is what the client of x says of itself, where policies may ask.
func (b *rulebook) clientOf(x *exchange) *policy.Client {
	if b.set.Load() == nil {
		return nil
	}
	return x.claimed()
}

// permitted (step 6) asks the operator's policies, where there are any, about
// every entry that a message names, or about use of the server. Annotations are
// the approval's, never what the server lists.
type permitted struct{ book *rulebook }

func (s permitted) do(_ context.Context, x *exchange) *refusal {
	return s.book.judge(x, nil)
}

// permittedAsScanned asks those policies once more that depend on what the
// scanners found in the request.
type permittedAsScanned struct{ book *rulebook }

func (s permittedAsScanned) do(_ context.Context, x *exchange) *refusal {
	if set := s.book.set.Load(); set == nil || !set.Findings() {
		return nil
	}
	rules := []string{}
	if x.verdict != nil && x.verdict.Phase == string(message.PhaseRequest) {
		for _, f := range x.verdict.Findings {
			rules = append(rules, f.Rule)
		}
	}
	return s.book.judge(x, rules)
}

// judge refuses what is not permitted. findings is nil before the scan.
func (b *rulebook) judge(x *exchange, findings []string) *refusal {
	set := b.set.Load()
	if set == nil {
		return nil
	}
	r := b.request(x)
	r.Findings = findings
	entries := entriesAsked(x)
	if len(entries) == 0 {
		return deniedBy(set.Decide(r))
	}
	for _, ref := range entries {
		r.Action = actionOn(x, ref.Kind)
		r.Entry = &policy.Entry{Kind: ref.Kind.String(), Name: ref.Key, Hints: x.svc.hintsOf(ref)}
		if no := deniedBy(set.Decide(r)); no != nil {
			return no
		}
	}
	return nil
}

// deniedBy names the operator's policies that forbid, and those that are broken.
func deniedBy(d policy.Decision) *refusal {
	if d.Allow {
		return nil
	}
	no := refuse(ReasonPolicy)
	for _, id := range append(d.Reasons, d.Broken...) {
		no.rules = append(no.rules, "policy:"+id)
	}
	return no
}

// actionOn is what a message does with an entry: reading how far a task of a tool
// is, is to call it; watching a resource is to read it.
func actionOn(x *exchange, kind fingerprint.Kind) policy.Action {
	switch {
	case x.method.Name == protocol.MethodCompletionComplete:
		return policy.ActionComplete
	case kind == fingerprint.KindTool:
		return policy.ActionCall
	case kind == fingerprint.KindPrompt:
		return policy.ActionGet
	}
	return policy.ActionRead
}

// entriesAsked are the entries that a message is about. A resource that a
// template covers is the template's: that is what was approved.
func entriesAsked(x *exchange) []inventory.Ref {
	if x.msg == nil {
		return nil
	}
	refs, no := namedBy(x)
	if no != nil || len(refs) == 0 {
		return nil
	}
	if len(refs) == 1 && x.entry.Key != "" {
		return []inventory.Ref{x.entry.Ref}
	}
	return refs
}

// request is the exchange as policies see it.
func (b *rulebook) request(x *exchange) *policy.Request {
	a := x.svc.approval
	return &policy.Request{
		Principal: policy.Principal{Tenant: x.caller.Tenant, Name: x.caller.Principal, Kind: x.caller.Kind, Roles: x.caller.Roles, Attributes: x.caller.Attributes},
		Action:    policy.ActionUse,
		Server:    policy.Server{Name: a.Server, Version: a.Version, Alias: a.Alias, Tier: a.Tier, Binding: string(a.Binding), Publisher: a.Publisher, Scopes: a.Scopes},
		Method:    x.methodName(), Era: string(x.era), Now: b.now().In(b.zone), Source: addressOf(x.source), Client: x.claimed(),
	}
}

func addressOf(source string) netip.Addr {
	if at, err := netip.ParseAddrPort(source); err == nil {
		return at.Addr()
	}
	addr, _ := netip.ParseAddr(source)
	return addr
}

// hintsOf are the approved annotations of an entry.
func (t *terms) hintsOf(ref inventory.Ref) policy.Hints {
	if h, ok := t.hints[ref.Key]; ok && ref.Kind == fingerprint.KindTool {
		return h
	}
	return policy.HintsOf(ref.Kind.String(), nil, nil, nil, nil)
}

// hintsIn reads the annotations of each tool of an approval.
func hintsIn(a *approval.Approval) map[string]policy.Hints {
	out := make(map[string]policy.Hints, len(a.Annotations))
	for tool, annotations := range a.Annotations {
		hint := func(name jsontext.Pointer) *bool {
			v, _, _, err := jsonrpc.Get(annotations, name)
			if err != nil || v.Kind() != 't' && v.Kind() != 'f' {
				return nil
			}
			is := v.Kind() == 't'
			return &is
		}
		out[tool] = policy.HintsOf(fingerprint.KindTool.String(), hint("/readOnlyHint"), hint("/destructiveHint"), hint("/idempotentHint"), hint("/openWorldHint"))
	}
	return out
}

// maxClaim bounds what a client calls itself, in bytes.
const maxClaim = 128

// claimed is what the client says of itself: in the modern era with every
// request, in the legacy one when it opened its session.
func (x *exchange) claimed() *policy.Client {
	switch {
	case x.session != nil:
		return x.session.client
	case x.client != nil || x.msg == nil || x.msg.Params == nil:
		return x.client
	case x.era == protocol.Modern:
		return clientIn(x.msg.Params, jsontext.Pointer("/_meta").AppendToken(protocol.MetaClientInfo))
	case x.msg.Method == protocol.MethodInitialize:
		return clientIn(x.msg.Params, "/clientInfo")
	}
	return nil
}

func clientIn(params jsontext.Value, at jsontext.Pointer) *policy.Client {
	info, _, _, err := jsonrpc.Get(params, at)
	if err != nil || info.Kind() != '{' {
		return nil
	}
	short := func(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxClaim)], "") }
	return &policy.Client{Name: short(jsonrpc.Text(info, "/name")), Version: short(jsonrpc.Text(info, "/version"))}
}
