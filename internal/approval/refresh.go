package approval

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// open brings a new Keeper to where the last one stopped.
func (k *Keeper) open() error {
	st, err := k.store.load()
	if err != nil {
		return err
	}
	if st == nil {
		file, err := readTrust(k.c.TrustPath)
		if err != nil {
			return err
		}
		t, err := ParseTrust(file)
		if err != nil {
			return err
		}
		st = &state{Format: stateFormat, Registry: t.Registry, Tenant: k.c.Tenant, Trust: file}
		if err := k.store.save(st); err != nil {
			return err
		}
		k.state, k.trust, k.seenFile = st, t, hexDigest(file)
		k.view.Store(newView(t, nil, nil, k.c.Grace, 0))
		return nil
	}
	if k.trust, err = ParseTrust(st.Trust); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	switch {
	case st.Registry != k.trust.Registry:
		return fmt.Errorf("%w: %w", ErrState, ErrRegistry)
	case st.Tenant != k.c.Tenant:
		return fmt.Errorf("%w: %w: it was kept for tenant %q", ErrState, ErrTenant, st.Tenant)
	}
	k.state = st
	if _, err := k.reloadTrust(); err != nil {
		return err
	}
	k.restore()
	return nil
}

// restore serves the stored snapshot, if it still verifies, from the cache.
func (k *Keeper) restore() {
	var s *Snapshot
	if len(k.state.Snapshot) > 0 {
		// Expired ones too: the view judges the time at every question.
		s, _ = openSnapshot(k.state.Snapshot, k.trust, k.c.Tenant)
	}
	if s == nil {
		k.view.Store(newView(k.trust, nil, nil, k.c.Grace, 0))
		return
	}
	for _, d := range s.Approvals {
		if b, ok := k.store.cached(d); ok {
			if a, err := k.verifyApproval(d, b); err == nil {
				k.verified[d] = a
			}
		}
	}
	k.publish(s, k.deadline(s))
}

// deadline is the uptime at which the snapshot and its grace are over. Reading
// the same snapshot again prolongs nothing.
func (k *Keeper) deadline(s *Snapshot) time.Duration {
	now := k.c.Now()
	if now.Before(s.Issued) {
		now = s.Issued
	}
	until := k.c.Uptime() + s.Expires.Add(k.c.Grace).Sub(now)
	if cur := k.view.Load(); cur != nil && cur.snapshot != nil && cur.snapshot.payload == s.payload {
		until = min(until, cur.until)
	}
	return until
}

// Refresh reads the trust file if it changed, asks the source for the snapshot,
// and admits what it lists. It returns everything that went wrong; what could
// be verified is in force nevertheless, and revocations always are.
func (k *Keeper) Refresh(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer k.observe(ctx)

	accepted, trustErr := k.reloadTrust()
	if trustErr != nil {
		k.tellOnce(ctx, KeeperEvent{Kind: EventTrustRefused, Err: trustErr})
	} else {
		k.over(EventTrustRefused, "")
	}
	if accepted {
		k.tell(ctx, KeeperEvent{Kind: EventTrustAccepted})
		k.verified = map[string]*Approval{} // judged under the old document
		k.failed = map[string]error{}
		k.restore()
	}
	return errors.Join(trustErr, k.follow(ctx))
}

// reloadTrust accepts the installed file if it is the accepted version or the
// next one; it reports whether the accepted document changed.
func (k *Keeper) reloadTrust() (accepted bool, err error) {
	file, err := readTrust(k.c.TrustPath)
	if err != nil {
		return false, err
	}
	digest := hexDigest(file)
	if digest == k.seenFile {
		return false, k.fileErr
	}
	next, err := k.judgeTrust(file)
	if err == nil && next != nil {
		st := *k.state
		st.Trust = file
		if err := k.store.save(&st); err != nil {
			return false, err // not seen: tried again
		}
		k.state, k.trust = &st, next
	}
	k.seenFile, k.fileErr = digest, err
	return next != nil && err == nil, err
}

// judgeTrust returns the next document, or nil if the file says what is
// accepted already.
func (k *Keeper) judgeTrust(file []byte) (*Trust, error) {
	t, err := ParseTrust(file)
	if err != nil {
		return nil, err
	}
	if t.Registry == k.trust.Registry && t.Version == k.trust.Version {
		same, err := sameDocument(file, k.state.Trust)
		if err != nil {
			return nil, err
		}
		if !same {
			return nil, fmt.Errorf("%w: another document of version %d", ErrTrustRollback, t.Version)
		}
		return nil, nil
	}
	return k.trust.VerifyNext(file)
}

func sameDocument(a, b []byte) (bool, error) {
	_, ea, err := openEnvelope(a)
	if err != nil {
		return false, err
	}
	_, eb, err := openEnvelope(b)
	if err != nil {
		return false, err
	}
	da, err := canonicalDigest(ea.Trust)
	if err != nil {
		return false, err
	}
	db, err := canonicalDigest(eb.Trust)
	return da == db, err
}

// follow fetches, judges and publishes the snapshot.
func (k *Keeper) follow(ctx context.Context) error {
	b, err := k.c.Source.Snapshot(ctx)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrSource, err)
		k.tellOnce(ctx, KeeperEvent{Kind: EventSourceFailed, Err: err})
		return err
	}
	k.over(EventSourceFailed, "")
	s, err := k.judgeSnapshot(b)
	if err != nil {
		k.tellOnce(ctx, KeeperEvent{Kind: EventSnapshotRefused, Err: err})
		return err
	}
	k.over(EventSnapshotRefused, "")

	until := k.deadline(s)
	if err := k.persist(s, b); err != nil {
		// What is not on disk could be rolled back by a restart: admit nothing
		// new, but do take away.
		k.tellOnce(ctx, KeeperEvent{Kind: EventStateFailed, Err: err})
		k.withdraw(s)
		return err
	}
	k.over(EventStateFailed, "")
	k.drop(ctx, s)
	k.publish(s, until) // revocations do not wait for downloads
	err = k.admit(ctx, s)
	k.publish(s, until)
	return err
}

func (k *Keeper) judgeSnapshot(b []byte) (*Snapshot, error) {
	s, err := VerifySnapshot(b, k.trust, k.c.Tenant, k.c.Now(), k.c.Grace)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Sequence < k.state.Sequence:
		return nil, fmt.Errorf("%w: sequence %d after %d", ErrSnapshotRollback, s.Sequence, k.state.Sequence)
	case s.Sequence == k.state.Sequence && s.payload != k.state.Payload:
		return nil, fmt.Errorf("%w: a second snapshot %d", ErrSnapshotRollback, s.Sequence)
	}
	return s, nil
}

func (k *Keeper) persist(s *Snapshot, b []byte) error {
	if s.Sequence == k.state.Sequence && bytes.Equal(b, k.state.Snapshot) {
		return nil
	}
	st := *k.state
	st.Sequence, st.Payload, st.Snapshot = s.Sequence, s.payload, jsontext.Value(b)
	if err := k.store.save(&st); err != nil {
		return err
	}
	k.state = &st
	return nil
}

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
