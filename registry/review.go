package registry

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
)

// Review shows everything about the review of one version.
func (s *Service) Review(ctx context.Context, tenant, id string) (*admission.Review, error) {
	var v *version
	var r admission.Review
	err := s.view(ctx, func(tx *sql.Tx) (err error) {
		if v, err = getReview(ctx, tx, tenant, id); err != nil {
			return err
		}
		return s.fillReview(ctx, tx, v, &r)
	})
	if err != nil {
		return nil, err
	}
	trust, err := s.trust()
	if err != nil {
		return nil, err
	}
	s.judge(v, &r, trust)
	return &r, nil
}

// Reviews lists the reviews of versions in one of the states, oldest first.
func (s *Service) Reviews(ctx context.Context, tenant string, states ...admission.State) ([]admission.Review, error) {
	out := []admission.Review{}
	var all []*version
	err := s.view(ctx, func(tx *sql.Tx) (err error) {
		if all, err = queryVersions(ctx, tx, `SELECT `+versionColumns+` FROM versions WHERE tenant = $1 AND state <> 'received' ORDER BY created, name, version`, tenant); err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(v *version) bool { return len(states) > 0 && !slices.Contains(states, v.State) })
		for _, v := range all {
			var r admission.Review
			if err := s.fillReview(ctx, tx, v, &r); err != nil {
				return err
			}
			out = append(out, r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	trust, err := s.trust()
	if err != nil {
		return nil, err
	}
	for i := range out {
		s.judge(all[i], &out[i], trust)
	}
	return out, nil
}

func (s *Service) fillReview(ctx context.Context, tx *sql.Tx, v *version, r *admission.Review) (err error) {
	r.ID, r.Version, r.Subject = v.Review, v.Version, v.Subject
	if r.Items, err = getItems(ctx, tx, v); err != nil {
		return err
	}
	if r.Votes, err = getVotes(ctx, tx, v); err != nil {
		return err
	}
	r.Waivers, err = getWaivers(ctx, tx, v)
	return err
}

// judge counts answers and votes and says what is still in the way.
func (s *Service) judge(v *version, r *admission.Review, trust *approval.Trust) {
	now := s.Now()
	r.Blocking = []string{}
	for _, item := range r.Items {
		switch item.Result {
		case admission.Pass:
			r.Counts.Pass++
		case admission.Fail:
			r.Counts.Fail++
		case admission.NotNeeded:
			r.Counts.NotNeeded++
		case admission.Waived:
			r.Counts.Waived++
		default:
			r.Counts.Unanswered++
		}
		if item.Blocks(now) || item.Evidence != "" && !s.hasBlob(item.Evidence) {
			r.Blocking = append(r.Blocking, item.Code)
		}
	}
	tier, known := trust.Tiers[v.Tier]
	r.Quorum = admission.Quorum{Tier: v.Tier, Needed: tier.Votes, SessionVotes: tier.SessionVotes}
	for _, vote := range r.Votes {
		if !vote.Stale && vote.Value == approval.VoteApprove && (vote.Kind == "key" || tier.SessionVotes) {
			r.Quorum.Have++
		}
	}
	if !known || r.Quorum.Have < r.Quorum.Needed {
		r.Blocking = append(r.Blocking, "votes")
	}
}

func (s *Service) hasBlob(digest string) bool {
	_, err := s.Blobs.Size(digest)
	return err == nil
}

// decide loads the version of a review for somebody who may decide about it:
// a reviewer who neither published nor signed it, on the subject they saw.
func (s *Service) decide(ctx context.Context, by identity.Caller, id, subject string) (*version, error) {
	if !by.HasRole(identity.RoleReviewer, identity.RoleAdmin) {
		return nil, refuse(ErrForbidden, RefusedRole, "this needs the role reviewer")
	}
	var v *version
	err := s.view(ctx, func(tx *sql.Tx) (err error) {
		v, err = getReview(ctx, tx, by.Tenant, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	if by.Principal == v.Publisher {
		return nil, refuse(ErrForbidden, RefusedSelf, "who published a version does not decide about it")
	}
	if subject != "" && subject != v.Subject {
		return nil, refuse(ErrConflict, RefusedStale, "the version under review changed: look at it again")
	}
	return v, nil
}

// under locks a version while somebody decides about it.
func (s *Service) under(ctx context.Context, by identity.Caller, id, subject string, decide func(*version) error) error {
	v, err := s.decide(ctx, by, id, subject)
	if err != nil {
		return err
	}
	defer s.busy.lock(v.key())()
	if v, err = s.decide(ctx, by, id, subject); err != nil { // as it is now, under the lock
		return err
	}
	return decide(v)
}

// Answer answers one item. People answer what the machine left open, and may
// waive what it failed, with a reason and for at most 90 days; they do not
// overrule it.
func (s *Service) Answer(ctx context.Context, by audit.Origin, id, code string, result admission.Result, note string, expires time.Time) (*admission.Item, error) {
	var answered admission.Item
	err := s.under(ctx, by.Caller, id, "", func(v *version) error {
		if v.State != admission.InReview && v.State != admission.Quarantined {
			return refuse(ErrConflict, RefusedState, "a version that is %s is not reviewed", v.State)
		}
		items, err := s.items(ctx, v)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(items, func(i admission.Item) bool { return i.Code == code })
		if i < 0 {
			return notFound("checklist item")
		}
		now := s.Now().UTC()
		item := items[i]
		if err := mayAnswer(&item, result, note, expires, now); err != nil {
			return err
		}
		before := item.Evidence
		item.Result, item.Note, item.By, item.At, item.Expires = result, note, by.Caller.Principal, now, time.Time{}
		if result == admission.Waived {
			item.Expires = expires.UTC()
		}
		evidence, err := checklist.Evidence(item.Code, item.Title, result, note, map[string]any{"by": item.By, "at": now, "expires": item.Expires, "answeredBefore": before})
		if err != nil {
			return err
		}
		if item.Evidence, err = s.put(ctx, evidence); err != nil {
			return err
		}
		if err := s.record(ctx, audit.ItemAnswered(s.change(by, v), audit.ChecklistItem{Code: item.Code, Name: item.Title, Status: auditStatus(result)})); err != nil {
			return err
		}
		answered = item
		return s.tx(ctx, func(tx *sql.Tx) error {
			if err := refBlob(ctx, tx, v.Tenant, item.Evidence, mediaJSON); err != nil {
				return err
			}
			return putItem(ctx, tx, v, i, item, true)
		})
	})
	return &answered, err
}

func mayAnswer(item *admission.Item, result admission.Result, note string, expires, now time.Time) error {
	if strings.TrimSpace(note) == "" || len(note) > 4096 {
		return refuse(ErrInvalid, RefusedAnswer, "an answer needs a note of at most 4096 bytes: it becomes the evidence")
	}
	machine := item.Class == admission.Automatic && (item.By == "registry" || item.Result == admission.Waived)
	switch result {
	case admission.Waived:
		if item.Result != admission.Fail && item.Result != admission.Waived {
			return refuse(ErrConflict, RefusedAnswer, "only a failed item can be waived")
		}
		if !expires.After(now) || expires.After(now.Add(ApprovalLifetime)) {
			return refuse(ErrInvalid, RefusedWaiver, "a waiver expires, within 90 days")
		}
	case admission.Pass, admission.Fail, admission.NotNeeded:
		if machine && item.Result != admission.Unanswered {
			return refuse(ErrConflict, RefusedAnswer, "the registry answered this item; a failed one can be waived")
		}
	default:
		return refuse(ErrInvalid, RefusedAnswer, "an answer is pass, fail, n/a or waived")
	}
	return nil
}

func (s *Service) items(ctx context.Context, v *version) (items []admission.Item, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		items, err = getItems(ctx, tx, v)
		return err
	})
	return items, err
}
