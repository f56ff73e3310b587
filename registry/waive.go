package registry

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/store"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
)

// Waive accepts exactly one finding of the listing scan: rule, pointer and leaf
// digest together. The listing is judged again; since the waiver becomes part
// of the approval, the subject changes and earlier votes are void.
func (s *Service) Waive(ctx context.Context, by audit.Origin, id, subject string, waiver admission.Waiver) (*admission.Review, error) {
	err := s.under(ctx, by.Caller, id, subject, func(v *version) error {
		if v.State != admission.InReview && v.State != admission.Quarantined {
			return refuse(ErrConflict, RefusedState, "a version that is %s is not reviewed", v.State)
		}
		now := s.Now().UTC()
		waiver.By = by.Caller.Principal
		if strings.TrimSpace(waiver.Reason) == "" || len(waiver.Reason) > 4096 {
			return refuse(ErrInvalid, RefusedWaiver, "a waiver needs a reason of at most 4096 bytes")
		}
		if !waiver.Expires.After(now) || waiver.Expires.After(now.Add(ApprovalLifetime)) {
			return refuse(ErrInvalid, RefusedWaiver, "a waiver expires, within 90 days")
		}
		if !slices.ContainsFunc(v.Findings, func(f admission.Finding) bool {
			return f.Rule == waiver.Rule && f.Pointer == waiver.Pointer && f.Leaf == waiver.Leaf && f.Leaf != ""
		}) {
			return refuse(ErrInvalid, RefusedWaiver, "no present finding has this rule, pointer and leaf digest")
		}
		return s.applyWaiver(ctx, by, v, waiver)
	})
	if err != nil {
		return nil, err
	}
	return s.Review(ctx, by.Caller.Tenant, id)
}

func (s *Service) applyWaiver(ctx context.Context, by audit.Origin, v *version, waiver admission.Waiver) error {
	w, err := s.repeatRun(ctx, v)
	if err != nil {
		return err
	}
	if err := s.rescan(ctx, w, waiver); err != nil {
		return err
	}
	item, position, err := s.answerAnew(ctx, w, checklist.CodeScan)
	if err != nil {
		return err
	}
	next := *v
	next.Updated = s.Now().UTC()
	if next.Subject, err = s.subject(w.prints, &w.verdict, &next, w.waivers); err != nil {
		return err
	}
	event := audit.Waived(s.change(by, v), audit.Waiver{Rule: waiver.Rule, Pointer: waiver.Pointer, Leaf: waiver.Leaf, Expires: waiver.Expires.UnixMilli()})
	if err := s.record(ctx, event); err != nil {
		return err
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		for digest, media := range w.blobs {
			if err := refBlob(ctx, tx, v.Tenant, digest, media); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO waivers (tenant, name, version, rule, pointer, leaf, reason, by_whom, expires) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (tenant, name, version, rule, pointer, leaf) DO UPDATE SET reason = excluded.reason, by_whom = excluded.by_whom, expires = excluded.expires`,
			v.Tenant, v.Name, v.Version.Version, waiver.Rule, waiver.Pointer, waiver.Leaf, waiver.Reason, waiver.By, store.Millis(waiver.Expires)); err != nil {
			return err
		}
		if err := putItem(ctx, tx, v, position, item, true); err != nil {
			return err
		}
		return updateVersion(ctx, tx, &next, v.State)
	})
}

// rescan judges the listing with one more waiver.
func (s *Service) rescan(ctx context.Context, w *work, waiver admission.Waiver) error {
	others, err := s.approvedElsewhere(ctx, w.v)
	if err != nil {
		return err
	}
	if w.waivers, err = s.waiversOf(ctx, w.v); err != nil {
		return err
	}
	w.waivers = append(slices.DeleteFunc(w.waivers, func(x admission.Waiver) bool {
		return x.Rule == waiver.Rule && x.Pointer == waiver.Pointer && x.Leaf == waiver.Leaf
	}), waiver)
	if w.verdict, err = s.scan(ctx, w.v.Name, w.prints, others, w.waivers); err != nil {
		return err
	}
	w.v.Findings, w.v.Failures = w.verdict.Findings, w.verdict.Failures
	w.v.Verdict, err = s.keep(ctx, w, w.verdict)
	return err
}

// answerAnew answers one item from what the work holds now.
func (s *Service) answerAnew(ctx context.Context, w *work, code string) (admission.Item, int, error) {
	answers, err := checklist.Answers(w.facts())
	if err != nil {
		return admission.Item{}, 0, err
	}
	for i, a := range answers {
		if a.Item.Code != code {
			continue
		}
		a.Item.By, a.Item.At = "registry", s.Now().UTC()
		if a.Evidence != nil {
			a.Item.Evidence, err = s.keepBytes(ctx, w, a.Evidence, mediaJSON)
		}
		return a.Item, i, err
	}
	return admission.Item{}, 0, notFound("checklist item")
}

func (s *Service) waiversOf(ctx context.Context, v *version) (all []admission.Waiver, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		all, err = getWaivers(ctx, tx, v)
		return err
	})
	return all, err
}

func getWaivers(ctx context.Context, tx *sql.Tx, v *version) ([]admission.Waiver, error) {
	rows, err := tx.QueryContext(ctx, `SELECT rule, pointer, leaf, reason, by_whom, expires FROM waivers WHERE tenant = $1 AND name = $2 AND version = $3 ORDER BY rule, pointer, leaf`, v.Tenant, v.Name, v.Version.Version)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []admission.Waiver{}
	for rows.Next() {
		var w admission.Waiver
		var expires int64
		if err := rows.Scan(&w.Rule, &w.Pointer, &w.Leaf, &w.Reason, &w.By, &expires); err != nil {
			return nil, err
		}
		w.Expires = store.Time(expires)
		all = append(all, w)
	}
	return all, rows.Err()
}
