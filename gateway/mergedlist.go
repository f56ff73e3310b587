package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/gateway/merge"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// checked is one server's list after all inbound steps, names already merged.
type checked struct {
	snap    *inventory.Snapshot // what it was made of
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
	if x.session != nil && next == "" {
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

// latePatience is how long a list waits for a server that the last one waited
// for in vain.
const latePatience = 100 * time.Millisecond

// gather does something with every server at once and gives each its own time,
// so that none is waited for on behalf of the others twice.
func (g *Gateway) gather(ctx context.Context, usable []*exchange, do func(ctx context.Context, i int) *refusal) {
	var work sync.WaitGroup
	for i, y := range usable {
		work.Go(func() {
			name := y.caller.Tenant + " " + y.svc.instance + " " + string(y.spoken)
			g.merged.mu.Lock()
			late := g.merged.late[name]
			g.merged.mu.Unlock()
			own, cancel := context.WithTimeout(ctx, either(late, latePatience, g.cfg.MergePatience))
			defer cancel()
			no := do(own, i)
			if ctx.Err() != nil {
				return // the client left: that says nothing about the server
			}
			g.merged.mu.Lock()
			defer g.merged.mu.Unlock()
			if no == nil {
				delete(g.merged.late, name)
				return
			}
			if !late {
				g.log.WarnContext(ctx, "left out of the merged endpoint", "alias", y.alias, "server", y.svc.approval.Server, "reason", string(no.reason), "cause", no.cause)
			}
			if len(g.merged.late) >= keptMerged {
				clear(g.merged.late)
			}
			g.merged.late[name] = true
		})
	}
	work.Wait()
}

// own takes something of a server's listing through the inbound steps as if
// the server had just answered method with it.
func (g *Gateway) own(ctx context.Context, y *exchange, method string, answer func(*listing.Listing) []byte) (*inbound, *inventory.Snapshot, *refusal) {
	if no := y.ask(method); no != nil {
		return nil, nil, no
	}
	entries := fingerprintEntry{listings: g.listings, drift: g.drift}
	if no := entries.list(ctx, y); no != nil {
		return nil, nil, no
	}
	snap, err := g.listings.Current(ctx, y.listingKey(), y.svc.target)
	if err != nil {
		return nil, nil, refuse(ReasonListing).because(err)
	}
	m, err := jsonrpc.Parse(jsonrpc.NewResult(y.msg.ID, jsontext.Value(answer(snap.Listing))), jsonrpc.Limits{Bytes: ownBytes})
	if err != nil {
		return nil, nil, refuse(ReasonUpstreamProtocol).because(err)
	}
	in := inboundOf(y, m)
	return in, snap, g.inspect(ctx, y, in)
}

// ask makes y the exchange of a request of the gateway's own.
func (y *exchange) ask(method string) *refusal {
	y.method, _ = protocol.Lookup(method)
	y.body = jsonrpc.NewRequest(0, method, nil)
	var err error
	if y.msg, err = jsonrpc.Parse(y.body, jsonrpc.Limits{}); err != nil {
		return refuse(ReasonInternal).because(err)
	}
	return nil
}

// ownBytes bounds the pages of one list together.
const ownBytes = 64 << 20

// checkedList is what a server contributes to a list. It is made once of each
// listing, approval and set of scanners.
func (g *Gateway) checkedList(ctx context.Context, y *exchange, claims *claims, method string) (*checked, *refusal) {
	key := fmt.Sprintf("%q %q %s %d %s %s %q", y.caller.Tenant, y.caller.Kind, approvedAs(y), g.cfg.Scanners.Generation(), y.svc.instance, method, claims.of)
	if snap, err := g.listings.Current(ctx, y.listingKey(), y.svc.target); err == nil {
		g.merged.mu.Lock()
		have, ok := g.merged.lists[key]
		g.merged.mu.Unlock()
		if ok && have.snap == snap {
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
	c.snap = snap
	g.merged.mu.Lock()
	defer g.merged.mu.Unlock()
	if len(g.merged.lists) >= keptMerged {
		clear(g.merged.lists)
	}
	g.merged.lists[key] = c
	return c, nil
}

func listAnswer(member string, entries []jsontext.Value) []byte {
	b := []byte(`{"` + member + `":[`)
	for i, entry := range entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, entry...)
	}
	return append(b, "]}"...)
}

func entriesIn(l *listing.Listing, kind fingerprint.Kind) []jsontext.Value {
	switch kind {
	case fingerprint.KindTool:
		return l.Tools
	case fingerprint.KindPrompt:
		return l.Prompts
	case fingerprint.KindTemplate:
		return l.Templates
	default:
		return l.Resources
	}
}

// renamed gives the entries of a checked list their merged names, and drops
// those that have none: of two servers' resource neither is shown.
func (g *Gateway) renamed(y *exchange, in *inbound, kind fingerprint.Kind, claims *claims) (*checked, *refusal) {
	array, _, _, err := jsonrpc.Get(in.msg.Result, jsontext.Pointer("").AppendToken(in.listOf()))
	if err != nil {
		return nil, refuse(ReasonUpstreamProtocol).because(err)
	}
	elements, err := jsonrpc.Elements(array)
	if err != nil {
		return nil, refuse(ReasonUpstreamProtocol).because(err)
	}
	c := &checked{}
	h := sha256.New()
	for _, e := range elements {
		entry, ok := g.rename(y, e.Value, kind, claims)
		if !ok {
			c.counts.Hidden++
			continue
		}
		c.entries = append(c.entries, bytes.Clone(entry))
		h.Write(strconv.AppendInt(nil, int64(len(entry)), 10))
		h.Write(entry)
	}
	c.digest = [32]byte(h.Sum(nil))
	c.counts.Served = len(c.entries)
	if in.counts != nil {
		c.counts.Hidden += in.counts.Hidden
	}
	return c, nil
}

func (g *Gateway) rename(y *exchange, entry jsontext.Value, kind fingerprint.Kind, claims *claims) (jsontext.Value, bool) {
	switch kind {
	case fingerprint.KindResource:
		alias, err := claims.Resource(jsonrpc.Text(entry, "/uri"))
		return entry, err == nil && alias == y.alias
	case fingerprint.KindTemplate:
		alias, err := claims.Template(jsonrpc.Text(entry, "/uriTemplate"))
		return entry, err == nil && alias == y.alias
	}
	value, start, end, err := jsonrpc.Get(entry, "/name")
	if err != nil {
		return nil, false
	}
	name, err := unquote(value)
	merged, ok := g.merged.namesOf(y, kind).Merged(name)
	if err != nil || !ok {
		return nil, false
	}
	renamed, err := jsonrpc.Splice(entry, jsonrpc.Edit{Start: start, End: end, New: []byte(`"` + merged + `"`)})
	return renamed, err == nil
}
