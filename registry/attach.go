package registry

import (
	"context"
	"database/sql"
	"slices"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// Attach adds signature bundles to a version that came without, as the
// official publishing tool sends none. Within AttachWindow of the publication
// its publisher may, and the pipeline decides anew by itself; later only a
// reviewer.
func (s *Service) Attach(ctx context.Context, by audit.Origin, name, ver string, bundles [][]byte) (*admission.Version, error) {
	v, err := s.find(ctx, by.Caller.Tenant, name, ver)
	if err != nil {
		return nil, err
	}
	defer s.busy.lock(v.key())()
	if v, err = s.find(ctx, by.Caller.Tenant, name, ver); err != nil {
		return nil, err
	}
	if err := s.mayAttach(by.Caller, v); err != nil {
		return nil, err
	}
	if len(bundles) == 0 || len(v.Bundles)+len(bundles) > MaxBundles || slices.ContainsFunc(bundles, func(b []byte) bool { return len(b) > attest.MaxBundle }) {
		return nil, refuse(ErrInvalid, RefusedBundle, "attach 1 to %d bundles in all", MaxBundles)
	}
	next := *v
	next.Version.Bundles = slices.Clone(v.Bundles)
	added := map[string]string{}
	for _, b := range bundles {
		digest, err := s.put(ctx, b)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(next.Bundles, digest) {
			next.Bundles = append(next.Bundles, digest)
			added[digest] = mediaBundle
		}
	}
	if len(added) == 0 {
		return &v.Version, nil
	}
	next.Version.State, next.Reasons, next.Updated = admission.Received, nil, s.Now().UTC()
	if err := s.record(ctx, audit.Published(s.change(by, &next))); err != nil {
		return nil, err
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		for digest, media := range added {
			if err := refBlob(ctx, tx, next.Tenant, digest, media); err != nil {
				return err
			}
		}
		return updateVersion(ctx, tx, &next, v.State)
	})
	if err != nil {
		return nil, err
	}
	done, err := s.process(ctx, by, &next)
	if err != nil {
		return nil, err
	}
	return &done.Version, nil
}

// unsignedOnly reports whether a missing signature is all that its publisher can
// do something about. What the namespace looks like is found again.
func (v *version) unsignedOnly() bool {
	return v.State == admission.Quarantined && v.Approval == "" &&
		slices.ContainsFunc(v.Reasons, func(r admission.Reason) bool { return r.Code == admission.ReasonUnsigned }) &&
		!slices.ContainsFunc(v.Reasons, func(r admission.Reason) bool {
			return r.Code != admission.ReasonUnsigned && r.Code != admission.ReasonLookalikeNamespace
		})
}

// mayAttach allows it only where the missing signature is all that is wrong:
// no bundle argues with a scanner.
func (s *Service) mayAttach(by identity.Caller, v *version) error {
	if !v.unsignedOnly() {
		return refuse(ErrConflict, RefusedState, "bundles are attached to a version that is quarantined as unsigned and for nothing else")
	}
	switch {
	case by.HasRole(identity.RoleReviewer) && by.Principal != v.Publisher:
		return nil
	case by.Principal != v.Publisher && !by.HasRole(identity.RoleAdmin):
		return notFound("version")
	case s.Now().Sub(v.Created) > AttachWindow:
		return refuse(ErrConflict, RefusedWindow, "bundles move a version on by themselves for %s after its publication; now only a reviewer can", AttachWindow)
	}
	return nil
}
