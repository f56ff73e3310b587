// Package gatewayrun starts door 2 for both binaries: the keeper that follows
// a registry, the gateway over it and its listener. It knows configuration and
// wiring, and takes the registry only as the small interfaces that the gateway
// and the keeper declare, so that bartizan-gateway links no registry.
package gatewayrun

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/cmd/internal/metrics"
	"github.com/bartizan-mcp/bartizan/cmd/internal/scanners"
	"github.com/bartizan-mcp/bartizan/cmd/internal/tracing"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/gateway"
	"github.com/bartizan-mcp/bartizan/gateway/trace"
	"github.com/bartizan-mcp/bartizan/gateway/trees"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

// Parts are what a gateway is started with.
type Parts struct {
	Config config.Config
	// ConfigFile is where it was read from, if anywhere: it may hold tokens.
	ConfigFile string
	TrustPath  string
	Source     approval.Source
	Keys       identity.KeySource
	// Artifacts is where artifact-bound servers come from.
	Artifacts trees.Source
	// KeysReady reports why keys cannot be checked, nil if they can.
	KeysReady func(context.Context) error
	Scanners  *engine.Live
	Audit     *audit.Log
	Logger    *slog.Logger
	Version   string // of this program
	// Follow calls notify whenever the registry's approvals changed, until the
	// context ends: the keeper then refreshes at once instead of at its next poll.
	Follow func(ctx context.Context, notify func())
	// OnDrift tells the registry what was observed.
	OnDrift func(context.Context, gateway.Drift)
}

// Running is a started gateway.
type Running struct {
	URL      string
	Keeper   *approval.Keeper
	gateway  *gateway.Gateway
	listener net.Listener
	follow   func(context.Context, func())
	spans    *tracing.Sender
	log      *slog.Logger

	certificate *certificate
	config      atomic.Pointer[config.Config]
}

// Start makes the gateway and its listener. Serve answers requests.
func Start(ctx context.Context, p Parts) (*Running, error) {
	c := p.Config.Gateway
	if err := recordUnsafe(ctx, p); err != nil {
		return nil, err
	}
	keeper, err := approval.NewKeeper(approval.KeeperConfig{
		TrustPath:  p.TrustPath,
		StateDir:   filepath.Join(p.Config.Data, "gateway"),
		Tenant:     p.Config.Tenant,
		Source:     patient{p.Source, patience},
		Grace:      keeperGrace(c.SnapshotGrace),
		MinBinding: approval.Binding(c.MinBinding),
		OnEvent:    keeperEvents(p),
	})
	if err != nil {
		return nil, err
	}
	if err := keeper.Refresh(ctx); err != nil {
		p.Logger.WarnContext(ctx, "no current snapshot yet; everything is denied", "error", err)
	}
	var client *http.Client
	if c.Upstream.Roots != "" {
		if client, err = upstream.ClientOf(c.Upstream.Roots); err != nil {
			return nil, fmt.Errorf("gateway.upstream.roots: %w", err)
		}
	}
	spans, err := tracing.Start(ctx, p.Config.Tracing, p.Version, p.Logger)
	if err != nil {
		return nil, err
	}
	policies, err := loadPolicies(c.Policies)
	if err != nil {
		return nil, errors.Join(err, spans.Close(ctx))
	}
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return nil, errors.Join(err, spans.Close(ctx))
	}
	var g *gateway.Gateway // asked for its counters once it serves
	counters := metrics.Door{Stats: func() gateway.Stats { return g.Stats() }, Issued: keeper.Issued, Spans: spans.Counts}
	g, err = gateway.New(gateway.Config{
		Tenant:         p.Config.Tenant,
		Approvals:      keeper,
		Keys:           p.Keys,
		KeysReady:      p.KeysReady,
		Scanners:       p.Scanners,
		Audit:          p.Audit,
		Routes:         routes(c.Servers),
		AutoRoutes:     c.AutoRoutes,
		MinBinding:     approval.Binding(c.MinBinding),
		Trees:          treesOf(p),
		Client:         client,
		UnsafeRun:      c.UnsafeRun,
		BlockStatus:    c.BlockStatus,
		MergePatience:  c.MergePatience,
		Strikes:        gateway.Strikes(c.Strikes),
		Policies:       policies,
		TimeZone:       zone,
		OnDrift:        p.OnDrift,
		Metrics:        metrics.Handler(p.Scanners, counters),
		Tracer:         tracer(spans, p.Config.Tracing.Propagate),
		Upstream:       upstream.Limits{CallTimeout: c.Upstream.CallTimeout, Process: processLimits(c.Local)},
		SilenceTimeout: c.Upstream.SilenceTimeout,
		AnswerTimeout:  c.Upstream.AnswerTimeout,
		Logger:         p.Logger,
	})
	if err != nil {
		return nil, errors.Join(err, spans.Close(ctx))
	}
	cert := &certificate{}
	listener, url, err := listen(c, cert)
	if err != nil {
		return nil, errors.Join(err, g.Close(), spans.Close(ctx))
	}
	r := &Running{URL: url, Keeper: keeper, gateway: g, listener: listener, follow: p.Follow, spans: spans, log: p.Logger, certificate: cert}
	r.config.Store(&p.Config)
	return r, nil
}

