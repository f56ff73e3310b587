package registry

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/store"
)

// Judging again: whatever a verdict rested on may change after it was given.
// The inputs of all verdicts have one digest, the generation; when it changes,
// every version in review or in force is queued, in the transaction that
// remembers the generation. A row of the queue goes away in the transaction
// that writes what came of it, so a killed process owes what it owed before.
const (
	rescanEvery   = time.Minute // between looks at the inputs
	rescanWorkers = 2
	rescanBatch   = 32
	rescanRetry   = time.Minute // doubled with each failure
	rescanPatient = time.Hour   // the longest
	// A scanner that fails now may not fail in a minute; after this many tries
	// its failure is the verdict.
	rescanTries = 5
)

// errIncomplete: a scanner failed on a listing that was examined whole before.
var errIncomplete = errors.New("a scanner failed")

// inputs are what verdicts rest on beside the version itself, each by digest.
type inputs struct {
	Database   string `json:"database"`
	Statements string `json:"statements"`
	Policy     string `json:"policy"`
	Trust      string `json:"trust"`
	Signers    string `json:"signers"`
	Scanners   string `json:"scanners"`
	Day        string `json:"day"` // waivers and statements end, databases age
}

// cause names what differs.
func (i inputs) cause(was inputs) string {
	var out []string
	for _, part := range []struct{ name, now, was string }{
		{"database", i.Database, was.Database}, {"statements", i.Statements, was.Statements}, {"policy", i.Policy, was.Policy},
		{"trust", i.Trust, was.Trust}, {"signers", i.Signers, was.Signers}, {"scanners", i.Scanners, was.Scanners}, {"day", i.Day, was.Day},
	} {
		if part.now != part.was {
			out = append(out, part.name)
		}
	}
	return strings.Join(out, ",")
}

func (i inputs) encode() ([]byte, error) { return json.Marshal(i, json.Deterministic(true)) }

// inputs of a tenant as they are now.
func (s *Service) inputs(ctx context.Context, tenant string) (inputs, error) {
	in := inputs{Day: s.Now().UTC().Format(time.DateOnly)}
	s.shelf.mu.RLock()
	in.Statements = s.shelf.vouching
	if s.shelf.current != nil {
		in.Database = s.shelf.current.Info().Digest
	}
	s.shelf.mu.RUnlock()
	p := s.Supply
	policy, err := json.Marshal([]any{p.Policy, p.Required, p.QuarantineAt, p.Quarantine, p.Licences.String()}, json.Deterministic(true))
	if err != nil {
		return in, err
	}
	in.Policy = digestOf(policy)
	trust, err := os.ReadFile(s.TrustPath)
	if err != nil {
		return in, err
	}
	roots, err := s.TrustedRootDigests()
	if err != nil {
		return in, err
	}
	in.Trust = digestOf(append(trust, strings.Join(roots, "\n")...))
	if s.Scanners != nil {
		refs, err := json.Marshal(s.Scanners.Scanners(), json.Deterministic(true))
		if err != nil {
			return in, err
		}
		in.Scanners = digestOf(refs)
	}
	var signers []string
	err = s.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT record FROM signers WHERE tenant = $1 ORDER BY namespace, id`, tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var record string
			if err := rows.Scan(&record); err != nil {
				return err
			}
			signers = append(signers, record)
		}
		return rows.Err()
	})
	in.Signers = digestOf([]byte(strings.Join(signers, "\n")))
	return in, err
}

// queueAll queues the versions of every tenant whose inputs changed.
func (s *Service) queueAll(ctx context.Context) error {
	tenants, err := s.tenants(ctx)
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		err = errors.Join(err, s.queueTenant(ctx, tenant))
	}
	return err
}

func (s *Service) queueTenant(ctx context.Context, tenant string) error {
	now, err := s.inputs(ctx, tenant)
	if err != nil {
		return err
	}
	record, err := now.encode()
	if err != nil {
		return err
	}
	at := store.Millis(s.Now())
	return s.tx(ctx, func(tx *sql.Tx) error {
		var before string
		err := tx.QueryRowContext(ctx, `SELECT record FROM rescan_inputs WHERE tenant = $1`, tenant).Scan(&before)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if before == string(record) {
			return nil
		}
		cause := "start" // of an installation that judged nothing again before
		if before != "" {
			var was inputs
			if err := json.Unmarshal([]byte(before), &was); err != nil {
				return err
			}
			cause = now.cause(was)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO rescans (tenant, name, version, generation, cause, due, attempts)
			SELECT tenant, name, version, $2, $3, $4, 0 FROM versions WHERE tenant = $1 AND state IN ('in_review', 'approved')
			ON CONFLICT (tenant, name, version) DO UPDATE SET generation = excluded.generation, cause = excluded.cause, due = excluded.due, attempts = 0`,
			tenant, digestOf(record), cause, at); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO rescan_inputs (tenant, record, at) VALUES ($1, $2, $3) ON CONFLICT (tenant) DO UPDATE SET record = excluded.record, at = excluded.at`, tenant, string(record), at)
		return err
	})
}

// queueOthers queues the other versions of a server when one was published.
func (s *Service) queueOthers(ctx context.Context, tx *sql.Tx, v *version) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO rescans (tenant, name, version, generation, cause, due, attempts)
		SELECT tenant, name, version, $2, 'version', $3, 0 FROM versions WHERE tenant = $1 AND name = $4 AND version <> $5 AND state IN ('in_review', 'approved')
		ON CONFLICT (tenant, name, version) DO UPDATE SET generation = excluded.generation, due = excluded.due, attempts = 0`,
		v.Tenant, v.Submission, store.Millis(v.Updated), v.Name, v.Version.Version)
	return err
}

