package engine

import (
	"context"
	"errors"
	"sync/atomic"
)

// generation is one set in force. Its users are the scans under way and, until
// it is swapped out, the Live set itself.
type generation struct {
	set    *Set
	number uint64
	users  atomic.Int64
	live   *Live
	tested atomic.Bool
}

// enter fails on a generation whose last user has left.
func (g *generation) enter() bool {
	for {
		n := g.users.Load()
		if n == 0 {
			return false
		}
		if g.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release closes a generation that was swapped out with its last user, who need
// not wait for that.
func (g *generation) release() {
	if g.users.Add(-1) > 0 {
		return
	}
	go func() {
		defer g.live.draining.Done()
		_ = g.set.close(context.Background()) // memory of ours: there is nobody to tell
	}()
}

// succeed takes over what the set before knew of the same scanners.
func (s *Set) succeed(old *Set) {
	s.breaker = old.breaker
	for _, scanner := range s.scanners {
		for _, before := range old.scanners {
			if before.manifest.Name == scanner.manifest.Name {
				s.counts[scanner] = old.counts[before]
			}
		}
	}
}

func (s *Set) refs() []ScannerRef {
	refs := make([]ScannerRef, 0, len(s.scanners))
	for _, scanner := range s.scanners {
		refs = append(refs, scanner.Ref())
	}
	return refs
}

func (s *Set) close(ctx context.Context) error {
	var errs []error
	for _, scanner := range s.scanners {
		errs = append(errs, scanner.Close(ctx))
		for _, narrow := range s.narrower[scanner] {
			errs = append(errs, narrow.Close(ctx))
		}
	}
	errs = append(errs, s.demanded.close(ctx))
	return errors.Join(errs...)
}
