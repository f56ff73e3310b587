package registry

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/store"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
	"github.com/bartizan-mcp/bartizan/sbom/vulnerability"
)

// repeated are the items whose answers a new look can change.
var repeated = []string{checklist.CodeSigned, checklist.CodeDigest, checklist.CodeScan, checklist.CodeShadowing, checklist.CodeIncidents, checklist.CodeLicences}

// revise takes a new look at a version in review into its review: answers that
// no longer hold are replaced, their evidence stays stored, and a reason for
// quarantine takes it out. A person's answer stays as long as what it rests on
// does.
func (s *Service) revise(ctx context.Context, o owed, v *version, w *work) error {
	next := *v
	next.Updated = s.Now().UTC()
	next.Findings, next.Failures, next.Verdict, next.Signers = w.v.Findings, w.v.Failures, w.v.Verdict, w.v.Signers
	next.Vulnerabilities, next.Denied = w.v.Vulnerabilities, w.v.Denied
	next.Reasons = unaccepted(v, w.v.Reasons)
	if len(next.Reasons) > 0 {
		next.Version.State = admission.Quarantined
	}
	var err error
	if next.Subject, err = s.subject(w.prints, &w.verdict, &next, w.waivers); err != nil {
		return err
	}
	changed, err := s.changedItems(ctx, v, w)
	if err != nil {
		return err
	}
	for _, c := range changed {
		if !c.news {
			continue
		}
		if err := s.record(ctx, audit.ItemAnswered(s.change(audit.Origin{}, &next), audit.ChecklistItem{Code: c.item.Code, Name: c.item.Title, Status: auditStatus(c.item.Result)})); err != nil {
			return err
		}
	}
	if next.State == admission.Quarantined {
		if err := s.record(ctx, audit.Quarantined(s.change(audit.Origin{}, &next))); err != nil {
			return err
		}
	}
	told := next.State != v.State || next.Subject != v.Subject || slices.ContainsFunc(changed, func(c changedItem) bool { return c.news })
	return s.concludeAgain(ctx, o, v, &next, w, told, changed)
}

// reconsider compares a new look with what an approval accepted. The approval,
// its checklist and its evidence stay as they were signed; what is new makes
// the version stale or takes it out of circulation.
func (s *Service) reconsider(ctx context.Context, o owed, v *version, w *work) error {
	next := *v
	next.Updated, next.Vulnerabilities = s.Now().UTC(), w.v.Vulnerabilities
	reasons := unaccepted(v, append(slices.Clone(w.v.Reasons), s.news(v, w)...))
	grave := slices.DeleteFunc(slices.Clone(reasons), func(r admission.Reason) bool { return !s.grave(r, v, w) })
	next.Stale = slices.DeleteFunc(slices.Clone(reasons), func(r admission.Reason) bool { return slices.Contains(grave, r) })
	if len(next.Stale) == 0 {
		next.Stale = nil
	}
	for _, r := range grave {
		if !slices.Contains(next.Reasons, r) {
			next.Reasons = append(next.Reasons[:len(next.Reasons):len(next.Reasons)], r)
		}
	}
	if v.State == admission.Approved && len(grave) > 0 {
		next.Version.State = admission.Quarantined
		if err := s.record(ctx, audit.Quarantined(s.change(audit.Origin{}, &next))); err != nil {
			return err
		}
		// As in Quarantine: withdrawn on the anchor before the row says so.
		if err := s.snapshots.withdraw(ctx, v.Tenant, hexDigest(v.Approval)); err != nil {
			return err
		}
		s.failpoint("withdrawn again")
	} else if !slices.Equal(next.Stale, v.Stale) || len(next.Reasons) != len(v.Reasons) {
		if err := s.record(ctx, audit.Reconsidered(s.change(audit.Origin{}, &next), codes(next.Stale))); err != nil {
			return err
		}
	}
	told := next.State != v.State || !slices.Equal(next.Stale, v.Stale) || len(next.Reasons) != len(v.Reasons)
	return s.concludeAgain(ctx, o, v, &next, w, told, nil)
}

// news is what vulnerabilities and licences say against an approved version
// that nobody has accepted.
func (s *Service) news(v *version, w *work) []admission.Reason {
	var out []admission.Reason
	if fresh := freshFindings(v, w); len(fresh) > 0 {
		out = append(out, admission.Reason{Code: admission.ReasonVulnerable, Detail: fmt.Sprintf("%d known vulnerabilities: %s", len(fresh), strings.Join(fresh[:min(len(fresh), 5)], "; "))})
	}
	denied := slices.DeleteFunc(slices.Clone(w.v.Denied), func(c string) bool { return slices.Contains(v.Accepted, licenceOf(c)) })
	if len(denied) > 0 {
		out = append(out, admission.Reason{Code: admission.ReasonLicence, Detail: fmt.Sprintf("the licence policy denies %d components, such as %s", len(denied), denied[0])})
	}
	return out
}

