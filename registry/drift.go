package registry

import (
	"context"
	"database/sql"
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/store"
)

// Bounds on what gateways report.
const (
	maxDriftEntry = 4 << 20
	maxDrifts     = 1000 // kept per version
)

// DriftReport is an entry that a gateway observed and holds.
type DriftReport struct {
	Name, Version, Era, Kind, Key string
	Observed                      jsontext.Value // the raw entry; nil: it is gone
}

// ReportDrift keeps what a gateway saw and flags the version. The gateway
// holds the entry by itself; the rest of the server goes on.
func (s *Service) ReportDrift(ctx context.Context, by audit.Origin, r DriftReport) (*admission.Drift, error) {
	if !by.Caller.HasRole(identity.RoleGateway, identity.RoleAdmin) {
		return nil, refuse(ErrForbidden, RefusedRole, "drift is reported by gateways")
	}
	kind, err := fingerprint.ParseKind(r.Kind)
	if err != nil || len(r.Observed) > maxDriftEntry || len(r.Key) > 4096 || r.Era == "" || len(r.Era) > 32 {
		return nil, refuse(ErrInvalid, RefusedOptions, "a drift report names era, kind and key, with an entry of at most %d bytes", maxDriftEntry)
	}
	v, err := s.find(ctx, by.Caller.Tenant, r.Name, r.Version)
	if err != nil {
		return nil, err
	}
	defer s.busy.lock(v.key())()
	if v, err = s.find(ctx, by.Caller.Tenant, r.Name, r.Version); err != nil {
		return nil, err
	}
	if v.Approval == "" {
		return nil, refuse(ErrConflict, RefusedState, "nothing drifts from a version that was never approved")
	}
	observed := r.Observed
	if observed == nil {
		observed = jsontext.Value("null")
	}
	d := &admission.Drift{ID: audit.NewID(), Name: r.Name, Version: r.Version, Era: r.Era, Kind: r.Kind, Key: r.Key, Reporter: by.Caller.Principal, At: s.Now().UTC()}
	if d.Evidence, err = s.put(ctx, observed); err != nil {
		return nil, err
	}
	if d.Changes, err = s.driftChanges(ctx, v, d, kind); err != nil {
		return nil, err
	}
	return d, s.keepDrift(ctx, v, d)
}

func (s *Service) keepDrift(ctx context.Context, v *version, d *admission.Drift) error {
	event := audit.Drift{Tenant: v.Tenant, Server: v.Name, Version: v.Version.Version, Alias: v.Alias, Approval: v.Approval, Kind: d.Kind, Key: d.Key, Reason: "changed", NewDigest: d.Evidence}
	for _, c := range d.Changes[:min(len(d.Changes), 100)] {
		event.Pointers = append(event.Pointers, c.Pointer)
	}
	known, count, err := s.knownDrift(ctx, v, d)
	if err != nil || known {
		return err
	}
	if count >= maxDrifts {
		return refuse(ErrConflict, RefusedState, "this version has %d drift reports already", count)
	}
	if err := s.record(ctx, audit.DriftFound(event)); err != nil {
		return err
	}
	next := *v
	next.Drifted, next.Updated = true, d.At
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if err := refBlob(ctx, tx, v.Tenant, d.Evidence, mediaJSON); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO drifts (tenant, id, name, version, era, kind, entry, evidence, reporter, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			v.Tenant, d.ID, v.Name, v.Version.Version, d.Era, d.Kind, d.Key, d.Evidence, d.Reporter, store.Millis(d.At)); err != nil {
			return err
		}
		if err := s.feed.add(ctx, tx, v.Tenant, FeedVersion, v.Name+" "+v.Version.Version, d.At); err != nil {
			return err
		}
		return updateVersion(ctx, tx, &next, v.State)
	})
	if err == nil {
		s.feed.wake()
	}
	return err
}

// knownDrift reports whether the very same observation is there already.
func (s *Service) knownDrift(ctx context.Context, v *version, d *admission.Drift) (known bool, count int, err error) {
	all, err := s.drifts(ctx, v)
	for _, o := range all {
		if o.Era == d.Era && o.Kind == d.Kind && o.Key == d.Key && o.Evidence == d.Evidence {
			d.ID, d.At, d.Reporter = o.ID, o.At, o.Reporter
			return true, len(all), err
		}
	}
	return false, len(all), err
}

// Drifts lists what gateways reported about a version, newest first, with the
// differences to what was approved.
func (s *Service) Drifts(ctx context.Context, tenant, name, ver string) ([]admission.Drift, error) {
	v, err := s.find(ctx, tenant, name, ver)
	if err != nil {
		return nil, err
	}
	all, err := s.drifts(ctx, v)
	if err != nil {
		return nil, err
	}
	for i := range all {
		kind, _ := fingerprint.ParseKind(all[i].Kind)
		if all[i].Changes, err = s.driftChanges(ctx, v, &all[i], kind); err != nil {
			return nil, err
		}
		all[i].Key = admission.Visible(all[i].Key)
	}
	return all, nil
}

func (s *Service) drifts(ctx context.Context, v *version) ([]admission.Drift, error) {
	all := []admission.Drift{}
	err := s.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT id, era, kind, entry, evidence, reporter, at FROM drifts WHERE tenant = $1 AND name = $2 AND version = $3 ORDER BY at DESC, id DESC`, v.Tenant, v.Name, v.Version.Version)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			d := admission.Drift{Name: v.Name, Version: v.Version.Version}
			var at int64
			if err := rows.Scan(&d.ID, &d.Era, &d.Kind, &d.Key, &d.Evidence, &d.Reporter, &at); err != nil {
				return err
			}
			d.At = store.Time(at)
			all = append(all, d)
		}
		return rows.Err()
	})
	return all, err
}

// driftChanges compares an observation with what was approved. What a gateway
// reports may be too broken to compare; then the whole is shown.
func (s *Service) driftChanges(ctx context.Context, v *version, d *admission.Drift, kind fingerprint.Kind) ([]admission.Change, error) {
	w, err := s.repeatRun(ctx, v)
	if err != nil {
		return nil, err
	}
	is, err := s.get(ctx, d.Evidence, maxDriftEntry)
	if err != nil {
		return nil, err
	}
	was := ofEra(w.prints, d.Era).raw(kind, d.Key)
	observed := jsontext.Value(is)
	if string(is) == "null" {
		observed = nil
	}
	changes, err := differences(d.Era, entryID{kind, d.Key}, was, observed)
	var refusal *Refusal
	if err != nil && !errors.As(err, &refusal) {
		return []admission.Change{{Era: d.Era, Kind: d.Kind, Key: admission.Visible(d.Key), Old: admission.Visible(string(was)), New: admission.Visible(string(is))}}, nil
	}
	if changes == nil {
		changes = []admission.Change{}
	}
	return changes, err
}
