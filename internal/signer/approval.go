package signer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/listing"
)

// signApproval signs and then verifies exactly as a gateway would, so that what
// leaves this process is what a gateway admits: votes, tier, subjects, form.
func (s *Service) signApproval(ctx context.Context, statement []byte, evidence [][]byte) ([]byte, error) {
	bundle, err := s.keys[RoleApproval].Sign(ctx, statement)
	if err != nil {
		return nil, refuse(ReasonMalformed, "it is no in-toto statement")
	}
	a, err := s.verified(bundle)
	if err != nil {
		return nil, err
	}
	switch now := s.Now(); {
	case s.KeyedVotes && len(a.SessionVotes) > 0:
		return nil, refuse(ReasonSessionVotes, "this signer counts votes with keys alone")
	case a.NotBefore.Before(now.Add(-MaxAge)):
		return nil, refuse(ReasonDates, "it begins at %s", a.NotBefore.Format(time.RFC3339))
	case a.Expires.Sub(a.NotBefore) > maxLifetime:
		return nil, refuse(ReasonDates, "it lives longer than %s", maxLifetime)
	}
	if err := matches(a, evidence); err != nil {
		return nil, err
	}
	if err := s.ledger.admit(a, s.Now()); err != nil {
		return nil, err
	}
	if s.Audit != nil {
		change := audit.Change{Tenant: a.Tenant, Server: a.Server, Version: a.Version, Digest: a.Proven.Artifact, Subject: a.Subject, State: "approved"}
		if _, err := s.Audit.Append(ctx, audit.Approved(change, a.Digest)); err != nil {
			return nil, err
		}
	}
	return bundle, nil
}

// Introduce tells the signer of an approval that its key signed and that it does
// not remember: one from before it took the key over.
func (s *Service) Introduce(_ context.Context, bundle []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.ledger.approvals[hexDigest(bundle)]; known {
		return nil
	}
	if err := s.reload(); err != nil {
		return refuse(ReasonTrust, "%s", err)
	}
	a, err := s.verified(bundle)
	if err != nil {
		return err
	}
	return s.ledger.admit(a, s.Now())
}

func (s *Service) verified(bundle []byte) (*approval.Approval, error) {
	// The registry's clock may be ahead, and its approvals begin when they are
	// signed.
	a, err := approval.Verify(bundle, s.trust, s.Now().Add(maxSkew))
	if err != nil {
		return nil, refuse(judgement(err), "%s", err)
	}
	return a, nil
}

// judgement is the reason that an error of package approval stands for.
func judgement(err error) Reason {
	for reason, sentinels := range map[Reason][]error{
		ReasonTrust:    {approval.ErrTrust, approval.ErrTrustExpired},
		ReasonKey:      {approval.ErrSignature},
		ReasonRegistry: {approval.ErrRegistry},
		ReasonQuorum:   {approval.ErrQuorum, approval.ErrVote, approval.ErrTier},
		ReasonDates:    {approval.ErrNotYet, approval.ErrExpired, approval.ErrClock, approval.ErrSnapshotExpired},
	} {
		for _, sentinel := range sentinels {
			if errors.Is(err, sentinel) {
				return reason
			}
		}
	}
	return ReasonMalformed
}

// matches holds every fingerprint of an approval to the listing that is shown.
func matches(a *approval.Approval, evidence [][]byte) error {
	if len(evidence) != 1 {
		return refuse(ReasonEvidence, "an approval is signed beside the capture of its listing")
	}
	capture, err := listing.ParseCapture(evidence[0])
	if err != nil {
		return refuse(ReasonEvidence, "the capture cannot be read")
	}
	sets := make(map[string]*fingerprint.Set, len(capture.Listings))
	for i := range capture.Listings {
		l := &capture.Listings[i]
		set, err := fingerprint.OfListing(l, a.VolatileMeta)
		if err != nil {
			return refuse(ReasonListing, "the listing of era %s has no fingerprint", l.Era)
		}
		sets[string(l.Era)] = set
	}
	if len(sets) != len(a.Roots) || len(sets) != len(capture.Listings) {
		return refuse(ReasonListing, "%d eras in the capture, %d in the approval", len(sets), len(a.Roots))
	}
	for era, root := range a.Roots {
		if set := sets[era]; set == nil || set.Root != root {
			return refuse(ReasonListing, "the root of era %s", era)
		}
	}
	for _, e := range a.Entries {
		kind, err := fingerprint.ParseKind(e.Kind)
		if err != nil {
			return refuse(ReasonListing, "an entry of kind %s", e.Kind)
		}
		if found, single := sets[e.Era].Lookup(kind, e.Key); !single || found.Whole != e.Whole || found.Behavioural != e.Behavioural {
			return refuse(ReasonListing, "a %s of era %s is not the one listed", e.Kind, e.Era)
		}
	}
	return sameAnnotations(a.Annotations, approval.Annotations(capture.Listings))
}

// sameAnnotations: a gateway believes the approval's annotations, read-only ones
// above all.
func sameAnnotations(signed, listed map[string]jsontext.Value) error {
	if len(signed) != len(listed) {
		return refuse(ReasonListing, "annotations of %d tools, %d listed", len(signed), len(listed))
	}
	for tool, a := range signed {
		a = a.Clone()
		if err := a.Canonicalize(); err != nil || string(a) != string(listed[tool]) {
			return refuse(ReasonListing, "the annotations of a tool are not those listed")
		}
	}
	return nil
}

func reasonOf(err error) Reason {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Reason
	}
	return "state"
}

func hexDigest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