// Serve answers requests until the context ends, then lets those under way
// finish. Until the last one has, approvals and keys are followed.
func (r *Running) Serve(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var work sync.WaitGroup
	work.Go(func() { r.Keeper.Run(background) })
	work.Go(func() { r.follow(background, r.Keeper.Notify) })
	failed := make(chan error, 1)
	go func() { failed <- r.gateway.Serve(r.listener) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.grace())
		defer cancel()
		r.log.InfoContext(ctx, "draining", "grace", r.grace())
		err = r.gateway.Shutdown(drain)
		<-failed
		if errors.Is(err, context.DeadlineExceeded) { // an end like any other: each call has its outcome
			r.log.WarnContext(ctx, "calls were cut off")
			err = nil
		}
	}
	stop()
	work.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	err = errors.Join(err, r.gateway.Close())
	r.flush(context.WithoutCancel(ctx))
	return err
}

// lastSpans is how long the end waits for the receiver of spans.
const lastSpans = 3 * time.Second

func (r *Running) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lastSpans)
	defer cancel()
	if err := r.spans.Close(ctx); err != nil {
		r.log.WarnContext(ctx, "tracing", "error", err)
	}
}

// tracer is nil where nobody takes spans.
func tracer(spans *tracing.Sender, propagate bool) *trace.Tracer {
	if provider := spans.Provider(); provider != nil {
		return trace.New(provider, propagate)
	}
	return nil
}

// recordUnsafe audits every option that weakens a check before it takes effect.
func recordUnsafe(ctx context.Context, p Parts) error {
	used := map[string]bool{
		"gateway.unsafeRun":       p.Config.Gateway.UnsafeRun,
		"gateway.unsafePlaintext": p.Config.Gateway.UnsafePlaintext,
		"tracing.unsafePlaintext": p.Config.Tracing.UnsafePlaintext,
	}
	for _, option := range slices.Sorted(maps.Keys(used)) {
		if !used[option] {
			continue
		}
		p.Logger.WarnContext(ctx, "a check is weakened", "option", option)
		if _, err := p.Audit.Append(ctx, audit.UnsafeUsed(Origin(p.Config.Tenant), option, "")); err != nil {
			return fmt.Errorf("%s cannot be used unaudited: %w", option, err)
		}
	}
	return scanners.RecordUnsafe(ctx, p.Config.Scanners, Origin(p.Config.Tenant), p.Audit, p.Logger)
}

// processLimits translates what an operator calls no limit.
func processLimits(l config.Local) confine.Limits {
	return confine.Limits{
		MemoryBytes: orNone(int64(l.MemoryBytes)), AddressBytes: orNone(int64(l.AddressBytes)), CPU: orNone(l.CPUTime),
		Files: orNone(l.OpenFiles), Processes: orNone(l.Processes),
	}
}

