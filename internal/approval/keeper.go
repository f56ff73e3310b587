package approval

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Source is where a Keeper gets its documents: a registry in the same process
// or a client of a remote one. Nothing it says is believed unsigned.
type Source interface {
	// Snapshot returns the newest snapshot bundle.
	Snapshot(ctx context.Context) ([]byte, error)
	// Approval returns the approval bundle whose bytes have this hex SHA-256.
	Approval(ctx context.Context, digest string) ([]byte, error)
}

// KeeperConfig configures a Keeper.
type KeeperConfig struct {
	TrustPath string // trust.json as the operator installed it
	StateDir  string // the Keeper's own, made with mode 0700
	Tenant    string // DefaultTenant if empty
	Source    Source
	// Grace is how long approvals live on past the snapshot's expiry:
	// DefaultGrace if 0, none if negative.
	Grace      time.Duration
	Interval   time.Duration // between polls of Run; DefaultInterval if 0
	MinBinding Binding       // weaker approvals are not admitted; "" admits all
	// Now is the wall clock, Uptime a clock that cannot be set. Both have
	// defaults.
	Now    func() time.Time
	Uptime func() time.Duration
	// OnEvent is told what an operator must see; it must not call Refresh.
	OnEvent func(context.Context, KeeperEvent)
}

// Keeper follows a Source and answers what is approved now. Find, FindVersion
// and All take no lock. It fails closed: whatever it cannot verify is not
// approved.
type Keeper struct {
	c     KeeperConfig
	store store
	wake  chan struct{}
	view  atomic.Pointer[view]

	mu       sync.Mutex // serialises refreshes; guards what follows
	state    *state
	trust    *Trust
	seenFile string // digest of the trust file as last read
	fileErr  error  // why that file was refused
	verified map[string]*Approval
	failed   map[string]error // listed digests that could not be admitted
	told     map[string]string
	phase    phase
}

// NewKeeper loads the trust file and the state of earlier runs. A first run
// trusts the file that the operator installed; later ones accept only what
// follows from it. Damaged state, a trust file that is older than the accepted
// one or does not follow from it: an error, never a silent reset. A snapshot
// from an earlier run serves at once, within its time.
func NewKeeper(c KeeperConfig) (*Keeper, error) {
	if c.Tenant == "" {
		c.Tenant = DefaultTenant
	}
	if c.Interval <= 0 {
		c.Interval = DefaultInterval
	}
	switch {
	case c.Grace == 0:
		c.Grace = DefaultGrace
	case c.Grace < 0:
		c.Grace = 0
	}
	if c.Source == nil {
		return nil, fmt.Errorf("%w: none configured", ErrSource)
	}
	if !c.MinBinding.Minimum() {
		return nil, fmt.Errorf("%w: unknown minimum %q", ErrBinding, c.MinBinding)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Uptime == nil {
		start := time.Now()
		c.Uptime = func() time.Duration { return time.Since(start) }
	}
	k := &Keeper{
		c: c, store: store{c.StateDir}, wake: make(chan struct{}, 1),
		verified: map[string]*Approval{}, failed: map[string]error{}, told: map[string]string{},
	}
	if err := k.open(); err != nil {
		return nil, err
	}
	return k, nil
}

// Run refreshes at once, then at every interval and whenever Notify is called,
// until the context ends.
func (k *Keeper) Run(ctx context.Context) {
	tick := time.NewTicker(k.c.Interval)
	defer tick.Stop()
	for {
		bounded, cancel := context.WithTimeout(ctx, max(k.c.Interval, 10*time.Second))
		_ = k.Refresh(bounded) // every failure is an event
		cancel()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-k.wake:
		}
	}
}

// Notify makes Run refresh now. It never blocks.
func (k *Keeper) Notify() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Find returns the newest version of the server that is approved, listed and in
// force. Errors: ErrNotApproved (with the reason of the newest one, if any),
// ErrSnapshotExpired, ErrTrustExpired.
func (k *Keeper) Find(server string) (*Approval, error) {
	return k.find(server, anyVersion)
}

// FindVersion is Find for one version.
func (k *Keeper) FindVersion(server, version string) (*Approval, error) {
	return k.find(server, func(a *Approval) bool { return a.Version == version })
}

func (k *Keeper) find(server string, pick func(*Approval) bool) (*Approval, error) {
	v := k.view.Load()
	now, err := v.live(k.c.Now(), k.c.Uptime())
	if err != nil {
		return nil, err
	}
	return v.find(server, now, k.c.MinBinding, pick)
}

// All returns what Find returns for every server, by server name. It is empty
// when nothing may be used.
func (k *Keeper) All() []*Approval {
	v := k.view.Load()
	now, err := v.live(k.c.Now(), k.c.Uptime())
	if err != nil {
		return nil
	}
	var out []*Approval
	for _, s := range v.servers() {
		if a, err := v.find(s, now, k.c.MinBinding, anyVersion); err == nil {
			out = append(out, a)
		}
	}
	return out
}

// Ready reports why nothing at all is admitted now, or nil.
func (k *Keeper) Ready() error {
	_, err := k.view.Load().live(k.c.Now(), k.c.Uptime())
	return err
}

// Trust is the accepted trust document.
func (k *Keeper) Trust() *Trust { return k.view.Load().trust }

// Issued is when the last snapshot accepted was signed, zero before the first.
func (k *Keeper) Issued() time.Time {
	if s := k.view.Load().snapshot; s != nil {
		return s.Issued
	}
	return time.Time{}
}

// Sequence is the highest snapshot sequence accepted, 0 before the first.
func (k *Keeper) Sequence() uint64 {
	if s := k.view.Load().snapshot; s != nil {
		return s.Sequence
	}
	return 0
}
