package registry

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/store"
)

// MaxStatusMessage bounds a status message, in characters.
const MaxStatusMessage = 500

// SetStatus changes the lifecycle status of approved versions of one server:
// of ver, or with "" of all of them, in one transaction. It needs what
// publishing under the server's namespace needs.
//
// A deleted version is withdrawn: its approval leaves the snapshot before the
// answer comes, so gateways start and reach it no more. Active and deprecated
// bring it back, while the approval still verifies; the reviewers' decision is
// neither repeated nor undone.
func (s *Service) SetStatus(ctx context.Context, by audit.Origin, name, ver string, status admission.Status, message string) ([]Published, error) {
	if err := mayChangeStatus(by.Caller, name); err != nil {
		return nil, err
	}
	if err := checkStatus(status, message); err != nil {
		return nil, err
	}
	all, unlock, err := s.lockApproved(ctx, by.Caller.Tenant, name, ver)
	if err != nil {
		return nil, err
	}
	defer unlock()
	changing := slices.DeleteFunc(slices.Clone(all), func(v *version) bool {
		return v.Lifecycle.Is(status) && v.Lifecycle.Message == message
	})
	if len(changing) == 0 {
		return nil, refuse(ErrConflict, RefusedState, "nothing would change: status and message are these already")
	}
	if err := s.changeStatus(ctx, by, changing, status, message); err != nil {
		return nil, err
	}
	return s.withStatus(ctx, by.Caller.Tenant, name, all)
}

// mayChangeStatus is as MayPublish.
func mayChangeStatus(by identity.Caller, name string) error {
	namespace, _, _ := strings.Cut(name, "/")
	switch {
	case !by.HasRole(identity.RolePublisher, identity.RoleAdmin):
		return refuse(ErrForbidden, RefusedRole, "a status is changed by a publisher")
	case !by.OwnsNamespace(namespace):
		return refuse(ErrForbidden, RefusedNamespace, "this key does not cover the server's namespace")
	}
	return nil
}

func checkStatus(status admission.Status, message string) error {
	switch status {
	case admission.Active:
		if message != "" {
			return refuse(ErrInvalid, RefusedStatus, "statusMessage cannot be given with status active")
		}
	case admission.Deprecated, admission.Deleted:
	default:
		return refuse(ErrInvalid, RefusedStatus, "status is one of active, deprecated, deleted")
	}
	if utf8.RuneCountInString(message) > MaxStatusMessage || badText(message) {
		return refuse(ErrInvalid, RefusedStatus, "statusMessage has at most %d characters, none of them control or hidden", MaxStatusMessage)
	}
	return nil
}

// lockApproved loads the approved versions of a server under their locks, taken
// in one order.
func (s *Service) lockApproved(ctx context.Context, tenant, name, ver string) (all []*version, unlock func(), err error) {
	load := func() error {
		return s.view(ctx, func(tx *sql.Tx) (err error) {
			all, err = queryVersions(ctx, tx, `SELECT `+versionColumns+` FROM versions WHERE tenant = $1 AND name = $2 AND state = 'approved' AND ($3 = '' OR version = $3)`, tenant, name, ver)
			return err
		})
	}
	if err := load(); err != nil {
		return nil, nil, err
	}
	slices.SortFunc(all, func(a, b *version) int { return cmp.Compare(a.key(), b.key()) })
	held := map[string]bool{}
	var unlocks []func()
	unlock = func() {
		for _, u := range unlocks {
			u()
		}
	}
	for _, v := range all {
		held[v.key()] = true
		unlocks = append(unlocks, s.busy.lock(v.key()))
	}
	if err = load(); err == nil {
		// What was approved between the two is not under a lock: not meant.
		all = slices.DeleteFunc(all, func(v *version) bool { return !held[v.key()] })
		if len(all) == 0 {
			err = notFound("version")
		}
	}
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return all, unlock, nil
}

// changeStatus records, withdraws or admits, and writes. As with a quarantine
// the anchor goes first when something ends and last when it begins: a kill in
// between leaves more closed than was meant, and the next start shows it as
// quarantined.
func (s *Service) changeStatus(ctx context.Context, by audit.Origin, changing []*version, status admission.Status, message string) error {
	now := s.Now().UTC()
	var ending, returning []string
	for _, v := range changing {
		switch was := v.Lifecycle.Is(admission.Deleted); {
		case status == admission.Deleted && !was:
			ending = append(ending, hexDigest(v.Approval))
		case status != admission.Deleted && was:
			if _, err := s.snapshots.verify(ctx, v); err != nil {
				return refuse(ErrConflict, RefusedState, "the approval of %s is no longer valid; publish and review a new version", v.Version.Version)
			}
			returning = append(returning, hexDigest(v.Approval))
		}
		change := s.change(by, v)
		change.State = string(status)
		if err := s.record(ctx, audit.StatusChanged(change)); err != nil {
			return err
		}
	}
	tenant := changing[0].Tenant
	if len(ending) > 0 {
		if err := s.snapshots.withdraw(ctx, tenant, ending...); err != nil {
			return err
		}
		s.failpoint("deleted withdrawn")
	}
	err := s.tx(ctx, func(tx *sql.Tx) error {
		for _, v := range changing {
			if err := setStatus(ctx, tx, v, admission.Lifecycle{Status: status, Message: message, Changed: now}); err != nil {
				return err
			}
			if err := s.feed.add(ctx, tx, tenant, FeedVersion, v.Name+" "+v.Version.Version, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.feed.wake()
	if len(returning) > 0 {
		return s.snapshots.admit(ctx, tenant, returning...)
	}
	return nil
}

func setStatus(ctx context.Context, tx *sql.Tx, v *version, l admission.Lifecycle) error {
	result, err := tx.ExecContext(ctx, `UPDATE versions SET status = $1, status_message = $2, status_changed = $3, updated = $3 WHERE tenant = $4 AND name = $5 AND version = $6 AND state = 'approved'`,
		string(l.Status), l.Message, store.Millis(l.Changed), v.Tenant, v.Name, v.Version.Version)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil {
		return err
	} else if n != 1 {
		return refuse(ErrConflict, RefusedState, "the version changed meanwhile")
	}
	return nil
}

// withStatus reads the versions as they now stand, whatever their status.
func (s *Service) withStatus(ctx context.Context, tenant, name string, all []*version) ([]Published, error) {
	rows, err := s.approvedRows(ctx, tenant, ` AND name = $2`, name)
	if err != nil {
		return nil, err
	}
	newest := newestOf(rows)
	out := make([]Published, 0, len(all))
	for _, v := range all {
		p, err := s.published(ctx, tenant, v.Name, v.Version.Version)
		if err != nil {
			return nil, err
		}
		p.Latest = v.Version.Version == newest
		out = append(out, *p)
	}
	return out, nil
}
