package approval

import (
	"fmt"
)

// open brings a new Keeper to where the last one stopped.
func (k *Keeper) open() error {
	st, err := k.store.load()
	if err != nil {
		return err
	}
	if st == nil {
		file, err := ReadTrust(k.c.TrustPath)
		if err != nil {
			return err
		}
		t, err := ParseTrust(file)
		if err != nil {
			return err
		}
		st = &state{Format: stateFormat, Registry: t.Registry, Tenant: k.c.Tenant, Trust: file}
		if err := k.store.save(st); err != nil {
			return err
		}
		k.state, k.trust, k.seenFile = st, t, hexDigest(file)
		k.view.Store(newView(t, nil, nil, k.c.Grace, 0))
		return nil
	}
	if k.trust, err = ParseTrust(st.Trust); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	switch {
	case st.Registry != k.trust.Registry:
		return fmt.Errorf("%w: %w", ErrState, ErrRegistry)
	case st.Tenant != k.c.Tenant:
		return fmt.Errorf("%w: %w: it was kept for tenant %q", ErrState, ErrTenant, st.Tenant)
	}
	k.state = st
	if _, err := k.reloadTrust(); err != nil {
		return err
	}
	k.restore()
	return nil
}

// restore serves the stored snapshot, if it still verifies, from the cache.
func (k *Keeper) restore() {
	var s *Snapshot
	if len(k.state.Snapshot) > 0 {
		// Expired ones too: the view judges the time at every question.
		s, _ = openSnapshot(k.state.Snapshot, k.trust, k.c.Tenant)
	}
	if s == nil {
		k.view.Store(newView(k.trust, nil, nil, k.c.Grace, 0))
		return
	}
	for _, d := range s.Approvals {
		if b, ok := k.store.cached(d); ok {
			if a, err := k.verifyApproval(d, b); err == nil {
				k.verified[d] = a
			}
		}
	}
	k.publish(s, k.deadline(s))
}

// reloadTrust accepts the installed file if it is the accepted version or the
// next one; it reports whether the accepted document changed.
func (k *Keeper) reloadTrust() (accepted bool, err error) {
	file, err := ReadTrust(k.c.TrustPath)
	if err != nil {
		return false, err
	}
	digest := hexDigest(file)
	if digest == k.seenFile {
		return false, k.fileErr
	}
	next, err := k.trust.Succeeds(k.state.Trust, file, k.c.Now())
	if err == nil && next != nil {
		st := *k.state
		st.Trust = file
		if err := k.store.save(&st); err != nil {
			return false, err // not seen: tried again
		}
		k.state, k.trust = &st, next
	}
	k.seenFile, k.fileErr = digest, err
	return next != nil && err == nil, err
}
