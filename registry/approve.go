package registry

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
)

// Approve signs the approval of a version whose review is complete, and puts
// it into the next snapshot at once. Nothing is signed that this registry's
// own trust document would not accept.
func (s *Service) Approve(ctx context.Context, by audit.Origin, id, subject string) (*admission.Version, error) {
	if subject == "" {
		return nil, refuse(ErrInvalid, RefusedStale, "an approval names the subject that it is about")
	}
	var approved *version
	err := s.under(ctx, by.Caller, id, subject, func(v *version) error {
		// Repeating an approval is no second decision.
		if v.State == admission.Approved {
			approved = v
			return nil
		}
		if v.State != admission.InReview {
			return refuse(ErrConflict, RefusedState, "a version that is %s cannot be approved", v.State)
		}
		if err := s.recheckShadowing(ctx, by, v); err != nil {
			return err
		}
		bundle, err := s.signApproval(ctx, v)
		if err != nil {
			return err
		}
		next := *v
		next.Version.State, next.Updated, next.Accepted = admission.Approved, s.Now().UTC(), accepted(v, nil)
		if next.Approval, err = s.put(ctx, bundle); err != nil {
			return err
		}
		s.failpoint("approval signed")
		if err := s.record(ctx, audit.Approved(s.change(by, &next), next.Approval)); err != nil {
			return err
		}
		if err := s.move(ctx, &next, v.State, map[string]string{next.Approval: mediaBundle}); err != nil {
			return err
		}
		s.failpoint("approved")
		approved = &next
		return s.snapshots.admit(ctx, v.Tenant, hexDigest(next.Approval))
	})
	if err != nil {
		return nil, err
	}
	return &approved.Version, nil
}

// recheckShadowing compares the names once more: another server may have been
// approved since the publication. An answer that no longer holds is replaced,
// and the reviewers look at it.
func (s *Service) recheckShadowing(ctx context.Context, by audit.Origin, v *version) error {
	w, err := s.repeatRun(ctx, v)
	if err != nil {
		return err
	}
	others, err := s.approvedElsewhere(ctx, v)
	if err != nil {
		return err
	}
	items, err := s.items(ctx, v)
	if err != nil {
		return err
	}
	w.shadowed = collisions(w.prints, others)
	holds := func(i admission.Item) bool { return i.Code == checklist.CodeShadowing && i.Result == admission.Pass }
	if len(w.shadowed) == 0 || !slices.ContainsFunc(items, holds) {
		return nil
	}
	item, position, err := s.answerAnew(ctx, w, checklist.CodeShadowing)
	if err != nil {
		return err
	}
	if err := s.record(ctx, audit.ItemAnswered(s.change(by, v), audit.ChecklistItem{Code: item.Code, Name: item.Title, Status: auditStatus(item.Result)})); err != nil {
		return err
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if err := refBlob(ctx, tx, v.Tenant, item.Evidence, mediaJSON); err != nil {
			return err
		}
		return putItem(ctx, tx, v, position, item, true)
	})
	if err != nil {
		return err
	}
	return &Refusal{Class: ErrConflict, Reason: RefusedBlocked, Detail: "a server approved meanwhile uses one of its tool names", Blocking: []string{item.Code}}
}

// signApproval builds, signs and verifies the approval of v.
func (s *Service) signApproval(ctx context.Context, v *version) ([]byte, error) {
	review, err := s.Review(ctx, v.Tenant, v.Review)
	if err != nil {
		return nil, err
	}
	if len(review.Blocking) > 0 {
		return nil, &Refusal{Class: ErrConflict, Reason: RefusedBlocked, Detail: "the review is not complete: " + strings.Join(review.Blocking, ", "), Blocking: review.Blocking}
	}
	trust, err := s.trust()
	if err != nil {
		return nil, err
	}
	prints, verdict, err := s.reviewed(ctx, v)
	if err != nil {
		return nil, err
	}
	p, subjects := s.predicate(prints, verdict, v, review.Waivers, trust)
	if err := s.ballots(ctx, review.Votes, p); err != nil {
		return nil, err
	}
	now := s.Now().UTC()
	p.NotBefore, p.Expires = now, approvalExpiry(now, review)
	if p.Checklist, err = checklistDigest(review.Items); err != nil {
		return nil, err
	}
	if p.Supersedes, err = s.newestApproval(ctx, v); err != nil {
		return nil, err
	}
	capture, err := s.get(ctx, v.Listing, MaxEvidence*4)
	if err != nil {
		return nil, err
	}
	bundle, digest, err := approval.Sign(ctx, beside(s.ApprovalSigner, capture), p, subjects)
	if err != nil {
		s.Logger.ErrorContext(ctx, "sign approval", "server", v.Name, "error", err)
		return nil, unsigned(err, v.Tier)
	}
	if p.Subject != v.Subject {
		return nil, refuse(ErrConflict, RefusedStale, "the version under review is not what its subject says")
	}
	if _, err := approval.Verify(bundle, trust, now); err != nil {
		s.Logger.WarnContext(ctx, "approval does not verify", "server", v.Name, "digest", digest, "error", err)
		if errors.Is(err, approval.ErrQuorum) {
			return nil, noQuorum(v.Tier)
		}
		return nil, refuse(ErrUnavailable, RefusedSigning, "the approval would not be accepted: %s", hostText(err, approval.ErrSignature, approval.ErrExpired, approval.ErrNotYet, approval.ErrSubject, approval.ErrTier, approval.ErrMalformed))
	}
	return bundle, nil
}

