package gateway

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Why the gateway is not ready, told on this machine only.
const (
	missingDrain     = "draining: calls under way finish, new ones belong elsewhere"
	missingAudit     = "the audit log cannot be written"
	missingApprovals = "no snapshot of approvals is verified and fresh"
	missingScanners  = "the scanners in force have not passed their self-test"
	missingKeys      = "API keys cannot be checked"
)

// ready tells a load balancer whether calls can pass. No single upstream counts:
// a dead one is its callers' matter.
func (g *Gateway) ready(w http.ResponseWriter, r *http.Request) {
	missing := g.missing(r.Context())
	switch {
	case len(missing) == 0:
		plain(w, http.StatusOK, "ready")
	case onThisMachine(r):
		plain(w, http.StatusServiceUnavailable, strings.Join(missing, "\n"))
	default:
		plain(w, http.StatusServiceUnavailable, "not ready")
	}
}

// missing lists what keeps calls from passing.
func (g *Gateway) missing(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, keyPatience)
	defer cancel()
	var missing []string
	for _, need := range []struct {
		met  bool
		text string
	}{
		{!g.doorway.isDraining(), missingDrain},
		{g.auditCheck.ok(ctx, g.cfg.Audit.Check), missingAudit},
		{g.routes.fresh() == nil, missingApprovals},
		{g.cfg.Scanners.Tested(), missingScanners},
		{g.keyCheck.ok(ctx, g.cfg.KeysReady), missingKeys},
	} {
		if !need.met {
			missing = append(missing, need.text)
		}
	}
	return missing
}

// check asks one at a time and not too often: /readyz is open to everybody, and
// asking may cost a write or a query.
type check struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

// How long an answer stands: whoever starts or recovers is not kept waiting.
const (
	goodFor = time.Second
	badFor  = 100 * time.Millisecond
)

func (c *check) ok(ctx context.Context, ask func(context.Context) error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) >= either(c.err == nil, goodFor, badFor) {
		c.err = ask(ctx)
		c.at = time.Now()
	}
	return c.err == nil
}
