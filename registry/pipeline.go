package registry

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
	"github.com/bartizan-mcp/bartizan/registry/probe"
	"github.com/bartizan-mcp/bartizan/registry/serverjson"
	"github.com/bartizan-mcp/bartizan/sbom"
	"github.com/bartizan-mcp/bartizan/sbom/assess"
)

// work is what the steps of one run hand to each other. Nothing of it is
// written anywhere but into the blob store before the last step.
type work struct {
	v           *version
	by          audit.Origin
	doc         *serverjson.Document
	digests     map[string]string // of what has to be signed, by algorithm
	verified    []*attest.Verified
	capture     *listing.Capture
	prints      []printed
	verdict     scanVerdict
	shadowed    []checklist.Collision
	waivers     []admission.Waiver
	bill        checklist.SBOM
	answers     []checklist.Answer
	secrets     checklist.Secrets
	document    *sbom.Document // the SBOM
	report      *assess.Report // about its components
	licences    checklist.Licences
	mustMeasure bool              // what could not be looked up waits for a person
	tree        string            // folder that an artifact-bound server starts from
	probed      *probe.Report     // nil: the server was not started
	exported    string            // folder with the artifact in a file, once a step asked for it
	blobs       map[string]string // new blobs with their media types
}

// steps in order. Each reads the version's blobs and leaves its results in the
// work; running one twice gives the same.
var steps = []struct {
	name  string
	run   func(*Service, context.Context, *work) error
	again bool // run again when what verdicts rest on changed (rescan.go)
}{
	{"signatures", (*Service).verifySignatures, true},
	{"namespace", (*Service).compareNamespace, false},
	{"tree", (*Service).plantTree, false},
	{"capture", (*Service).captureListing, false},
	{"scan", (*Service).scanListing, true},
	{"secrets", (*Service).findSecrets, false},
	{"sbom", (*Service).billOfMaterials, false},
	{"components", (*Service).assessComponents, true},
	{"checklist", (*Service).answerChecklist, false},
}

// process runs a received version through the steps and moves it on in one
// transaction. A submission that a step finds unusable is withdrawn whole; a
// fault of the machine leaves the version received, to be resumed.
func (s *Service) process(ctx context.Context, by audit.Origin, v *version) (*version, error) {
	// A client that goes away does not stop what it began.
	ctx = context.WithoutCancel(ctx)
	w := &work{v: v, by: by, blobs: map[string]string{}}
	defer w.tidy()
	err := s.load(ctx, w)
	for _, step := range steps {
		if err != nil {
			break
		}
		if err = step.run(s, ctx, w); err == nil {
			s.failpoint(step.name)
		}
	}
	if err == nil {
		err = s.conclude(ctx, w)
	}
	var refusal *Refusal
	if errors.As(err, &refusal) && (refusal.Class == ErrInvalid || refusal.Class == ErrTooLarge) {
		return nil, errors.Join(err, s.withdraw(ctx, w, refusal))
	}
	if err != nil {
		return nil, err
	}
	s.failpoint("concluded")
	return w.v, nil
}

// load reads what every step needs. A resumed run starts from the same bytes.
func (s *Service) load(ctx context.Context, w *work) error {
	raw, err := s.get(ctx, w.v.ServerJSON, serverjson.MaxBytes)
	if err != nil {
		return err
	}
	if w.doc, err = serverjson.Parse(raw); err != nil {
		return err
	}
	w.digests, err = s.signedDigests(ctx, w.v.signed())
	return err
}

// conclude audits the outcome and writes all of it at once.
func (s *Service) conclude(ctx context.Context, w *work) error {
	v := *w.v
	v.Version.State, v.Updated = admission.InReview, s.Now().UTC()
	if len(v.Reasons) > 0 {
		v.Version.State = admission.Quarantined
	}
	subject, err := s.subject(w.prints, &w.verdict, &v, w.waivers)
	if err != nil {
		return err
	}
	v.Subject = subject
	for _, e := range s.concluded(w, &v) {
		if err := s.record(ctx, e); err != nil {
			return err
		}
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		for digest, media := range w.blobs {
			if err := refBlob(ctx, tx, v.Tenant, digest, media); err != nil {
				return err
			}
		}
		if err := replaceEntries(ctx, tx, &v, w.prints); err != nil {
			return err
		}
		if err := replaceItems(ctx, tx, &v, w.answers); err != nil {
			return err
		}
		if err := s.feed.add(ctx, tx, v.Tenant, FeedVersion, v.Name+" "+v.Version.Version, v.Updated); err != nil {
			return err
		}
		if err := addJudgement(ctx, tx, &v, "publication", v.Verdict); err != nil {
			return err
		}
		if err := s.queueOthers(ctx, tx, &v); err != nil {
			return err
		}
		return updateVersion(ctx, tx, &v, admission.Received)
	})
	if err != nil {
		return err
	}
	s.feed.wake()
	w.v = &v
	return nil
}