// approvalExpiry is 90 days, or the first waiver's end if that comes earlier:
// what was accepted for a time is not approved for longer.
func approvalExpiry(now time.Time, r *admission.Review) time.Time {
	expires := now.Add(ApprovalLifetime)
	for _, item := range r.Items {
		if item.Result == admission.Waived && item.Expires.Before(expires) {
			expires = item.Expires
		}
	}
	for _, w := range r.Waivers {
		if w.Expires.After(now) && w.Expires.Before(expires) {
			expires = w.Expires
		}
	}
	return expires
}

// checklistDigest binds the answers and their evidence into the approval.
func checklistDigest(items []admission.Item) (string, error) {
	b, err := json.Marshal(items, json.Deterministic(true))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// newestApproval is the approval that a new one of the same server supersedes.
// The older version stays approved, so that who pinned it keeps working; an
// operator quarantines it when it must stop.
func (s *Service) newestApproval(ctx context.Context, v *version) (string, error) {
	var all []*version
	err := s.view(ctx, func(tx *sql.Tx) (err error) {
		all, err = queryVersions(ctx, tx, `SELECT `+versionColumns+` FROM versions WHERE tenant = $1 AND name = $2 AND state = 'approved'`, v.Tenant, v.Name)
		return err
	})
	var newest *version
	for _, o := range all {
		if newest == nil || serverjson.Newer(o.Version.Version, newest.Version.Version) {
			newest = o
		}
	}
	if err != nil || newest == nil {
		return "", err
	}
	return hexDigest(newest.Approval), nil
}

// Reject ends a review against the version. It is final: a corrected server is
// another version.
func (s *Service) Reject(ctx context.Context, by audit.Origin, id, subject, reason string) (*admission.Version, error) {
	var rejected *version
	err := s.under(ctx, by.Caller, id, subject, func(v *version) error {
		if v.State != admission.InReview && v.State != admission.Quarantined {
			return refuse(ErrConflict, RefusedState, "a version that is %s cannot be rejected", v.State)
		}
		if v.Approval != "" {
			return refuse(ErrConflict, RefusedState, "a version that was approved is quarantined, not rejected")
		}
		next := *v
		next.Version.State, next.Updated = admission.Rejected, s.Now().UTC()
		next.Reasons = append(next.Reasons[:len(next.Reasons):len(next.Reasons)], admission.Reason{Code: admission.ReasonOperator, Detail: bounded(reason)})
		if err := s.record(ctx, audit.Rejected(s.change(by, &next))); err != nil {
			return err
		}
		rejected = &next
		return s.move(ctx, &next, v.State, nil)
	})
	if err != nil {
		return nil, err
	}
	return &rejected.Version, nil
}

// move writes a version's new state with its blobs and tells the followers.
func (s *Service) move(ctx context.Context, v *version, from admission.State, blobs map[string]string) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		for digest, media := range blobs {
			if err := refBlob(ctx, tx, v.Tenant, digest, media); err != nil {
				return err
			}
		}
		if err := s.feed.add(ctx, tx, v.Tenant, FeedVersion, v.Name+" "+v.Version.Version, v.Updated); err != nil {
			return err
		}
		return updateVersion(ctx, tx, v, from)
	})
	if err == nil {
		s.feed.wake()
	}
	return err
}

func bounded(s string) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "")
	if len(s) > 1024 {
		s = strings.ToValidUTF8(s[:1024], "")
	}
	return s
}
