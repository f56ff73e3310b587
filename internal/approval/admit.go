package approval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// drop forgets what the snapshot no longer lists.
func (k *Keeper) drop(ctx context.Context, s *Snapshot) {
	listed := make(map[string]bool, len(s.Approvals))
	for _, d := range s.Approvals {
		listed[d] = true
	}
	for d, a := range k.verified {
		if !listed[d] {
			delete(k.verified, d)
			k.tell(ctx, KeeperEvent{Kind: EventApprovalRevoked, Sequence: s.Sequence, Digest: d, Server: a.Server, Version: a.Version})
		}
	}
	for d := range k.failed {
		if !listed[d] {
			delete(k.failed, d)
			k.over(EventApprovalRefused, d)
		}
	}
	k.store.prune(listed)
}

// admit verifies what is listed and not verified yet. What failed before comes
// last, so that one missing document does not hold up the others.
func (k *Keeper) admit(ctx context.Context, s *Snapshot) error {
	var fresh, again []string
	for _, d := range s.Approvals {
		switch _, failed := k.failed[d]; {
		case k.verified[d] != nil:
		case failed:
			again = append(again, d)
		default:
			fresh = append(fresh, d)
		}
	}
	var errs []error
	for _, d := range slices.Concat(fresh, again) {
		if err := ctx.Err(); err != nil {
			return errors.Join(append(errs, fmt.Errorf("%w: %w", ErrSource, err))...)
		}
		a, err := k.obtain(ctx, d)
		if err != nil {
			k.failed[d] = err
			err = fmt.Errorf("approval %s: %w", d, err)
			k.tellOnce(ctx, KeeperEvent{Kind: EventApprovalRefused, Sequence: s.Sequence, Digest: d, Err: err})
			errs = append(errs, err)
			continue
		}
		delete(k.failed, d)
		k.over(EventApprovalRefused, d)
		k.verified[d] = a
		k.tell(ctx, KeeperEvent{Kind: EventApprovalAdmitted, Sequence: s.Sequence, Digest: d, Server: a.Server, Version: a.Version})
	}
	return errors.Join(errs...)
}

// obtain takes an approval from the cache or the source and verifies it.
func (k *Keeper) obtain(ctx context.Context, digest string) (*Approval, error) {
	if b, ok := k.store.cached(digest); ok {
		return k.verifyApproval(digest, b)
	}
	b, err := k.c.Source.Approval(ctx, digest)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	a, err := k.verifyApproval(digest, b)
	if err != nil {
		return nil, err
	}
	if err := k.store.cache(digest, b); err != nil {
		k.tellOnce(ctx, KeeperEvent{Kind: EventStateFailed, Digest: digest, Err: err}) // served from memory
	} else {
		k.over(EventStateFailed, digest)
	}
	return a, nil
}

func (k *Keeper) verifyApproval(digest string, b []byte) (*Approval, error) {
	if hexDigest(b) != digest {
		return nil, fmt.Errorf("%w: bytes do not have the listed digest", ErrSignature)
	}
	a, err := verify(b, k.trust)
	if err != nil {
		return nil, err
	}
	if a.Tenant != k.c.Tenant {
		return nil, ErrTenant
	}
	return a, nil
}

func (k *Keeper) publish(s *Snapshot, until time.Duration) {
	admitted := make([]*Approval, 0, len(s.Approvals))
	for _, d := range s.Approvals {
		if a := k.verified[d]; a != nil {
			admitted = append(admitted, a)
		}
	}
	k.view.Store(newView(k.trust, s, admitted, k.c.Grace, until))
}

// withdraw narrows the present view to what the newer snapshot still lists.
func (k *Keeper) withdraw(s *Snapshot) {
	cur := k.view.Load()
	if cur.snapshot == nil {
		return
	}
	var kept []*Approval
	for _, list := range cur.byServer {
		for _, a := range list {
			if _, listed := slices.BinarySearch(s.Approvals, a.Digest); listed {
				kept = append(kept, a)
			}
		}
	}
	k.view.Store(newView(k.trust, cur.snapshot, kept, cur.grace, cur.until))
}
