package gateway

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/gateway/merge"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// checked is one server's list after all inbound steps, names already merged.
type checked struct {
	from    basis
	entries []jsontext.Value
	counts  audit.Counts
	digest  [32]byte
}

// listMerged answers a list: each server's own listing as the gateway took it,
// through the inbound steps, spliced together.
func (g *Gateway) listMerged(ctx context.Context, x *exchange, out *responder) *refusal {
	sealed, cursor := jsonrpc.Text(x.msg.Raw, "/params/cursor"), ""
	if sealed != "" {
		var err error
		if cursor, err = g.seal.OpenEncoded(sealed, cursorOwner(x)...); err != nil {
			return refuse(ReasonInvalidParams).because(err)
		}
	}
	lists, no := g.lists(ctx, x, x.msg.Method)
	switch {
	case no != nil:
		return no
	case ctx.Err() != nil:
		return refuse(ReasonClientGone).because(context.Cause(ctx))
	}
	array, next, ok := merge.Page(partsOf(lists), cursor)
	if !ok {
		return refuse(ReasonInvalidParams)
	}
	if x.session != nil && cursor == "" {
		x.session.merged.told.set(x.msg.Method, digestsOf(lists))
	}
	result := append([]byte(`{`), complete(x)...)
	result = append(append(append(append(result, '"'), x.method.List...), `":`...), array...)
	if next != "" {
		result = append(append(append(result, `,"nextCursor":"`...), g.seal.SealEncoded(next, cursorOwner(x)...)...), '"')
	}
	return g.answerOwn(ctx, x, out, append(result, '}'))
}

func cursorOwner(x *exchange) []string {
	return []string{"cursor", x.caller.Tenant, x.caller.Principal, string(x.era), x.msg.Method}
}

// complete are the members that every modern result begins with. A merged list
// is for one caller, and outdated as soon as any server or approval changes.
func complete(x *exchange) string {
	if x.era != protocol.Modern {
		return ""
	}
	return `"resultType":"complete","ttlMs":0,"cacheScope":"private",`
}

// listed is one server's contribution to a list.
type listed struct {
	alias string
	*checked
}

// lists gathers what every usable server contributes, in the order of aliases,
// all at once. A server that cannot be listed in time is left out; what cannot
// be put on record is not shown.
func (g *Gateway) lists(ctx context.Context, x *exchange, method string) ([]listed, *refusal) {
	usable := g.usable(x)
	claims := g.merged.claimsOf(usable)
	gathered := make([]*checked, len(usable))
	unrecorded := make([]*refusal, len(usable))
	g.gather(ctx, usable, func(ctx context.Context, i int) *refusal {
		c, no := g.checkedList(ctx, usable[i], claims, method)
		if no != nil {
			return no
		}
		unrecorded[i] = g.record.append(ctx, audit.ListingServed(callOf(usable[i]), c.counts))
		gathered[i] = c
		return nil
	})
	var all []listed
	for i, y := range usable {
		if unrecorded[i] != nil {
			return nil, unrecorded[i]
		}
		if gathered[i] != nil {
			all = append(all, listed{y.alias, gathered[i]})
		}
	}
	return all, nil
}

func partsOf(lists []listed) []merge.Part {
	var parts []merge.Part
	for _, l := range lists {
		parts = append(parts, merge.Part{Alias: l.alias, Entries: l.entries})
	}
	return parts
}

// basis is what a checked list follows from; where it is another, the list is
// made anew.
type basis struct {
	snap     *inventory.Snapshot
	approved string // approvedAs
	scanners uint64 // their generation
	claims   *claims
}

// listKey names one list of one server, for one class of callers. What was made
// for the last listing, approval or set of scanners gives way to the next.
type listKey struct {
	tenant, alias, instance, method, caller string
	era                                     protocol.Era
}

// checkedList is what a server contributes to a list. It is made once of each
// listing, approval and set of scanners.
func (g *Gateway) checkedList(ctx context.Context, y *exchange, claims *claims, method string) (*checked, *refusal) {
	key := listKey{tenant: y.caller.Tenant, alias: y.alias, instance: y.svc.instance, method: method, caller: y.caller.Kind, era: y.era}
	from := basis{approved: approvedAs(y), scanners: g.cfg.Scanners.Generation(), claims: claims}
	var err error
	if from.snap, err = g.listings.Current(ctx, y.listingKey(), y.svc.target); err == nil {
		g.merged.mu.Lock()
		have, ok := g.merged.lists[key]
		g.merged.mu.Unlock()
		if ok && have.from == from {
			return have, y.ask(method)
		}
	}
	row, _ := protocol.Lookup(method)
	kind := kindListed[row.List]
	in, snap, no := g.own(ctx, y, method, func(l *listing.Listing) []byte { return listAnswer(row.List, entriesIn(l, kind)) })
	if no != nil {
		return nil, no
	}
	c, no := g.renamed(y, in, kind, claims)
	if no != nil {
		return nil, no
	}
	from.snap = snap
	c.from = from
	g.merged.mu.Lock()
	defer g.merged.mu.Unlock()
	if len(g.merged.lists) >= keptMerged {
		clear(g.merged.lists)
	}
	g.merged.lists[key] = c
	return c, nil
}
