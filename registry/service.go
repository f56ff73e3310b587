package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/blob"
	"github.com/bartizan-mcp/bartizan/internal/egress"
	"github.com/bartizan-mcp/bartizan/internal/store"
	"github.com/bartizan-mcp/bartizan/internal/tree"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
	"github.com/bartizan-mcp/bartizan/registry/probe"
	"github.com/bartizan-mcp/bartizan/registry/secrets"
)

// Limits of what a publication may hold, in bytes.
const (
	MaxArtifact = 256 << 20
	MaxListing  = 16 << 20
	MaxBundles  = 16
	MaxEvidence = 16 << 20
)

// Lifetimes.
const (
	ApprovalLifetime = 90 * 24 * time.Hour // of an approval, and the longest of a waiver
	AttachWindow     = 24 * time.Hour      // in which bundles move an unsigned version on by themselves
)

// Config is what the service works with. Everything but the last fields, from Secrets on,
// is required.
type Config struct {
	DataDir string // registry.db and the snapshot anchors live here, owner-only
	Blobs   *blob.Store
	Audit   *audit.Log
	// TrustPath is read anew for every decision, so that a rotation counts at once.
	TrustPath string
	// The signers are keys of this process, or Shown.
	ApprovalSigner attest.Signer
	SnapshotSigner attest.Signer
	SBOMSigner     attest.Signer // countersigns SBOMs; a third key
	Scanners       *engine.Live  // nil: listings stay unscanned, and unapproved

	// Secrets looks for credentials in what is published; nil: nobody looked, and
	// the checklist says so.
	Secrets      *secrets.Finder
	TrustedRoots *attest.Roots // for signers known by certificate; nil: keys only
	// Probe starts local servers in isolation; nil: their listings are supplied.
	Probe *probe.Prober
	// ProbeRequired refuses local servers that were not probed.
	ProbeRequired bool

	LoopbackUpstreams bool          // capture listings from loopback addresses too
	Ownership         Ownership     // how namespaces are proven; zero: by an admin's word only
	Resolver          *net.Resolver // asked for the names of what is captured; nil: the system's
	Supply            Supply        // what is demanded of components; the zero value is the default
	Logger            *slog.Logger
	Now               func() time.Time
}

// Service is door 1. It is safe for concurrent use.
type Service struct {
	Config
	db        *sql.DB
	busy      locks // one publication or decision per version at a time
	feed      feed
	snapshots snapshots
	upstream  upstream.Target // template of the guarded capture client
	owed      debt
	shelf     shelf
	nudged    chan struct{}

	// failpoint is called with the name of each step once it is done; tests
	// make it panic to stand for a kill at that point.
	failpoint func(step string)
}

// Open opens the registry under cfg.DataDir and finishes the publications that
// an earlier process left between two steps.
func Open(ctx context.Context, cfg Config, opts ...store.Option) (*Service, error) {
	if cfg.Blobs == nil || cfg.Audit == nil || cfg.ApprovalSigner == nil || cfg.SnapshotSigner == nil || cfg.SBOMSigner == nil || cfg.TrustPath == "" || cfg.DataDir == "" {
		return nil, errors.New("registry: incomplete configuration")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := cfg.Supply.fill(); err != nil {
		return nil, err
	}
	sub, err := migrationFiles()
	if err != nil {
		return nil, err
	}
	// What a killed process was unpacking is nobody's.
	work := filepath.Join(cfg.DataDir, scratch)
	if err := errors.Join(tree.Remove(work), os.MkdirAll(work, 0o700)); err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	db, err := store.Open(filepath.Join(cfg.DataDir, "registry.db"), sub, opts...)
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	s := &Service{Config: cfg, db: db, failpoint: func(string) {}, nudged: make(chan struct{}, 1)}
	s.shelf = shelf{dir: filepath.Join(cfg.DataDir, "vulnerabilities"), source: cfg.Supply.Database, statements: cfg.Supply.Statements, now: cfg.Now, logger: cfg.Logger}
	// Private networks are where internal MCP servers live.
	s.upstream.Client = egress.Policy{Loopback: cfg.LoopbackUpstreams, Private: true}.Client(cfg.Resolver)
	s.snapshots.service = s
	if err := s.snapshots.open(filepath.Join(cfg.DataDir, "snapshots")); err != nil {
		db.Close()
		return nil, err
	}
	if err := errors.Join(s.shelf.open(ctx), s.resume(ctx)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close releases the database. Requests must have ended.
func (s *Service) Close() error { return errors.Join(s.shelf.close(), s.db.Close()) }

// Run signs a fresh snapshot of every tenant before the last one ages, and
// judges versions again when what their verdicts rest on changed, until the
// context ends.
func (s *Service) Run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { s.watch(ctx) })
	tick := time.NewTicker(approval.SnapshotEvery * 2 / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = s.settle(ctx) // or the next time
			tenants, err := s.tenants(ctx)
			if err != nil {
				s.Logger.ErrorContext(ctx, "list tenants", "error", err)
				continue
			}
			for _, tenant := range tenants {
				if err := s.snapshots.issue(ctx, tenant); err != nil {
					s.Logger.ErrorContext(ctx, "sign snapshot", "tenant", tenant, "error", err)
				}
			}
		}
	}
}

// Ready reports whether the service can answer: database and trust. The audit
// log is not asked, since everything but a change goes on without it.
func (s *Service) Ready(ctx context.Context) error {
	if err := s.db.PingContext(ctx); err != nil {
		return classify(store.Classify(err))
	}
	if _, err := s.trust(); err != nil {
		return err
	}
	return nil
}

// trust loads the trust document in force.
func (s *Service) trust() (*approval.Trust, error) {
	t, err := approval.LoadTrust(s.TrustPath)
	if err != nil {
		s.Logger.Error("load trust", "error", err)
		return nil, refuse(ErrUnavailable, RefusedSigning, "the trust document cannot be used")
	}
	if !s.Now().Before(t.Expires) {
		return nil, refuse(ErrUnavailable, RefusedSigning, "the trust document expired")
	}
	return t, nil
}

// record appends an event and turns a log that cannot be written into a refusal.
func (s *Service) record(ctx context.Context, e *audit.Event) error {
	if err := s.settle(ctx); err != nil {
		return classify(err)
	}
	_, err := s.Audit.Append(ctx, e)
	return classify(err)
}

// tx runs fn in one transaction; see store.Tx.
func (s *Service) tx(ctx context.Context, fn func(*sql.Tx) error) error {
	return classify(store.Tx(ctx, s.db, fn))
}

// view runs fn on one consistent picture of the database.
func (s *Service) view(ctx context.Context, fn func(*sql.Tx) error) error {
	return classify(store.View(ctx, s.db, fn))
}
