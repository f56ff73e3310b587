package attest

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tlog"
)

// maxSpread is how far the times of several observers may lie apart: as long as
// a public certificate lives.
const maxSpread = 10 * time.Minute

// observed returns the times that logs and timestamp authorities of the
// deployment vouch for, in order. It demands what sigstore-go leaves open: that
// they agree, and that a log which proves an entry without dating it (Rekor 2)
// was trusted at that time.
func (d *deployment) observed(b *bundle.Bundle) ([]time.Time, error) {
	times, err := d.times(b)
	if err != nil {
		return nil, refuse(ReasonTimeMissing, ErrUnverified, "%w", err)
	}
	if len(times) == 0 {
		return nil, refuse(ReasonTimeMissing, ErrUnverified, "no timestamp of an authority that the root lists, and no dated log entry")
	}
	if spread := times[len(times)-1].Sub(times[0]); spread > maxSpread {
		return nil, refuse(ReasonTimesDisagree, ErrUnverified, "the observers' times lie %s apart", spread)
	}
	entries, err := b.TlogEntries()
	if err != nil {
		return nil, refuse(ReasonLogInvalid, ErrUnverified, "%w", err)
	}
	for _, e := range entries {
		log, listed := d.material.RekorLogs()[hex.EncodeToString([]byte(e.LogKeyID()))]
		if listed && !within(log, times[0]) {
			return nil, refuse(ReasonLogExpired, ErrUnverified, "the log's key was not valid at %s", times[0].UTC().Format(time.RFC3339))
		}
	}
	return times, nil
}

// times are all that verify, sorted. Unlike sigstore-go, which keeps the first
// stamp of an authority, it looks at every one of them.
func (d *deployment) times(b *bundle.Bundle) ([]time.Time, error) {
	content, err := b.SignatureContent()
	if err != nil {
		return nil, err
	}
	stamps, err := b.Timestamps()
	if err != nil {
		return nil, err
	}
	var times []time.Time
	for _, stamp := range stamps {
		for _, authority := range d.material.TimestampingAuthorities() {
			if seen, err := authority.Verify(stamp, content.Signature()); err == nil {
				times = append(times, seen.Time)
				break
			}
		}
	}
	entries, err := b.TlogEntries()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.HasInclusionPromise() && tlog.VerifySET(e, d.material.RekorLogs()) == nil {
			times = append(times, e.IntegratedTime())
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times, nil
}

func within(l *root.TransparencyLog, at time.Time) bool {
	return !at.Before(l.ValidityPeriodStart) && (l.ValidityPeriodEnd.IsZero() || !at.After(l.ValidityPeriodEnd))
}
