package registry

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
)

// answerChecklist answers what can be answered and keeps the evidence of every
// answer as a blob. An answer whose evidence cannot be kept is none.
func (s *Service) answerChecklist(ctx context.Context, w *work) error {
	answers, err := checklist.Answers(w.facts())
	if err != nil {
		return err
	}
	for i := range answers {
		a := &answers[i]
		if a.Evidence == nil {
			continue
		}
		a.Item.By, a.Item.At = "registry", s.Now().UTC()
		if a.Item.Evidence, err = s.keepBytes(ctx, w, a.Evidence, mediaJSON); err != nil {
			return err
		}
	}
	w.answers = answers
	return nil
}

func (w *work) facts() *checklist.Facts {
	v := w.v
	f := &checklist.Facts{
		Document: w.doc, Publisher: v.Publisher, Namespaces: v.KeyNamespaces, Bundles: len(v.Bundles), Signers: v.Signers,
		Signed: v.signed(), Artifact: v.Artifact, ListingSource: v.Source, Held: heldEntries(w.prints), Roots: map[string]string{},
		Shadowed: w.shadowed, SBOM: w.bill, Launch: v.Launch, Binding: v.Binding, Tree: v.Tree, Scopes: v.Scopes,
		Secrets: w.secrets, Declaration: undeclared(w), TLS: v.TLS, Probe: w.probe(), Vulnerabilities: w.report, MustMeasure: w.mustMeasure, Licences: w.licences,
		Scan: checklist.Scan{Action: w.verdict.Action, Findings: w.verdict.Findings, Failures: w.verdict.Failures, Waived: w.verdict.Waived},
	}
	if v.ScopesDeclared && f.Scopes == nil {
		f.Scopes = []string{}
	} else if !v.ScopesDeclared {
		f.Scopes = nil
	}
	for _, r := range v.Reasons {
		switch r.Code {
		case admission.ReasonUnsigned, admission.ReasonSignatureInvalid, admission.ReasonDigestMismatch:
			f.SignatureReason = append(f.SignatureReason, r)
		}
	}
	for _, ref := range w.verdict.Scanners {
		f.Scan.Scanners = append(f.Scan.Scanners, ref.Name+"@"+ref.Digest)
	}
	for _, p := range w.prints {
		f.Listings = append(f.Listings, p.listing)
		f.Roots[string(p.listing.Era)] = p.set.Root.String()
	}
	return f
}

// replaceItems writes the answers of a run. What people answered earlier is
// kept: a run repeats only what the machine said.
func replaceItems(ctx context.Context, tx *sql.Tx, v *version, answers []checklist.Answer) error {
	for i, a := range answers {
		if err := putItem(ctx, tx, v, i, a.Item, a.Item.Class == admission.Automatic); err != nil {
			return err
		}
	}
	return nil
}

func putItem(ctx context.Context, tx *sql.Tx, v *version, position int, item admission.Item, replace bool) error {
	record, err := json.Marshal(item, json.Deterministic(true))
	if err != nil {
		return err
	}
	query := `INSERT INTO items (tenant, name, version, code, position, result, evidence, record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant, name, version, code) `
	if replace {
		query += `DO UPDATE SET result = excluded.result, evidence = excluded.evidence, record = excluded.record`
	} else {
		query += `DO NOTHING`
	}
	_, err = tx.ExecContext(ctx, query, v.Tenant, v.Name, v.Version.Version, item.Code, position, item.Result, item.Evidence, record)
	return err
}

// getItems reads the checklist in order. Result and evidence come from their
// columns; an answer without evidence counts as none.
func getItems(ctx context.Context, tx *sql.Tx, v *version) ([]admission.Item, error) {
	rows, err := tx.QueryContext(ctx, `SELECT result, evidence, record FROM items WHERE tenant = $1 AND name = $2 AND version = $3 ORDER BY position`, v.Tenant, v.Name, v.Version.Version)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	items := []admission.Item{}
	for rows.Next() {
		var item admission.Item
		var result, evidence string
		var record []byte
		if err := rows.Scan(&result, &evidence, &record); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(record, &item); err != nil {
			return nil, fmt.Errorf("registry: checklist item: %w", err)
		}
		item.Result, item.Evidence = admission.Result(result), evidence
		if item.Evidence == "" {
			item.Result = admission.Unanswered
		}
		items = append(items, item)
	}
	return items, rows.Err()
}

// repeatRun prepares a run over the stored parts of a version that has been
// through the pipeline before.
func (s *Service) repeatRun(ctx context.Context, v *version) (*work, error) {
	w := &work{v: v, blobs: map[string]string{}}
	if err := s.load(ctx, w); err != nil {
		return nil, err
	}
	if v.Listing == "" {
		return nil, refuse(ErrConflict, RefusedState, "the version has no listing yet")
	}
	raw, err := s.get(ctx, v.Listing, MaxEvidence*4)
	if err != nil {
		return nil, err
	}
	if w.capture, err = listing.ParseCapture(raw); err != nil {
		return nil, err
	}
	w.prints, err = fingerprints(w.capture.Listings)
	return w, err
}
