// Package gateway is door 2: an MCP proxy that lets a message pass only when
// its sender is known, the server behind it is approved and started as
// approved, the entry it names is the one that was reviewed, the scanners
// have nothing against it, and the record of it is durable.
//
// One message goes through a list of steps (steps.go) that can be read from
// top to bottom and tested one by one; docs/call.md follows them. Bytes are
// forwarded as they came: what is changed is changed by splicing. The package
// must not know how approvals, keys or scanners are made or stored, and it
// never imports the registry.
package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/bartizan-mcp/bartizan/gateway/bridge"
	"github.com/bartizan-mcp/bartizan/gateway/inventory"
	"github.com/bartizan-mcp/bartizan/gateway/seal"
	"github.com/bartizan-mcp/bartizan/gateway/stdio"
	"github.com/bartizan-mcp/bartizan/gateway/strikes"
	"github.com/bartizan-mcp/bartizan/gateway/tasks"
)

// Gateway serves /mcp/<alias>, /mcp, /healthz, /readyz and /metrics. It is an http.Handler;
// Serve adds the limits that only a listener can hold.
type Gateway struct {
	cfg  Config
	log  *slog.Logger
	seal seal.Key

	addresses    *addresses
	replies      *addresses // on their way to servers that are answered in the gateway's own words
	sessions     *sessions
	bridges      *bridge.Servers
	callers      *callers
	listings     *inventory.Store
	local        *stdio.Pool
	routes       *routes
	rulebook     *rulebook
	tasks        *tasks.Ledger
	recollection *recollection
	drift        *driftReporter
	strikes      serverStrikes
	record       *recorder
	merged       *merger
	stats        *stats

	request []grouped     // what a client's message goes through
	inbound []inboundStep // what an upstream's message goes through

	doorway    *doorway
	auditCheck check
	keyCheck   check

	mu     sync.Mutex
	stop   context.CancelFunc
	work   sync.WaitGroup // background loops
	server *http.Server
}

// ErrConfig wraps everything that New has against a Config.
var ErrConfig = errors.New("gateway: configuration refused")

// New makes a gateway. Call Close (or Shutdown) when done with it.
func New(cfg Config) (*Gateway, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	binder, err := newBinder(cfg)
	if err != nil {
		return nil, errors.Join(ErrConfig, err)
	}
	g := &Gateway{cfg: cfg, log: cfg.Logger, seal: seal.NewKey(), doorway: newDoorway(), stats: newStats()}
	if key, ok := seal.KeyOf(cfg.SealKey); ok {
		g.seal = key
	}
	ctx, stop := context.WithCancel(context.Background())
	g.stop = stop
	g.record = &recorder{log: cfg.Audit, slog: cfg.Logger, now: cfg.Now, stats: g.stats}
	g.addresses = newAddresses(cfg.RequestsPerAddress)
	g.replies = newAddresses(repliesAtOnce)
	g.local = stdio.NewPool(stdio.Config{Limits: cfg.Upstream, Processes: cfg.Processes, PerOwner: cfg.ProcessesPerCaller, Idle: cfg.Idle})
	g.sessions = newSessions(cfg)
	g.bridges = g.newBridges()
	g.callers = newCallers(cfg)
	g.listings = inventory.New(inventory.Config{MaxAge: cfg.ListingMaxAge, Limits: cfg.Upstream, Now: cfg.Now, Before: g.beforeListing})
	g.routes = newRoutes(cfg, binder)
	g.rulebook = newRulebook(cfg)
	g.recollection = newRecollection(cfg.Flow)
	g.tasks = tasks.New(cfg.TasksPerCaller, cfg.Now)
	g.drift = newDriftReporter(cfg, g.record)
	g.strikes = serverStrikes{record: g.record, stats: g.stats, log: cfg.Logger, ledger: strikes.New(strikes.Config{
		Limit: cfg.Strikes.Limit, Window: cfg.Strikes.Window, Suspend: cfg.Strikes.Suspend, Now: cfg.Now,
	})}
	g.request, g.inbound = g.steps()
	g.merged = newMerger()
	g.work.Go(func() { g.callers.watch(ctx, g.sessions, g.bridges, g.local, g.recollection) })
	g.work.Go(func() { g.sessions.reap(ctx) })
	return g, nil
}

// ServeHTTP answers one HTTP request. Every path writes a response.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	partWays(w, r)
	switch r.URL.Path { // answered to the end
	case "/healthz":
		plain(w, http.StatusOK, "ok")
		return
	case "/readyz":
		g.ready(w, r)
		return
	}
	if !g.doorway.enter() {
		g.refuseTransport(w, r, refuse(ReasonShuttingDown))
		return
	}
	defer g.doorway.leave()
	out := &tracked{ResponseWriter: w, conn: connOf(r)}
	g.hurryBody(out, r)
	defer drain(r)
	defer g.recoverPanic(out, r)
	switch alias, isMCP := aliasOf(r.URL); {
	case r.URL.Path == "/metrics" && g.cfg.Metrics != nil:
		g.serveMetrics(out, r)
	case isMCP:
		g.serveMCP(out, r, alias)
	case isMerged(r.URL):
		g.serveMCP(out, r, "")
	default:
		g.refuseTransport(out, r, refuse(ReasonPathUnknown))
	}
}

// recoverPanic answers a request whose handling panicked: a fault of ours must
// not become a silent 200, and never an open door.
func (g *Gateway) recoverPanic(w *tracked, r *http.Request) {
	fault := recover()
	if fault == nil {
		return
	}
	if fault == http.ErrAbortHandler {
		panic(fault)
	}
	g.log.ErrorContext(r.Context(), "request handling panicked", "fault", fault)
	if !w.wrote {
		g.refuseTransport(w, r, refuse(ReasonInternal))
		return
	}
	panic(http.ErrAbortHandler) // a stream that began is cut, so that nobody takes it for complete
}
