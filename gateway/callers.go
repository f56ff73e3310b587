package gateway

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/gateway/bridge"
	"github.com/bartizan-mcp/bartizan/gateway/stdio"
	"github.com/bartizan-mcp/bartizan/internal/approval"
)

// Why the gateway cuts an exchange short.
var (
	errKeyRevoked = errors.New("the key is no longer in force")
	errWithdrawn  = errors.New("the approval is no longer in force")
	errStopping   = errors.New("the gateway is shutting down")
	errSilent     = errors.New("the upstream fell silent")
	errTooLong    = errors.New("the upstream took too long")
)

// callers knows every exchange under way, so that a revoked key or a withdrawn
// approval ends open streams too, not only the next request.
type callers struct {
	cfg Config

	mu   sync.Mutex
	held map[*holder]struct{}
}

// holder is one exchange under way.
type holder struct {
	keyID   string
	endless bool        // a stream that ends only when somebody ends it
	needed  func() bool // an endless one that a call under way depends on; nil = never
	allowed func() bool // still approved
	cancel  context.CancelCauseFunc
}

func newCallers(cfg Config) *callers {
	return &callers{cfg: cfg, held: map[*holder]struct{}{}}
}

func (c *callers) hold(h *holder) (release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held[h] = struct{}{}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.held, h)
	}
}

func (c *callers) all() []*holder {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]*holder, 0, len(c.held))
	for h := range c.held {
		list = append(list, h)
	}
	return list
}

// watch looks up the keys of everything open, every Recheck. A key that cannot
// be looked up counts as revoked.
func (c *callers) watch(ctx context.Context, sessions *sessions, bridges *bridge.Servers, local *stdio.Pool, marks *recollection) {
	ticker := time.NewTicker(c.cfg.Recheck)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		held := c.all()
		var dead []string
		for _, id := range slices.Concat(bridges.KeyIDs(), keysOf(held, sessions), marks.keyIDs()) {
			if !c.alive(ctx, id) {
				dead = append(dead, id)
			}
		}
		for _, h := range held {
			switch {
			case slices.Contains(dead, h.keyID):
				h.cancel(errKeyRevoked)
			case !h.allowed():
				h.cancel(errWithdrawn)
			}
		}
		withdrawn := c.withdrawn()
		sessions.closeIf(func(s *session) bool {
			return slices.Contains(dead, s.keyID) || s.server != "" && withdrawn(s.server)
		})
		bridges.CloseIf(func(k bridge.Key) bool { return slices.Contains(dead, k.KeyID) || withdrawn(k.Server) })
		local.CloseIf(withdrawn)
		marks.forget(c.cfg.Tenant, c.cfg.Now(), dead, withdrawn)
	}
}

// withdrawn tells of servers whether their approval has ended, so that none of
// them runs or is listened to until its sessions are idle for long enough.
// Approvals that cannot be read now say nothing of it: every request is refused.
func (c *callers) withdrawn() func(server string) bool {
	known := map[string]bool{}
	return func(server string) bool {
		gone, ok := known[server]
		if !ok {
			a, err := c.cfg.Approvals.Find(server)
			gone = errors.Is(err, approval.ErrNotApproved) || err == nil && a.Tenant != c.cfg.Tenant
			known[server] = gone
		}
		return gone
	}
}

func keysOf(held []*holder, sessions *sessions) []string {
	ids := sessions.keyIDs()
	for _, h := range held {
		if !slices.Contains(ids, h.keyID) {
			ids = append(ids, h.keyID)
		}
	}
	return ids
}

func (c *callers) alive(ctx context.Context, id string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	rec, err := c.cfg.Keys.Key(ctx, id)
	return err == nil && rec.Revoked == nil && c.cfg.Now().Before(rec.Expires)
}

// closeStreams ends the streams that have no end of their own, but for those of
// sessions with a call under way: clients take the end of such a stream for the
// end of the session.
func (c *callers) closeStreams() {
	for _, h := range c.all() {
		if h.endless && (h.needed == nil || !h.needed()) {
			h.cancel(errStopping)
		}
	}
}

// closeAll ends everything.
func (c *callers) closeAll() {
	for _, h := range c.all() {
		h.cancel(errStopping)
	}
}

// stillApproved asks again, without a client message, whether the exchange's
// server is approved as it was. Where its alias leads by now does not matter to
// a call under way.
func (g *Gateway) stillApproved(x *exchange) func() bool {
	return func() bool {
		a, err := g.cfg.Approvals.Find(x.svc.approval.Server)
		return err == nil && a.Digest == x.svc.approval.Digest && a.Tenant == x.caller.Tenant
	}
}

// stillRouted asks that of a stream, whose alias must also lead where it did.
func (g *Gateway) stillRouted(x *exchange) func() bool {
	return func() bool {
		svc, no := g.routes.resolve(x.alias, x.caller.Tenant)
		return no == nil && svc.instance == x.svc.instance && svc.approval.Digest == x.svc.approval.Digest
	}
}
