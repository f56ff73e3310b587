package gateway

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
)

// checkList goes through a list answer element by element, on the very bytes
// that go to the client: what is not the approved entry, or what a scanner
// blocks, is cut out.
type checkList struct {
	entries fingerprintEntry
	scan    listingScan
}

func (s checkList) do(ctx context.Context, x *exchange, in *inbound) *refusal {
	member := in.listOf()
	if member == "" {
		return nil
	}
	kind, ok := kindListed[member]
	pointer := jsontext.Pointer("/result").AppendToken(member)
	array, start, end, err := jsonrpc.Get(in.msg.Raw, pointer)
	if err != nil || !ok {
		return refuse(ReasonUpstreamProtocol).because(err)
	}
	elements, err := jsonrpc.Elements(array)
	if err != nil {
		return refuse(ReasonUpstreamProtocol).because(err)
	}
	if no := s.entries.list(ctx, x); no != nil {
		return no
	}
	hide, no := s.unapproved(ctx, x, kind, elements)
	if no != nil {
		return no
	}
	if no := s.scanKept(ctx, x, kind, elements, hide); no != nil {
		return no
	}
	in.counts = &audit.Counts{Served: len(elements) - len(hide), Hidden: len(hide)}
	if len(hide) > 0 {
		kept, err := jsonrpc.RemoveElements(array, func(i int) bool { return hide[i] })
		if err != nil {
			return refuse(ReasonInternal).because(err)
		}
		if no := in.splice(jsonrpc.Edit{Start: start, End: end, New: kept}); no != nil {
			return no
		}
	}
	if in.cacheable() && len(hide) > 0 {
		if no := makePrivate(in); no != nil {
			return no
		}
	}
	return capTTL(in)
}

// unapproved marks the elements that are not the approved entry, or that the
// server lists more than once anywhere.
func (s checkList) unapproved(ctx context.Context, x *exchange, kind fingerprint.Kind, elements []jsonrpc.Element) (map[int]bool, *refusal) {
	hide := map[int]bool{}
	at := map[inventory.Ref]int{}
	for i, e := range elements {
		o := inventory.Judge(kind, e.Value, x.svc.approved[x.spoken])
		if first, twice := at[o.Ref]; twice {
			hide[first], o.State = true, inventory.Duplicate
		}
		at[o.Ref] = i
		if own, ok := x.listed.Lookup(o.Ref); ok && own.State == inventory.Duplicate {
			o.State = inventory.Duplicate
		}
		if o.State != inventory.Same {
			hide[i] = true
			if no := s.entries.drift.report(ctx, x, o); no != nil {
				return nil, no
			}
		}
	}
	return hide, nil
}

// scanKept marks those of the remaining elements that a scanner blocks.
func (s checkList) scanKept(ctx context.Context, x *exchange, kind fingerprint.Kind, elements []jsonrpc.Element, hide map[int]bool) *refusal {
	var kept []jsontext.Value
	var index []int
	for i, e := range elements {
		if !hide[i] {
			kept, index = append(kept, e.Value), append(index, i)
		}
	}
	blocked, no := s.scan.examine(ctx, x, kind, kept)
	for i := range blocked {
		hide[index[i]] = true
	}
	return no
}