// owed is a row of the queue.
type owed struct {
	tenant, name, version, generation, cause string
	attempts                                 int
}

// Rescan queues what changed inputs owe and works the queue off, as far as it
// is due.
func (s *Service) Rescan(ctx context.Context) error {
	if err := s.queueAll(ctx); err != nil {
		return err
	}
	tenants, err := s.tenants(ctx)
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		for ctx.Err() == nil {
			due, err := s.due(ctx, tenant)
			if err != nil || len(due) == 0 {
				if err != nil {
					return err
				}
				break
			}
			s.workOff(ctx, due)
		}
	}
	return ctx.Err()
}

// due lists what is to be done now. A row that fails is put off, so that the
// list ends.
func (s *Service) due(ctx context.Context, tenant string) (out []owed, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT name, version, generation, cause, attempts FROM rescans WHERE tenant = $1 AND due <= $2 ORDER BY due, name, version LIMIT $3`, tenant, store.Millis(s.Now()), rescanBatch)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			o := owed{tenant: tenant}
			if err := rows.Scan(&o.name, &o.version, &o.generation, &o.cause, &o.attempts); err != nil {
				return err
			}
			out = append(out, o)
		}
		return rows.Err()
	})
	return out, err
}

func (s *Service) workOff(ctx context.Context, due []owed) {
	next := make(chan owed)
	var work sync.WaitGroup
	for range min(rescanWorkers, len(due)) {
		work.Go(func() {
			for o := range next {
				s.judgeAgain(ctx, o)
			}
		})
	}
	for _, o := range due {
		next <- o
	}
	close(next)
	work.Wait()
}

// judgeAgain settles one row, or puts it off.
func (s *Service) judgeAgain(ctx context.Context, o owed) {
	err := s.settleRescan(ctx, o)
	if err == nil || ctx.Err() != nil {
		return
	}
	wait := min(rescanRetry<<min(o.attempts, 10), rescanPatient)
	s.Logger.ErrorContext(ctx, "judge again", "tenant", o.tenant, "server", o.name, "version", o.version, "cause", o.cause, "again", wait, "error", err)
	err = s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE rescans SET due = $1, attempts = attempts + 1 WHERE tenant = $2 AND name = $3 AND version = $4`,
			store.Millis(s.Now().Add(wait)), o.tenant, o.name, o.version)
		return err
	})
	if err != nil {
		s.Logger.ErrorContext(ctx, "put off judging again", "error", err)
	}
}

