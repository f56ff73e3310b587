package approval

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

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
		k.tell(ctx, KeeperEvent{Kind: EventTrustAccepted, TrustVersion: k.trust.Version, Digest: k.seenFile})
		k.verified = map[string]*Approval{} // judged under the old document
		k.failed = map[string]error{}
		k.restore()
	}
	return errors.Join(trustErr, k.follow(ctx))
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
