package gateway

import (
	"context"
	"errors"
	"sync"

	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/gateway/uritemplate"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// fingerprintEntry (step 5) holds the entry that a request names against the
// approval, as the server lists it to the gateway itself right now.
type fingerprintEntry struct {
	listings *inventory.Store
	drift    *driftReporter
}

func (s fingerprintEntry) do(ctx context.Context, x *exchange) *refusal {
	refs, no := namedBy(x)
	if no != nil || len(refs) == 0 {
		return no
	}
	if no := s.list(ctx, x); no != nil {
		return no
	}
	for _, ref := range refs {
		o, ok := find(x.listed, ref)
		if no := s.judge(x, o, ok); no != nil {
			return no
		}
		x.entry = o
	}
	if x.method.Name == protocol.MethodToolsCall {
		x.readOnly = x.svc.readOnly[x.ref.Key]
		if x.era == protocol.Modern {
			return checkParamHeaders(x)
		}
	}
	return nil
}

// namedBy lists the entries that a request addresses.
func namedBy(x *exchange) ([]inventory.Ref, *refusal) {
	switch x.msg.Method {
	case protocol.MethodResourcesUnsubscribe, protocol.MethodTasksCancel: // less, never more: always let through
		return nil, nil
	case protocol.MethodSubscriptionsListen:
		if x.msg.Params == nil {
			return nil, refuse(ReasonInvalidParams)
		}
		uris, ok := subscribed(x.msg.Params)
		if !ok {
			return nil, refuse(ReasonInvalidParams)
		}
		var refs []inventory.Ref
		for _, uri := range uris {
			refs = append(refs, inventory.Ref{Kind: fingerprint.KindResource, Key: uri})
		}
		return refs, nil
	}
	if x.ref.Kind == 0 {
		return nil, nil
	}
	return []inventory.Ref{x.ref}, nil
}

// list attaches the current listing, compared with the approval.
func (s fingerprintEntry) list(ctx context.Context, x *exchange) *refusal {
	snap, err := s.listings.Current(ctx, x.listingKey(), x.svc.target)
	switch {
	case errors.Is(err, upstream.ErrEra) && x.bridged():
		return refuse(ReasonListing).because(err) // approved in an era that it no longer speaks
	case errors.Is(err, upstream.ErrEra) && x.era == protocol.Modern:
		return unsupported(protocol.VersionModern, protocol.LegacyVersions)
	case errors.Is(err, upstream.ErrEra):
		return unsupported(x.version, []string{protocol.VersionModern})
	case errors.Is(err, upstream.ErrBound), errors.Is(err, upstream.ErrPin):
		return refuse(reasonOf(err)).because(err)
	case err != nil:
		return refuse(ReasonListing).because(err)
	}
	x.listed = snap.Compare(x.svc.approved[x.spoken])
	return s.drift.observe(ctx, x)
}

// judge turns an entry's state into a refusal.
func (s fingerprintEntry) judge(x *exchange, o inventory.Observed, listed bool) *refusal {
	if !listed {
		no := refuse(ReasonEntryUnknown)
		if x.method.Name == protocol.MethodResourcesRead {
			no.uri = x.ref.Key
		}
		return no
	}
	switch o.State {
	case inventory.Same:
		return nil
	case inventory.Added:
		return refuse(ReasonEntryNotApproved)
	case inventory.Duplicate:
		return refuse(ReasonEntryDuplicate)
	default:
		no := refuse(ReasonEntryDrifted)
		no.pointers = s.drift.pointersFor(x, o)
		return no
	}
}

// find looks an entry up. A resource that is not listed itself may be an
// expansion of a listed template; of several, one that is unchanged counts.
func find(c *inventory.Comparison, ref inventory.Ref) (inventory.Observed, bool) {
	if o, ok := c.Lookup(ref); ok {
		return o, true
	}
	if ref.Kind != fingerprint.KindResource && ref.Kind != fingerprint.KindTemplate {
		return inventory.Observed{}, false
	}
	if o, ok := c.Lookup(inventory.Ref{Kind: fingerprint.KindResource, Key: ref.Key}); ok {
		return o, true
	}
	var found inventory.Observed
	for o := range c.All {
		if o.Kind == fingerprint.KindTemplate && found.State != inventory.Same && templates.match(o.Key, ref.Key) {
			found = o
		}
	}
	return found, found.State != 0
}

// templates remembers compiled templates; the listing bounds how many matter.
var templates = templateCache{compiled: map[string]*uritemplate.Template{}}

type templateCache struct {
	mu       sync.Mutex
	compiled map[string]*uritemplate.Template // nil: not usable, matches nothing
}

func (c *templateCache) match(template, uri string) bool {
	c.mu.Lock()
	t, ok := c.compiled[template]
	if !ok {
		if len(c.compiled) >= 4096 {
			clear(c.compiled)
		}
		t, _ = uritemplate.Parse(template)
		c.compiled[template] = t
	}
	c.mu.Unlock()
	return t != nil && t.Match(uri)
}

// checkParamHeaders compares the Mcp-Param-* headers with the arguments that
// the tool's schema declares to be mirrored there ("x-mcp-header").
func checkParamHeaders(x *exchange) *refusal {
	schema, _, _, err := jsonrpc.Get(x.entry.Raw, "/inputSchema")
	if err != nil {
		return nil
	}
	arguments, _, _, err := jsonrpc.Get(x.msg.Raw, "/params/arguments")
	if err != nil {
		arguments = nil
	}
	if !paramsMatch(x.header, schema, arguments) {
		return refuse(ReasonHeaderMismatch)
	}
	return nil
}