func freshFindings(v *version, w *work) []string {
	var out []string
	for _, f := range w.report.Counting() {
		if !f.Malicious && !slices.Contains(v.Accepted, counting(f)) {
			out = append(out, counting(f))
		}
	}
	return out
}

// grave reports whether a reason takes an approved version out of circulation.
func (s *Service) grave(r admission.Reason, v *version, w *work) bool {
	if !slices.Contains(s.Supply.Quarantine, r.Code) {
		return false
	}
	if r.Code != admission.ReasonVulnerable {
		return true
	}
	for _, f := range w.report.Counting() {
		severity := f.Severity
		if severity == vulnerability.Unknown {
			severity = s.Supply.Policy.Unrated
		}
		if !f.Malicious && !slices.Contains(v.Accepted, counting(f)) && severity.AtLeast(s.Supply.QuarantineAt) {
			return true
		}
	}
	return false
}

type changedItem struct {
	item     admission.Item
	position int
	news     bool // for reviewers; otherwise the same answer, measured anew
}

// changedItems are the answers of the new look that replace others. A person's
// answer stays as long as what it rests on does.
func (s *Service) changedItems(ctx context.Context, v *version, w *work) ([]changedItem, error) {
	items, err := s.items(ctx, v)
	if err != nil {
		return nil, err
	}
	var out []changedItem
	for _, code := range repeated {
		item, position, err := s.answerAnew(ctx, w, code)
		if err != nil {
			return nil, err
		}
		c := changedItem{item: item, position: position, news: true}
		if i := slices.IndexFunc(items, func(i admission.Item) bool { return i.Code == code }); i >= 0 {
			was := items[i]
			machine := was.By == "registry" || was.By == ""
			c.news = was.Basis != item.Basis || machine && was.Result != item.Result
			if !c.news && (!machine || was.Note == item.Note) {
				continue
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// concludeAgain writes what a new look came to and ends its row, all at once.
func (s *Service) concludeAgain(ctx context.Context, o owed, v, next *version, w *work, told bool, changed []changedItem) error {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		for digest, media := range w.blobs {
			if err := refBlob(ctx, tx, v.Tenant, digest, media); err != nil {
				return err
			}
		}
		for _, c := range changed {
			if err := putItem(ctx, tx, v, c.position, c.item, true); err != nil {
				return err
			}
		}
		if err := addJudgement(ctx, tx, next, o.cause, w.v.Verdict); err != nil {
			return err
		}
		if told {
			if err := s.feed.add(ctx, tx, v.Tenant, FeedVersion, v.Name+" "+v.Version.Version, next.Updated); err != nil {
				return err
			}
		}
		if err := endRescan(ctx, tx, o); err != nil {
			return err
		}
		return updateVersion(ctx, tx, next, v.State)
	})
	if err == nil && told {
		s.feed.wake()
	}
	return err
}

// addJudgement remembers what one look came to; nothing replaces it.
func addJudgement(ctx context.Context, tx *sql.Tx, v *version, cause, verdict string) error {
	j := admission.Judgement{Cause: cause, State: v.State, Reasons: v.Reasons, Stale: v.Stale, Verdict: verdict, Assessment: v.Vulnerabilities, At: v.Updated}
	record, err := json.Marshal(j, json.Deterministic(true))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO judgements (tenant, name, version, sequence, record, at)
		SELECT $1, $2, $3, COALESCE(MAX(sequence), 0) + 1, $4, $5 FROM judgements WHERE tenant = $1 AND name = $2 AND version = $3`,
		v.Tenant, v.Name, v.Version.Version, string(record), store.Millis(v.Updated))
	return err
}

// Judgements lists every time that a version was judged, newest first.
func (s *Service) Judgements(ctx context.Context, tenant, name, ver string) ([]admission.Judgement, error) {
	v, err := s.find(ctx, tenant, name, ver)
	if err != nil {
		return nil, err
	}
	out := []admission.Judgement{}
	err = s.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT sequence, record FROM judgements WHERE tenant = $1 AND name = $2 AND version = $3 ORDER BY sequence DESC LIMIT 1000`, v.Tenant, v.Name, v.Version.Version)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var j admission.Judgement
			var sequence int64
			var record []byte
			if err := rows.Scan(&sequence, &record); err != nil {
				return err
			}
			if err := json.Unmarshal(record, &j); err != nil {
				return err
			}
			j.Sequence = sequence
			out = append(out, j)
		}
		return rows.Err()
	})
	return out, err
}

func codes(reasons []admission.Reason) []string {
	var out []string
	for _, r := range reasons {
		out = append(out, r.Code)
	}
	return out
}
