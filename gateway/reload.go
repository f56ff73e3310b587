package gateway

import (
	"sync"
	"sync/atomic"

	"github.com/bartizan-mcp/bartizan/internal/policy"
	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

// routeTable is what an operator configured of routes.
type routeTable struct {
	routes []Route
	auto   bool

	mu     sync.Mutex
	remote map[string]*service // made from it so far, by alias
}

// Prepare checks new routes, limits of local servers and policies and returns what puts
// them in force; until that is called nothing changes, and it cannot fail.
// Calls under way go on where they are; streams and sessions of a route that
// changed end. The limits hold for processes started afterwards.
func (g *Gateway) Prepare(routes []Route, auto bool, limits confine.Limits, policies *policy.Set) (apply func(), err error) {
	cfg := g.cfg
	cfg.Routes = append([]Route(nil), routes...)
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	upstreams := g.cfg.Upstream
	upstreams.Process = limits
	return func() {
		g.local.SetLimits(upstreams)
		g.listings.SetLimits(upstreams)
		g.rulebook.set.Store(policies)
		g.routes.table.Store(&routeTable{routes: cfg.Routes, auto: auto})
	}, nil
}

func newRoutes(cfg Config, b *binder) *routes {
	r := &routes{cfg: cfg, binder: b, table: &atomic.Pointer[routeTable]{}}
	r.table.Store(&routeTable{routes: cfg.Routes, auto: cfg.AutoRoutes})
	return r
}