// settleRescan runs the steps anew over what the version consists of, and
// writes what came of it together with the end of the row.
func (s *Service) settleRescan(ctx context.Context, o owed) error {
	v, err := s.find(ctx, o.tenant, o.name, o.version)
	if errors.Is(err, ErrNotFound) {
		return nil // the row went with it
	}
	if err != nil {
		return err
	}
	defer s.busy.lock(v.key())()
	if v, err = s.find(ctx, o.tenant, o.name, o.version); err != nil {
		return err
	}
	// A quarantined version with an approval was taken out of circulation, maybe
	// by a run that died before it could say why.
	withdrawn := v.State == admission.Quarantined && v.Approval != ""
	if v.State != admission.InReview && v.State != admission.Approved && !withdrawn {
		return s.tx(ctx, func(tx *sql.Tx) error { return endRescan(ctx, tx, o) })
	}
	w, err := s.lookAgain(ctx, v)
	if err != nil {
		return err
	}
	if w.verdict.incomplete() && len(v.Failures) == 0 && o.attempts < rescanTries {
		return errIncomplete
	}
	s.failpoint("judged again")
	if v.State == admission.InReview {
		return s.revise(ctx, o, v, w)
	}
	return s.reconsider(ctx, o, v, w)
}

// lookAgain runs every step that does not need the artifact's contents again
// over a copy of v.
func (s *Service) lookAgain(ctx context.Context, v *version) (*work, error) {
	again := *v
	again.Reasons = nil
	w, err := s.repeatRun(ctx, &again)
	if err != nil {
		return nil, err
	}
	for _, step := range steps {
		if !step.again {
			continue
		}
		if err := step.run(s, ctx, w); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func endRescan(ctx context.Context, tx *sql.Tx, o owed) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM rescans WHERE tenant = $1 AND name = $2 AND version = $3 AND generation = $4`, o.tenant, o.name, o.version, o.generation)
	return err
}

// unaccepted leaves out the reasons that somebody with the right to do so has
// accepted: they approved or released the version in their sight.
func unaccepted(v *version, reasons []admission.Reason) []admission.Reason {
	return slices.DeleteFunc(slices.Clone(reasons), func(r admission.Reason) bool { return slices.Contains(v.Accepted, r.Code+": "+r.Detail) })
}

// accepted is what an approval or release takes note of.
func accepted(v *version, reasons []admission.Reason) []string {
	out := slices.Clone(v.Accepted)
	if v.Vulnerabilities != nil {
		out = append(out, v.Vulnerabilities.Counting...)
	}
	for _, c := range v.Denied {
		out = append(out, licenceOf(c))
	}
	for _, r := range slices.Concat(reasons, v.Stale) {
		out = append(out, r.Code+": "+r.Detail)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func licenceOf(component string) string { return "licence " + component }

// watch looks for new inputs now, every minute and when it is nudged, and works
// the queue off, until the context ends.
func (s *Service) watch(ctx context.Context) {
	tick := time.NewTicker(rescanEvery)
	defer tick.Stop()
	atOnce := true // an export that is there at the start is read without waiting
	for {
		if err := s.Refresh(ctx, atOnce); err != nil && ctx.Err() == nil {
			s.Logger.ErrorContext(ctx, "vulnerability database; what was in force stays", "error", err)
		}
		if err := s.Rescan(ctx); err != nil && ctx.Err() == nil {
			s.Logger.ErrorContext(ctx, "judge again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			atOnce = false
		case <-s.nudged:
			atOnce = true
		}
	}
}

// Nudge makes Run look for a new vulnerability database, statements and other
// inputs now.
func (s *Service) Nudge() {
	select {
	case s.nudged <- struct{}{}:
	default: // it is about to look
	}
}