// treesOf says where trees are, and keeps the servers that start from them off
// everything that is the gateway's own: keys, tokens, the audit log.
func treesOf(p Parts) gateway.Trees {
	closed := []string{p.Config.Data}
	for _, path := range []string{p.Config.AuditPath(), p.ConfigFile, p.Config.Gateway.TLSKey, p.Config.Tracing.Headers} {
		// A device that events go to is nobody's secret.
		if info, err := os.Stat(path); err == nil && (info.IsDir() || info.Mode().IsRegular()) {
			closed = append(closed, path)
		}
	}
	return gateway.Trees{Dir: filepath.Join(p.Config.Data, "gateway", "trees"), Source: p.Artifacts, Closed: closed}
}

func orNone[T int | int64 | time.Duration](set T) T {
	if set == 0 {
		return -1
	}
	return set
}

// keeperGrace translates a grace that the operator set to none, which a zero
// does not mean to the keeper.
func keeperGrace(set time.Duration) time.Duration {
	if set == 0 {
		return -1
	}
	return set
}

// Origin is the gateway of a tenant, where it acts of its own accord.
func Origin(tenant string) audit.Origin {
	return audit.Origin{Caller: identity.Caller{
		Tenant: tenant, Principal: "gateway", Kind: identity.KindService, Roles: []string{identity.RoleGateway},
	}}
}

// keeperEvents shows an operator what the keeper reports, and records what it
// refused.
func keeperEvents(p Parts) func(context.Context, approval.KeeperEvent) {
	return func(ctx context.Context, e approval.KeeperEvent) {
		level := slog.LevelInfo
		if e.Err != nil {
			level = slog.LevelWarn
		}
		attrs := []slog.Attr{slog.String("event", e.Kind)}
		if e.Sequence > 0 {
			attrs = append(attrs, slog.Uint64("sequence", e.Sequence))
		}
		if e.Server != "" {
			attrs = append(attrs, slog.String("server", e.Server), slog.String("version", e.Version))
		}
		if e.Err != nil {
			attrs = append(attrs, slog.Any("error", e.Err))
		}
		p.Logger.LogAttrs(ctx, level, "approvals", attrs...)
		var record *audit.Event
		switch e.Kind {
		case approval.EventTrustRefused, approval.EventSnapshotRefused, approval.EventApprovalRefused,
			approval.EventSnapshotGrace, approval.EventSnapshotExpired, approval.EventStateFailed:
			record = audit.SnapshotRefused(p.Config.Tenant, e.Kind, e.Sequence)
		case approval.EventTrustAccepted:
			record = audit.TrustChanged(Origin(p.Config.Tenant), e.TrustVersion, e.Digest)
		default:
			return
		}
		if _, err := p.Audit.Append(ctx, record); err != nil {
			p.Logger.ErrorContext(ctx, "audit", "error", err)
		}
	}
}

func routes(servers []config.Server) []gateway.Route {
	all := make([]gateway.Route, 0, len(servers))
	for _, s := range servers {
		target := upstream.Target{Command: s.Command, Dir: s.Dir, URL: s.URL, Pin: s.Pin, Header: http.Header{}}
		if s.Transport != config.TransportHTTP {
			target.Transport = s.Transport
		}
		for _, name := range slices.Sorted(maps.Keys(s.Env)) {
			target.Env = append(target.Env, name+"="+s.Env[name])
		}
		for name, value := range s.Headers {
			target.Header.Set(name, value)
		}
		all = append(all, gateway.Route{Alias: s.Alias, Server: s.Server, Target: target, MinBinding: approval.Binding(s.MinBinding)})
	}
	return all
}

func listen(c config.Gateway, in *certificate) (net.Listener, string, error) {
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return nil, "", err
	}
	if c.TLSCert == "" {
		return l, "http://" + l.Addr().String(), nil
	}
	cert, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, "", errors.Join(err, l.Close())
	}
	in.current.Store(&cert)
	return tls.NewListener(l, &tls.Config{
		GetCertificate: in.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	}), "https://" + l.Addr().String(), nil
}
