package approval

import "context"

// Kinds of KeeperEvent.
const (
	EventTrustAccepted    = "trust_accepted"    // a new version of trust.json is in force
	EventTrustRefused     = "trust_refused"     // trust.json changed, and was not accepted
	EventSourceFailed     = "source_failed"     // the registry could not be asked
	EventSnapshotRefused  = "snapshot_refused"  // the registry's snapshot was not accepted
	EventSnapshotGrace    = "snapshot_grace"    // the snapshot is over; approvals live on grace
	EventSnapshotExpired  = "snapshot_expired"  // grace is over; everything is denied
	EventSnapshotFresh    = "snapshot_fresh"    // a snapshot is in force (again)
	EventApprovalAdmitted = "approval_admitted" // listed and verified for the first time
	EventApprovalRefused  = "approval_refused"  // listed, but cannot be verified
	EventApprovalRevoked  = "approval_revoked"  // no longer listed
	EventStateFailed      = "state_failed"      // the state cannot be written: nothing new is admitted
)

// KeeperEvent is something that an operator must be able to see. A condition
// that lasts is told once, and again when its cause changes.
type KeeperEvent struct {
	Kind            string
	Sequence        uint64
	Digest          string // of the approval concerned, or of the trust file
	TrustVersion    int
	Server, Version string
	Err             error
}

// tell reports an event.
func (k *Keeper) tell(ctx context.Context, e KeeperEvent) {
	if k.c.OnEvent != nil {
		k.c.OnEvent(ctx, e)
	}
}

// tellOnce reports a failure unless the same one was the last of its kind and
// digest.
func (k *Keeper) tellOnce(ctx context.Context, e KeeperEvent) {
	key := e.Kind + " " + e.Digest
	if k.told[key] == e.Err.Error() {
		return
	}
	k.told[key] = e.Err.Error()
	k.tell(ctx, e)
}

// over forgets a condition, so that its return is told.
func (k *Keeper) over(kind, digest string) { delete(k.told, kind+" "+digest) }

// observe reports a change of the snapshot's phase.
func (k *Keeper) observe(ctx context.Context) {
	v := k.view.Load()
	now := v.phase(k.c.Now(), k.c.Uptime())
	if now == k.phase {
		return
	}
	k.phase = now
	kind, known := map[phase]string{
		phaseFresh: EventSnapshotFresh, phaseGrace: EventSnapshotGrace, phaseExpired: EventSnapshotExpired,
	}[now]
	if !known {
		return
	}
	e := KeeperEvent{Kind: kind}
	if v.snapshot != nil {
		e.Sequence = v.snapshot.Sequence
	}
	k.tell(ctx, e)
}
