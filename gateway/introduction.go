package gateway

import (
	"context"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
)

// checkIntroduction holds what a server says about itself (initialize,
// server/discover) against the approval. Instructions and capabilities that
// are not the approved ones are removed from what the client sees.
type checkIntroduction struct {
	scanners *engine.Live
	record   *recorder
	drift    *driftReporter
}

func (s checkIntroduction) do(ctx context.Context, x *exchange, in *inbound) *refusal {
	if !in.introduces() {
		return nil
	}
	keep, no := s.instructions(ctx, x, in)
	if no != nil {
		return no
	}
	if !keep {
		result, err := jsonrpc.RemoveMember(in.msg.Result, "instructions")
		if err != nil {
			return refuse(ReasonUpstreamProtocol).because(err)
		}
		if no := in.replaceResult(result); no != nil {
			return no
		}
	}
	capabilities, start, end, err := jsonrpc.Get(in.msg.Raw, "/result/capabilities")
	if err != nil {
		return capTTL(in)
	}
	o := inventory.Judge(fingerprint.KindCapabilities, capabilities, x.svc.approved[x.spoken])
	if o.State != inventory.Same {
		if no := s.drift.report(ctx, x, o); no != nil {
			return no
		}
		if no := in.splice(jsonrpc.Edit{Start: start, End: end, New: []byte("{}")}); no != nil {
			return no
		}
	}
	return capTTL(in)
}

// instructions reports whether the client may see the instructions.
func (s checkIntroduction) instructions(ctx context.Context, x *exchange, in *inbound) (keep bool, no *refusal) {
	raw, _, _, err := jsonrpc.Get(in.msg.Raw, "/result/instructions")
	if err != nil {
		return true, nil // there are none
	}
	o := inventory.Judge(fingerprint.KindInstructions, raw, x.svc.approved[x.spoken])
	if o.State != inventory.Same {
		return false, s.drift.report(ctx, x, o)
	}
	instructions, err := unquote(raw)
	if err != nil {
		return false, nil
	}
	m, err := message.FromListing(x.svc.approval.Server, &listing.Listing{Era: x.spoken, Instructions: &instructions})
	if err != nil {
		return false, refuse(ReasonUnexamined).because(err)
	}
	v, no := examine(ctx, x, s.scanners, s.record, m)
	if no != nil {
		return false, no
	}
	return !v.Blocked(), nil
}

// replaceResult puts an edited result into its message.
func (in *inbound) replaceResult(result []byte) *refusal {
	_, start, end, err := jsonrpc.Get(in.msg.Raw, "/result")
	if err != nil {
		return refuse(ReasonInternal).because(err)
	}
	return in.splice(jsonrpc.Edit{Start: start, End: end, New: result})
}
