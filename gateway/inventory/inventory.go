// Package inventory knows what upstream servers list right now: the gateway's
// own complete listing per upstream instance, credential, tenant and protocol
// era, at most MaxAge old, renewed at once when a server says that it changed,
// and taken once for all calls that wait for it.
//
// It compares entries with approved digests and decides nothing: what happens
// to an entry that differs is the pipeline's business. It must not know
// approvals, clients or HTTP.
package inventory

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

var (
	// ErrUnstable is a server that announces changes faster than it can be listed.
	ErrUnstable = errors.New("listing changes faster than it can be read")
	// ErrPaused is a local server that failed a moment ago and is not yet
	// started again.
	ErrPaused = errors.New("local server waits after its failure")
	// ErrClosed is an inventory that was closed.
	ErrClosed = errors.New("inventory is closed")
)

// MaxAge is the longest time that a listing counts as current, whatever TTL
// the server sends.
const MaxAge = 60 * time.Second

// rounds is how often one call waits for a listing that was outdated while it
// was taken.
const rounds = 4

// Key separates listings. Two tenants or two credentials never share one.
type Key struct {
	Tenant   string
	Server   string
	Instance string // names the target and the credential used towards it
	Era      protocol.Era
}

// Config of a Store. Zero durations mean the defaults.
type Config struct {
	MaxAge time.Duration // default and upper bound: MaxAge
	Idle   time.Duration // a conversation unused this long is closed; default 5 min
	Limits upstream.Limits
	Now    func() time.Time
	// Before runs before a conversation is opened; its error keeps it closed.
	Before func(Key, upstream.Target) error
}

// Store holds the listings. It is safe for concurrent use.
type Store struct {
	cfg    Config
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	sources map[Key]*source
}

// New makes an empty store. Close ends its conversations.
func New(cfg Config) *Store {
	if cfg.MaxAge <= 0 || cfg.MaxAge > MaxAge {
		cfg.MaxAge = MaxAge
	}
	if cfg.Idle <= 0 {
		cfg.Idle = 5 * time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Before == nil {
		cfg.Before = func(Key, upstream.Target) error { return nil }
	}
	s := &Store{cfg: cfg, sources: map[Key]*source{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.work.Go(s.reap)
	return s
}

// Current returns the listing of target, taking it first if there is none that
// counts as current. Errors: ErrUnstable, ErrClosed, ctx's, and whatever the
// conversation failed with (upstream.ErrEra among them).
func (s *Store) Current(ctx context.Context, key Key, target upstream.Target) (*Snapshot, error) {
	for range rounds {
		src, err := s.source(key)
		if err != nil {
			return nil, err
		}
		snap, f, err := src.current(s, key, target)
		if errors.Is(err, errRetired) {
			continue
		}
		if snap != nil || err != nil {
			return snap, err
		}
		select {
		case <-f.done:
			if f.err != nil {
				return nil, f.err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, ErrUnstable
}

// SetLimits changes the limits of conversations begun from now on.
func (s *Store) SetLimits(l upstream.Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.Limits = l
}

func (s *Store) limits() upstream.Limits {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.Limits
}

// Changed says that the server announced a change: what is held is no longer
// current, and a new listing is taken at once.
func (s *Store) Changed(key Key) {
	s.mu.Lock()
	src := s.sources[key]
	s.mu.Unlock()
	if src != nil {
		src.changed(s, key)
	}
}

// Close ends every conversation.
func (s *Store) Close() {
	s.cancel()
	s.work.Wait()
	s.mu.Lock()
	left := slices.Collect(maps.Values(s.sources))
	s.mu.Unlock()
	hangUp(left)
}

// hangUp closes conversations at once: a server that does not want to end must
// not keep the others.
func hangUp(all []*source) {
	var work sync.WaitGroup
	for _, src := range all {
		work.Go(src.hangUp)
	}
	work.Wait()
}

func (s *Store) source(key Key) (*source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil, ErrClosed
	}
	src := s.sources[key]
	if src == nil {
		src = &source{}
		s.sources[key] = src
	}
	return src, nil
}

// reap forgets sources that nobody asked for during Idle.
func (s *Store) reap() {
	ticker := time.NewTicker(s.cfg.Idle / 2)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		s.mu.Lock()
		var idle []*source
		for key, src := range s.sources {
			if src.retire(s.cfg.Now().Add(-s.cfg.Idle)) {
				idle = append(idle, src)
				delete(s.sources, key)
			}
		}
		s.mu.Unlock()
		hangUp(idle) // without the lock: every call looks up its listing
	}
}

// Snapshot is one complete listing.
type Snapshot struct {
	Listing *listing.Listing
	Taken   time.Time

	mu       sync.Mutex
	compared map[string]*Comparison
}
