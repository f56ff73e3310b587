package approval

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/mod/semver"
)

// view is one consistent answer to every question: immutable, swapped whole.
type view struct {
	trust    *Trust
	snapshot *Snapshot              // nil: none accepted
	byServer map[string][]*Approval // newest first
	grace    time.Duration
	// uptime after which the snapshot is over whatever the wall clock says, so
	// that setting the clock back does not keep a snapshot alive.
	until time.Duration
}

func newView(t *Trust, s *Snapshot, admitted []*Approval, grace, until time.Duration) *view {
	v := &view{trust: t, snapshot: s, byServer: map[string][]*Approval{}, grace: grace, until: until}
	for _, a := range admitted {
		v.byServer[a.Server] = append(v.byServer[a.Server], a)
	}
	for _, list := range v.byServer {
		slices.SortFunc(list, newer)
	}
	return v
}

// newer orders by version, then by start, so that the later of two approvals of
// one version is found; digests make the order total.
func newer(a, b *Approval) int {
	return cmp.Or(semver.Compare("v"+b.Version, "v"+a.Version), b.NotBefore.Compare(a.NotBefore), cmp.Compare(b.Digest, a.Digest))
}

// phase of a snapshot's life.
type phase int

const (
	phaseNone phase = iota
	phaseFresh
	phaseGrace
	phaseExpired
)

func (v *view) phase(now time.Time, up time.Duration) phase {
	switch {
	case v.snapshot == nil:
		return phaseNone
	case up >= v.until || !now.Before(v.snapshot.Expires.Add(v.grace)):
		return phaseExpired
	case up >= v.until-v.grace || !now.Before(v.snapshot.Expires):
		return phaseGrace
	default:
		return phaseFresh
	}
}

// live returns the time to judge approvals by, or why nothing is admitted. That
// time is never before the snapshot's issue: a signed clock corrects ours.
func (v *view) live(now time.Time, up time.Duration) (time.Time, error) {
	if v.snapshot != nil && now.Before(v.snapshot.Issued) {
		now = v.snapshot.Issued
	}
	if err := v.trust.Expired(now); err != nil {
		return now, err
	}
	switch v.phase(now, up) {
	case phaseNone:
		return now, fmt.Errorf("%w: none accepted yet", ErrSnapshotExpired)
	case phaseExpired:
		return now, fmt.Errorf("%w: at %s", ErrSnapshotExpired, v.snapshot.Expires.Format(time.RFC3339))
	}
	return now, nil
}

// find returns the first approval of the server that pick accepts and that is
// in force, or why the best candidate is not.
func (v *view) find(server string, now time.Time, min Binding, pick func(*Approval) bool) (*Approval, error) {
	list := v.byServer[server]
	var why error
	for _, a := range list {
		if !pick(a) {
			continue
		}
		err := usable(a, list, now, min)
		if err == nil {
			return a, nil
		}
		if why == nil {
			why = err
		}
	}
	if why != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotApproved, why)
	}
	return nil, ErrNotApproved
}

func usable(a *Approval, list []*Approval, now time.Time, min Binding) error {
	if err := a.InForce(now); err != nil {
		return err
	}
	if err := a.Require(min); err != nil {
		return err
	}
	for _, b := range list {
		// Once its successor has begun an approval is over, even if the
		// successor has ended since.
		if b.Supersedes == a.Digest && !now.Before(b.NotBefore) {
			return fmt.Errorf("superseded by %s", b.Digest)
		}
	}
	return nil
}

func (v *view) servers() []string { return slices.Sorted(maps.Keys(v.byServer)) }

func anyVersion(*Approval) bool { return true }
