package gateway

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// counted counts the lookups of keys.
type counted struct {
	identity.KeySource
	n atomic.Int64
}

func (c *counted) Key(ctx context.Context, id string) (identity.KeyRecord, error) {
	c.n.Add(1)
	return c.KeySource.Key(ctx, id)
}

// TestMergedLooksOnce: a call through the merged endpoint asks for its key once,
// and a key that is revoked opens nothing from then on.
func TestMergedLooksOnce(t *testing.T) {
	var source *counted
	h := open(t, func(c *Config) {
		c.AutoRoutes = true
		source = &counted{KeySource: c.Keys}
		c.Keys = source
		c.Recheck = 1 << 40 // which asks, too
	})
	s := h.scripted(false, "srv")["srv"]
	call := func() reply { return h.call("", 1, "tools/call", `{"name":"srv__one"}`) }
	if r := call(); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	before, sent := source.n.Load(), len(s.sent("tools/call"))
	call()
	if got := source.n.Load() - before; got != 1 {
		t.Errorf("the key was looked up %d times", got)
	}
	h.keys.change("alice", revoke)
	call().refused(t, http.StatusUnauthorized, ReasonUnauthenticated)
	if n := len(s.sent("tools/call")) - sent; n != 1 {
		t.Errorf("%d calls arrived, want 1", n)
	}
}