// concluded is what the audit log learns before the outcome takes effect.
func (s *Service) concluded(w *work, v *version) []*audit.Event {
	change := s.change(w.by, v)
	items := make([]audit.ChecklistItem, len(w.answers))
	for i, a := range w.answers {
		items[i] = audit.ChecklistItem{Code: a.Item.Code, Name: a.Item.Title, Status: auditStatus(a.Item.Result)}
	}
	events := []*audit.Event{audit.ListingScanned(change, w.verdict.audit()), audit.ChecklistCompleted(change, items)}
	if v.State == admission.Quarantined {
		return append(events, audit.Quarantined(change))
	}
	return append(events, audit.Published(change))
}

// withdraw removes a received version that turned out unusable.
func (s *Service) withdraw(ctx context.Context, w *work, why *Refusal) error {
	change := s.change(w.by, w.v)
	change.State, change.Reasons = "withdrawn", []string{why.Reason}
	if err := s.record(ctx, audit.Rejected(change)); err != nil {
		return err
	}
	return s.tx(ctx, func(tx *sql.Tx) error { return deleteVersion(ctx, tx, w.v) })
}

// resume finishes what an earlier process left received. One that cannot be
// finished now stays received and is tried again at the next start, or when
// its publisher repeats the publication.
func (s *Service) resume(ctx context.Context) error {
	tenants, err := s.tenants(ctx)
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		if err := s.snapshots.reconcile(ctx, tenant); err != nil {
			// The snapshot leaves them out all the same.
			s.Logger.ErrorContext(ctx, "quarantine withdrawn versions", "tenant", tenant, "error", err)
		}
		var left []*version
		err := s.view(ctx, func(tx *sql.Tx) (err error) {
			left, err = queryVersions(ctx, tx, `SELECT `+versionColumns+` FROM versions WHERE tenant = $1 AND state = 'received' ORDER BY created`, tenant)
			return err
		})
		if err != nil {
			return err
		}
		for _, v := range left {
			unlock := s.busy.lock(v.key())
			by := audit.Origin{Caller: identity.Caller{Tenant: tenant, Principal: v.Publisher, Namespaces: v.KeyNamespaces}}
			if _, err := s.process(ctx, by, v); err != nil {
				s.Logger.ErrorContext(ctx, "resume publication", "tenant", tenant, "server", v.Name, "version", v.Version.Version, "error", err)
			}
			unlock()
		}
	}
	return nil
}

// tenants lists every tenant that has a version. With the look-up of an API
// key it is the only query over all tenants; it returns their names alone.
func (s *Service) tenants(ctx context.Context) ([]string, error) {
	var all []string
	err := s.view(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT DISTINCT tenant FROM versions ORDER BY tenant`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var t string
			if err := rows.Scan(&t); err != nil {
				return err
			}
			all = append(all, t)
		}
		return rows.Err()
	})
	if !slices.Contains(all, approval.DefaultTenant) {
		all = append(all, approval.DefaultTenant)
	}
	return all, err
}

// keep stores a JSON document as evidence.
func (s *Service) keep(ctx context.Context, w *work, doc any) (digest string, err error) {
	b, err := json.Marshal(doc, json.Deterministic(true))
	if err != nil {
		return "", err
	}
	return s.keepBytes(ctx, w, b, mediaJSON)
}

func (s *Service) keepBytes(ctx context.Context, w *work, b []byte, media string) (digest string, err error) {
	if digest, err = s.put(ctx, b); err == nil {
		w.blobs[digest] = media
	}
	return digest, err
}

func (w *work) quarantine(code, detail string) {
	w.because(admission.Reason{Code: code, Detail: detail})
}

// because adds a reason once.
func (w *work) because(r admission.Reason) {
	if !slices.Contains(w.v.Reasons, r) {
		w.v.Reasons = append(w.v.Reasons, r)
	}
}

func (s *Service) change(by audit.Origin, v *version) audit.Change {
	codes := make([]string, len(v.Reasons))
	for i, r := range v.Reasons {
		codes[i] = r.Code
	}
	return audit.Change{
		Origin: by, Tenant: v.Tenant, Server: v.Name, Version: v.Version.Version, Digest: v.signed(),
		Subject: v.Subject, Review: v.Review, State: string(v.State), Reasons: codes,
	}
}

func auditStatus(r admission.Result) string {
	switch r {
	case admission.Pass, admission.NotNeeded:
		return "pass"
	case admission.Fail:
		return "fail"
	case admission.Waived:
		return "warning"
	}
	return ""
}
