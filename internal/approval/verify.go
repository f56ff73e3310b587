package approval

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/tree"
)

// Verify verifies an approval bundle: signed by an approval key of t, for t's
// registry, consistent with its own subjects, carrying the quorum of votes of
// its tier, and in force at now.
func Verify(bundle []byte, t *Trust, now time.Time) (*Approval, error) {
	if err := t.Expired(now); err != nil {
		return nil, err
	}
	a, err := verify(bundle, t)
	if err != nil {
		return nil, err
	}
	if err := a.InForce(now); err != nil {
		return nil, err
	}
	return a, nil
}

// verify is Verify but for the dates.
func verify(bundle []byte, t *Trust) (*Approval, error) {
	r, err := t.compile()
	if err != nil {
		return nil, err
	}
	s, keyID, err := signedStatement(bundle, MaxApproval, r.approval, attest.PredicateApproval)
	if err != nil {
		return nil, err
	}
	a := &Approval{Digest: hexDigest(bundle), KeyID: keyID}
	if err := decode(s.Predicate, &a.Predicate); err != nil {
		return nil, err
	}
	if a.Registry != t.Registry {
		return nil, ErrRegistry
	}
	for _, x := range s.Subjects {
		switch x.Name {
		case subjectArtifact:
			a.Proven.Artifact = x.Digest["sha256"]
		case subjectTree:
			a.Proven.Tree = x.Digest[tree.Algorithm]
		case subjectSBOM:
			a.Proven.SBOM = x.Digest["sha256"]
		}
	}
	if err := a.check(a.Proven); err != nil {
		return nil, err
	}
	if !slices.EqualFunc(s.Subjects, a.subjects(a.Proven), equalSubjects) {
		return nil, fmt.Errorf("%w: statement subjects differ from the predicate", ErrSubject)
	}
	subject, err := SubjectDigest(&a.Predicate, a.Proven)
	if err != nil {
		return nil, err
	}
	if subject != a.Subject {
		return nil, fmt.Errorf("%w: subject digest differs from the predicate", ErrSubject)
	}
	if a.Voters, err = quorum(&a.Predicate, t); err != nil {
		return nil, err
	}
	a.entries = make(map[entryKey]Entry, len(a.Entries))
	for _, e := range a.Entries {
		a.entries[entryKey{e.Era, e.Kind, e.Key}] = e
	}
	return a, nil
}

// InForce holds an approval to its dates: [notBefore, expires).
func (a *Approval) InForce(now time.Time) error {
	switch {
	case now.Before(a.NotBefore):
		return fmt.Errorf("%w: from %s", ErrNotYet, a.NotBefore.Format(time.RFC3339))
	case !now.Before(a.Expires):
		return fmt.Errorf("%w: at %s", ErrExpired, a.Expires.Format(time.RFC3339))
	}
	return nil
}

// Require holds an approval to a gateway's minimum binding.
func (a *Approval) Require(min Binding) error {
	if !a.Satisfies(min) {
		return fmt.Errorf("%w: %s, required %s", ErrBinding, a.Binding, min)
	}
	return nil
}

func equalSubjects(a, b attest.Subject) bool {
	if a.Name != b.Name || len(a.Digest) != len(b.Digest) {
		return false
	}
	for k, v := range a.Digest {
		if b.Digest[k] != v {
			return false
		}
	}
	return true
}

// signedStatement opens a bundle that must be signed by one of the keys and
// hold a predicate of this type.
func signedStatement(bundle []byte, max int, keys []*attest.PublicKey, predicateType string) (*attest.Statement, string, error) {
	if len(bundle) > max {
		return nil, "", fmt.Errorf("%w: larger than %d bytes", ErrMalformed, max)
	}
	v, err := attest.VerifyKeys(bundle, keys)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if v.Statement.PredicateType != predicateType {
		return nil, "", fmt.Errorf("%w: another predicate type, want %s", ErrMalformed, strings.TrimPrefix(predicateType, attest.PredicateBase))
	}
	return v.Statement, v.KeyID, nil
}
