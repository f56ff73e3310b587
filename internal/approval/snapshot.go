package approval

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/attest"
)

const maxSequence = 1<<53 - 1 // what every JSON reader holds exactly (RFC 8259 §6)

// Snapshot lists all approvals of one tenant that are in force, by the digests
// of their bundles. A registry signs a new one at least every SnapshotEvery and
// at once when the list changes, under an ever higher sequence.
type Snapshot struct {
	Registry  string    `json:"registry"`
	Tenant    string    `json:"tenant"`
	Sequence  uint64    `json:"sequence"`
	Issued    time.Time `json:"issued"`
	Expires   time.Time `json:"expires"` // at most SnapshotLife after Issued
	Approvals []string  `json:"approvals"`

	payload string // hex SHA-256 of the signed statement
}

func (s *Snapshot) check() error {
	switch {
	case !plainName(s.Registry) || !plainName(s.Tenant):
		return fmt.Errorf("%w: snapshot without registry or tenant", ErrMalformed)
	case s.Sequence == 0 || s.Sequence > maxSequence:
		return fmt.Errorf("%w: snapshot sequence", ErrMalformed)
	case s.Issued.IsZero() || !s.Expires.After(s.Issued) || s.Expires.Sub(s.Issued) > SnapshotLife:
		return fmt.Errorf("%w: snapshot may live %s at most", ErrMalformed, SnapshotLife)
	case len(s.Approvals) > MaxListed:
		return fmt.Errorf("%w: snapshot of %d approvals", ErrMalformed, len(s.Approvals))
	case !slices.Equal(s.Approvals, sortedSet(s.Approvals)):
		return fmt.Errorf("%w: snapshot list is not sorted or repeats itself", ErrMalformed)
	}
	for _, d := range s.Approvals {
		if !isHex256(d) {
			return fmt.Errorf("%w: snapshot lists a malformed digest", ErrMalformed)
		}
	}
	return nil
}

// SignSnapshot signs a snapshot with a snapshot key. The list may come in any
// order; times are brought to whole seconds.
func SignSnapshot(ctx context.Context, signer attest.Signer, s *Snapshot) ([]byte, error) {
	statement, err := snapshotStatement(s)
	if err != nil {
		return nil, err
	}
	b, err := signer.Sign(ctx, statement)
	if err != nil {
		return nil, fmt.Errorf("approval: sign snapshot: %w", err)
	}
	return b, nil
}

func snapshotStatement(s *Snapshot) ([]byte, error) {
	signed := *s
	signed.Issued, signed.Expires = s.Issued.UTC().Truncate(time.Second), s.Expires.UTC().Truncate(time.Second)
	if signed.Approvals = sortedSet(s.Approvals); signed.Approvals == nil {
		signed.Approvals = []string{}
	}
	if err := signed.check(); err != nil {
		return nil, err
	}
	subject, err := signed.subject()
	if err != nil {
		return nil, err
	}
	predicate, err := encode(signed)
	if err != nil {
		return nil, err
	}
	return (&attest.Statement{Subjects: []attest.Subject{subject}, PredicateType: attest.PredicateSnapshot, Predicate: predicate}).Marshal()
}

// subject is the list itself: in-toto wants a digest, and a reader of the
// statement alone can compare two snapshots by it.
func (s *Snapshot) subject() (attest.Subject, error) {
	d, err := canonicalDigest(s.Approvals)
	return attest.Subject{Name: "approvals", Digest: map[string]string{"sha256": d.String()}}, err
}

// VerifySnapshot verifies a snapshot bundle: signed by a snapshot key of t, for
// t's registry and this tenant, not from the future, and within its time plus
// grace. Whether its sequence is high enough is the Keeper's to know.
func VerifySnapshot(bundle []byte, t *Trust, tenant string, now time.Time, grace time.Duration) (*Snapshot, error) {
	if err := t.Expired(now); err != nil {
		return nil, err
	}
	s, err := openSnapshot(bundle, t, tenant)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Issued.After(now.Add(maxSkew)):
		return nil, fmt.Errorf("%w: snapshot issued at %s", ErrClock, s.Issued.Format(time.RFC3339))
	case !now.Before(s.Expires.Add(grace)):
		return nil, fmt.Errorf("%w: at %s", ErrSnapshotExpired, s.Expires.Format(time.RFC3339))
	}
	return s, nil
}

// openSnapshot is VerifySnapshot but for the times.
func openSnapshot(bundle []byte, t *Trust, tenant string) (*Snapshot, error) {
	r, err := t.compile()
	if err != nil {
		return nil, err
	}
	st, _, err := signedStatement(bundle, MaxSnapshot, r.snapshot, attest.PredicateSnapshot)
	if err != nil {
		return nil, err
	}
	s := new(Snapshot)
	if err := decode(st.Predicate, s); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	switch want, err := s.subject(); {
	case err != nil:
		return nil, err
	case len(st.Subjects) != 1 || !equalSubjects(st.Subjects[0], want):
		return nil, fmt.Errorf("%w: snapshot subject differs from its list", ErrMalformed)
	case s.Registry != t.Registry:
		return nil, ErrRegistry
	case s.Tenant != tenant:
		return nil, ErrTenant
	}
	payload, err := encode(s)
	if err != nil {
		return nil, err
	}
	s.payload = hexDigest(payload)
	return s, nil
}
