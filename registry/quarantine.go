package registry

import (
	"context"
	"database/sql"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// Quarantine takes a version out of circulation. Its approval leaves the
// snapshot before the answer comes.
func (s *Service) Quarantine(ctx context.Context, by audit.Origin, name, ver, reason string) (*admission.Version, error) {
	return s.operate(ctx, by, name, ver, reason, func(v *version) error {
		if v.State == admission.Quarantined || v.State == admission.Rejected || v.State == admission.Received {
			return refuse(ErrConflict, RefusedState, "the version is %s already", v.State)
		}
		next := *v
		next.Version.State, next.Updated = admission.Quarantined, s.Now().UTC()
		next.Reasons = append(next.Reasons[:len(next.Reasons):len(next.Reasons)], admission.Reason{Code: admission.ReasonOperator, Detail: bounded(reason)})
		if err := s.record(ctx, audit.Quarantined(s.change(by, &next))); err != nil {
			return err
		}
		// Withdrawn first, on the anchor that no database row overrules: if the
		// process dies here, the approval is gone and the row follows at start.
		if v.Approval != "" {
			if err := s.snapshots.withdraw(ctx, v.Tenant, hexDigest(v.Approval)); err != nil {
				return err
			}
		}
		s.failpoint("withdrawn")
		if err := s.move(ctx, &next, v.State, nil); err != nil {
			return err
		}
		*v = next
		return nil
	})
}

// Release lets a version out of quarantine: back to its approval if it has one
// that still verifies, else to the reviewers. It answers nothing on the
// checklist: what failed still has to be waived or approved by people.
func (s *Service) Release(ctx context.Context, by audit.Origin, name, ver, reason string) (*admission.Version, error) {
	return s.operate(ctx, by, name, ver, reason, func(v *version) error {
		if v.State != admission.Quarantined {
			return refuse(ErrConflict, RefusedState, "the version is %s, not quarantined", v.State)
		}
		if by.Caller.Principal == v.Publisher {
			return refuse(ErrForbidden, RefusedSelf, "who published a version does not release it")
		}
		next := *v
		next.Version.State, next.Updated, next.Reasons, next.Drifted = admission.InReview, s.Now().UTC(), nil, false
		next.Accepted, next.Stale = accepted(v, v.Reasons), nil
		if v.Approval != "" {
			if _, err := s.snapshots.verify(ctx, &next); err != nil {
				return refuse(ErrConflict, RefusedState, "its approval is no longer valid; publish and review a new version")
			}
			next.Version.State = admission.Approved
		}
		if err := s.record(ctx, audit.Released(s.change(by, &next))); err != nil {
			return err
		}
		if err := s.move(ctx, &next, v.State, nil); err != nil {
			return err
		}
		*v = next
		if v.Approval == "" || v.Lifecycle.Is(admission.Deleted) { // what its publisher deleted comes back by its publisher
			return nil
		}
		return s.snapshots.admit(ctx, v.Tenant, hexDigest(v.Approval))
	})
}

// operate runs an operator's act on a version, under its lock.
func (s *Service) operate(ctx context.Context, by audit.Origin, name, ver, reason string, act func(*version) error) (*admission.Version, error) {
	if !by.Caller.HasRole(identity.RoleAdmin, identity.RoleReviewer) {
		return nil, refuse(ErrForbidden, RefusedRole, "this needs the role admin or reviewer")
	}
	if strings.TrimSpace(reason) == "" {
		return nil, refuse(ErrInvalid, RefusedOptions, "say why: a reason is required")
	}
	v, err := s.find(ctx, by.Caller.Tenant, name, ver)
	if err != nil {
		return nil, err
	}
	defer s.busy.lock(v.key())()
	if v, err = s.find(ctx, by.Caller.Tenant, name, ver); err != nil {
		return nil, err
	}
	if err := act(v); err != nil {
		return nil, err
	}
	return &v.Version, nil
}

func (s *Service) find(ctx context.Context, tenant, name, ver string) (v *version, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		v, err = getVersion(ctx, tx, tenant, name, ver)
		return err
	})
	return v, err
}
