package gateway

import (
	"context"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

// latePatience is how long a list waits for a server that the last one waited
// for in vain.
const latePatience = 100 * time.Millisecond

// gather does something with every server at once and gives each its own time,
// so that none is waited for on behalf of the others twice.
func (g *Gateway) gather(ctx context.Context, usable []*exchange, do func(ctx context.Context, i int) *refusal) {
	var work sync.WaitGroup
	for i, y := range usable {
		work.Go(func() {
			g.survive(ctx, func() { g.inTime(ctx, y, func(ctx context.Context) *refusal { return do(ctx, i) }) })
		})
	}
	work.Wait()
}

// inTime does something with one server, and notes whether it was in time.
func (g *Gateway) inTime(ctx context.Context, y *exchange, do func(context.Context) *refusal) {
	name := y.caller.Tenant + " " + y.svc.instance + " " + string(y.spoken)
	g.merged.mu.Lock()
	late := g.merged.late[name]
	g.merged.mu.Unlock()
	own, cancel := context.WithTimeout(ctx, either(late, latePatience, g.cfg.MergePatience))
	defer cancel()
	no := do(own)
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
