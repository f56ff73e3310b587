package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/registry/checklist"
	"github.com/bartizan-mcp/bartizan/sbom/licence"
)

// locked is an artifact with one dependency, left-pad.
func locked(h *house, version string) string {
	h.t.Helper()
	lock := `{"name":"@acme/weather","version":"` + version + `","lockfileVersion":3,"requires":true,"packages":{"":{"name":"@acme/weather","version":"` + version + `","license":"Apache-2.0","dependencies":{"left-pad":"1.3.0"}},"node_modules/left-pad":{"version":"1.3.0","resolved":"https://npm.example/left-pad-1.3.0.tgz","license":"MIT"}}}`
	b := tarOf(h.t, map[string]string{
		"package/package.json":      `{"name":"@acme/weather","version":"` + version + `","license":"Apache-2.0","dependencies":{"left-pad":"1.3.0"}}`,
		"package/package-lock.json": lock,
	})
	digest, err := h.StoreArtifact(h.t.Context(), strings.NewReader(string(b)))
	h.must(err)
	return digest
}

func (h *house) publishLocked(version string, bundles ...[]byte) *admission.Version {
	h.t.Helper()
	sub := h.submission("weather", version, nil)
	sub.Artifact = locked(h, version)
	sub.Bundles = append([][]byte{h.sign(h.publisher, hexDigest(sub.Artifact))}, bundles...)
	v, err := h.Publish(h.t.Context(), alice, sub)
	h.must(err)
	return v
}

// advisory writes an OSV entry about left-pad.
func advisory(id, modified, extra string) string {
	return fmt.Sprintf(`{"id":%q,"modified":%q%s,"affected":[{"package":{"ecosystem":"npm","name":"left-pad"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}`, id, modified, extra)
}

const (
	highSeverity     = `,"database_specific":{"severity":"HIGH"}`
	criticalSeverity = `,"database_specific":{"severity":"CRITICAL"}`
)

// supplied is a house with a database of the given entries and one that is
// about nothing here.
func supplied(t *testing.T, change func(*Supply), entries ...string) *house {
	t.Helper()
	export := t.TempDir()
	return newHouse(t, func(h *house) {
		h.supply.Database = export
		h.now = time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)
		if change != nil {
			change(&h.supply)
		}
		h.stock(entries...)
	})
}

// stock writes a new export.
func (h *house) stock(entries ...string) {
	h.t.Helper()
	old, err := filepath.Glob(filepath.Join(h.supply.Database, "*.json"))
	h.must(err)
	for _, o := range old {
		h.must(os.Remove(o))
	}
	entries = append(entries, `{"id":"GHSA-other","modified":"2026-11-10T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"other"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`)
	for i, e := range entries {
		h.must(os.WriteFile(filepath.Join(h.supply.Database, fmt.Sprintf("%d-%d.json", i, len(e))), []byte(e), 0o600))
	}
}

// look takes up what is new and judges again.
func (h *house) look() {
	h.t.Helper()
	h.must(h.Refresh(h.t.Context(), true))
	h.must(h.Rescan(h.t.Context()))
}

func (h *house) show(v *admission.Version) *admission.Version {
	h.t.Helper()
	got, err := h.Show(h.t.Context(), "default", v.Name, v.Version)
	h.must(err)
	return got
}

func (h *house) item(v *admission.Version, code string) admission.Item {
	h.t.Helper()
	r, err := h.Review(h.t.Context(), "default", v.Review)
	h.must(err)
	for _, i := range r.Items {
		if i.Code == code {
			return i
		}
	}
	h.t.Fatalf("no item %s", code)
	return admission.Item{}
}

func TestVulnerabilitiesAtPublication(t *testing.T) {
	day := "2026-11-09T00:00:00Z"
	for name, tc := range map[string]struct {
		entries []string
		after   time.Duration
		result  string
		item    admission.Result
		reasons string
	}{
		"clean":     {nil, 0, "clean", admission.Pass, ""},
		"high":      {[]string{advisory("GHSA-1", day, highSeverity)}, 0, "vulnerable", admission.Fail, ""},
		"low":       {[]string{advisory("GHSA-1", day, `,"database_specific":{"severity":"LOW"}`)}, 0, "tolerated", admission.Pass, ""},
		"malicious": {[]string{advisory("MAL-1", day, "")}, 0, "vulnerable", admission.Fail, "malicious_package"},
		"withdrawn": {[]string{advisory("GHSA-1", day, highSeverity+`,"withdrawn":"2026-11-09T00:00:00Z"`)}, 0, "clean", admission.Pass, ""},
		"stale":     {nil, 30 * 24 * time.Hour, "unmeasured", admission.Unanswered, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := supplied(t, nil, tc.entries...)
			h.look()
			h.now = h.now.Add(tc.after)
			v := h.publishLocked("1.0.0")
			a := v.Vulnerabilities
			if a == nil || a.Result != tc.result || reasons(v) != tc.reasons || a.Evidence == "" {
				t.Fatalf("%+v, reasons %q", a, reasons(v))
			}
			if a.Database == "" || a.Newest.IsZero() || a.Imported.IsZero() {
				t.Errorf("the verdict does not name its database: %+v", a)
			}
			item := h.item(v, checklist.CodeIncidents)
			if item.Result != tc.item || !strings.Contains(item.Note, "database sha256:") && tc.item != admission.Unanswered {
				t.Errorf("%+v", item)
			}
			if tc.item != admission.Pass && !item.Blocks(h.now) {
				t.Error("holds nothing up")
			}
			raw, _, _, err := h.Blob(t.Context(), "default", item.Evidence)
			h.must(err)
			defer raw.Close()
			var evidence struct {
				Facts struct {
					Database struct {
						Digest string `json:"digest"`
					} `json:"database"`
				} `json:"facts"`
			}
			h.must(json.UnmarshalRead(raw, &evidence))
			if evidence.Facts.Database.Digest != a.Database {
				t.Errorf("the evidence names database %q", evidence.Facts.Database.Digest)
			}
		})
	}
}

func TestWithoutDatabase(t *testing.T) {
	h := newHouse(t)
	v := h.publishLocked("1.0.0")
	if v.Vulnerabilities.Result != "unmeasured" || v.Vulnerabilities.Database != "" {
		t.Errorf("%+v", v.Vulnerabilities)
	}
	if i := h.item(v, checklist.CodeIncidents); i.Result != admission.Unanswered || i.Blocks(h.now) {
		t.Errorf("%+v", i)
	}
	required := newHouse(t, func(h *house) { h.supply.Required = true })
	if i := required.item(required.publishLocked("1.0.0"), checklist.CodeIncidents); !i.Blocks(required.now) {
		t.Errorf("required, not measured, and nothing waits: %+v", i)
	}
}

// TestNewDatabase follows versions in every state through databases that come
// later.
func TestNewDatabase(t *testing.T) {
	for name, tc := range map[string]struct {
		entry  string
		state  admission.State
		reason string
		stale  string
	}{
		"high":      {advisory("GHSA-1", "2026-11-09T00:00:00Z", highSeverity), admission.Approved, "", "vulnerable_component"},
		"critical":  {advisory("GHSA-1", "2026-11-09T00:00:00Z", criticalSeverity), admission.Quarantined, "vulnerable_component", ""},
		"malicious": {advisory("MAL-1", "2026-11-09T00:00:00Z", ""), admission.Quarantined, "malicious_package", ""},
		"low":       {advisory("GHSA-1", "2026-11-09T00:00:00Z", `,"database_specific":{"severity":"LOW"}`), admission.Approved, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := supplied(t, nil)
			h.look()
			v := h.approve(h.publishLocked("1.0.0"))
			before := h.item(v, checklist.CodeIncidents)
			h.stock(tc.entry)
			h.look()
			got := h.show(v)
			if got.State != tc.state || reasons(got) != tc.reason || strings.Join(codes(got.Stale), " ") != tc.stale {
				t.Fatalf("%s, reasons %q, stale %v", got.State, reasons(got), got.Stale)
			}
			if listed := len(h.listed("default")) == 1; listed != (tc.state == admission.Approved) {
				t.Errorf("listed: %t", listed)
			}
			// What was signed stays as it was signed, evidence included.
			if after := h.item(v, checklist.CodeIncidents); after != before {
				t.Errorf("the approved checklist changed: %+v", after)
			}
			history, err := h.Judgements(t.Context(), "default", v.Name, v.Version)
			h.must(err)
			if len(history) != 2 || history[0].Cause != "database" || history[1].Cause != "publication" || history[0].Assessment.Evidence == history[1].Assessment.Evidence {
				t.Fatalf("%+v", history)
			}
			for _, j := range history {
				if _, _, _, err := h.Blob(t.Context(), "default", j.Assessment.Evidence); err != nil {
					t.Errorf("evidence of %s: %v", j.Cause, err)
				}
			}
			events, err := audit.Search(t.Context(), h.auditPath, audit.Query{Limit: 100})
			h.must(err)
			want := map[bool]string{true: "quarantined", false: "reconsidered"}[tc.state == admission.Quarantined]
			found := false
			for _, e := range events {
				found = found || e.Event.Metadata.EventCode == want
			}
			if found != (tc.reason != "" || tc.stale != "") {
				t.Errorf("event %s: %t", want, found)
			}
			// Once more changes nothing.
			h.look()
			if again, err := h.Judgements(t.Context(), "default", v.Name, v.Version); err != nil || len(again) != 2 {
				t.Errorf("judged without a cause: %v %v", again, err)
			}
		})
	}
}

// TestAcceptedStays holds that what people accepted is no news, and what is new is.
func TestAcceptedStays(t *testing.T) {
	day := "2026-11-09T00:00:00Z"
	h := supplied(t, nil, advisory("GHSA-1", day, criticalSeverity))
	h.look()
	v := h.approve(h.publishLocked("1.0.0")) // waives SRC-8
	h.now = h.now.Add(13 * time.Hour)        // another day; the waiver ends after 24 hours
	h.look()
	if got := h.show(v); got.State != admission.Approved || len(got.Stale) > 0 {
		t.Fatalf("%s %v", got.State, got.Stale)
	}
	h.stock(advisory("GHSA-1", day, criticalSeverity), advisory("GHSA-2", day, criticalSeverity))
	h.look()
	got := h.show(v)
	if got.State != admission.Quarantined || !strings.Contains(got.Reasons[0].Detail, "GHSA-2") || strings.Contains(got.Reasons[0].Detail, "GHSA-1") {
		t.Fatalf("%+v", got.Reasons)
	}
	// Who releases it has seen GHSA-2.
	_, err := h.Release(t.Context(), bob, v.Name, v.Version, "not reachable")
	h.must(err)
	h.stock(advisory("GHSA-1", day, criticalSeverity), advisory("GHSA-2", "2026-11-10T00:00:00Z", criticalSeverity))
	h.look()
	if got := h.show(v); got.State != admission.Approved || len(h.listed("default")) != 1 {
		t.Errorf("%s after the release", got.State)
	}
}

// TestReviewIsRevised holds that answers in a review follow the world, and
// people's answers as long as what they rest on stays.
func TestReviewIsRevised(t *testing.T) {
	day := "2026-11-09T00:00:00Z"
	h := supplied(t, nil, advisory("GHSA-1", day, highSeverity))
	h.look()
	v := h.publishLocked("1.0.0")
	_, err := h.Answer(t.Context(), bob, v.Review, checklist.CodeIncidents, admission.Waived, "not reachable", h.now.Add(30*24*time.Hour))
	h.must(err)
	waived := h.item(v, checklist.CodeIncidents)

	h.stock(advisory("GHSA-1", day, highSeverity), advisory("GHSA-low", day, `,"database_specific":{"severity":"LOW"}`))
	h.look()
	if got := h.item(v, checklist.CodeIncidents); got != waived {
		t.Errorf("the waiver did not outlive a database that changes nothing: %+v", got)
	}
	h.stock(advisory("GHSA-1", day, highSeverity), advisory("GHSA-2", day, highSeverity))
	h.look()
	if got := h.item(v, checklist.CodeIncidents); got.Result != admission.Fail || got.By != "registry" {
		t.Errorf("the waiver covers what nobody had seen: %+v", got)
	}
	if _, _, _, err := h.Blob(t.Context(), "default", waived.Evidence); err != nil {
		t.Errorf("the evidence of the old answer: %v", err)
	}
	h.stock()
	h.look()
	if got := h.item(v, checklist.CodeIncidents); got.Result != admission.Pass {
		t.Errorf("%+v", got)
	}
	h.stock(advisory("MAL-1", day, ""))
	h.look()
	if got := h.show(v); got.State != admission.Quarantined || reasons(got) != "malicious_package" {
		t.Errorf("%s %s", got.State, reasons(got))
	}
}

func TestOtherCauses(t *testing.T) {
	h := supplied(t, nil)
	h.look()
	v := h.approve(h.publishLocked("1.0.0"))
	last := func() admission.Judgement {
		t.Helper()
		h.must(h.Rescan(t.Context()))
		all, err := h.Judgements(t.Context(), "default", v.Name, v.Version)
		h.must(err)
		return all[0]
	}
	// A new version of the same server.
	h.publishLocked("1.1.0")
	if j := last(); j.Cause != "version" || len(j.Stale) > 0 {
		t.Errorf("%+v", j)
	}
	// The signer is no longer one.
	signers, err := h.Signers(t.Context(), "default", "io.github.acme")
	h.must(err)
	_, err = h.AddSigner(t.Context(), admin, admission.NamespaceSigner{Namespace: "io.github.acme", PublicKey: string(h.key().Public().PEM())})
	h.must(err)
	if j := last(); j.Cause != "signers" || len(j.Stale) > 0 {
		t.Errorf("%+v", j)
	}
	h.must(h.RemoveSigner(t.Context(), admin, "io.github.acme", signers[0].ID))
	if j := last(); j.Cause != "signers" || strings.Join(codes(j.Stale), " ") != admission.ReasonSignatureInvalid || j.State != admission.Approved {
		t.Errorf("%+v", j)
	}
	// The trust document, and the policy.
	next := h.trustDocument().Next()
	file, err := next.Sign(t.Context(), h.load(approval.ApprovalKeyFile))
	h.must(err)
	h.must(os.WriteFile(h.TrustPath, file, 0o600))
	if j := last(); j.Cause != "trust" {
		t.Errorf("%+v", j)
	}
	h.supply.Licences, err = licence.NewPolicy(nil, []string{"MIT"}, nil)
	h.must(err)
	h.reopen()
	if j := last(); j.Cause != "policy" || !strings.Contains(strings.Join(codes(j.Stale), " "), admission.ReasonLicence) {
		t.Errorf("%+v", j)
	}
	h.now = h.now.Add(24 * time.Hour)
	if j := last(); j.Cause != "day" {
		t.Errorf("%+v", j)
	}
}

// TestLicencesAtPublication reads the lists.
func TestLicencesAtPublication(t *testing.T) {
	for name, tc := range map[string]struct {
		allow, deny []string
		want        admission.Result
	}{
		"allowed": {[]string{"MIT", "Apache-2.0"}, nil, admission.Pass},
		"denied":  {nil, []string{"MIT"}, admission.Fail},
		"unknown": {[]string{"Apache-2.0"}, nil, admission.Unanswered},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, func(h *house) {
				p, err := licence.NewPolicy(tc.allow, tc.deny, nil)
				h.must(err)
				h.supply.Licences = p
			})
			item := h.item(h.publishLocked("1.0.0"), checklist.CodeLicences)
			if item.Result != tc.want || item.Evidence == "" || item.Blocks(h.now) != (tc.want != admission.Pass) {
				t.Errorf("%+v", item)
			}
		})
	}
}

// vexBundle is a publisher's statement about this artifact.
func (h *house) vexBundle(signer *attest.Key, artifact, status string) []byte {
	h.t.Helper()
	predicate := `{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2026-11-09T00:00:00Z","statements":[{"vulnerability":{"name":"GHSA-1"},"products":[{"@id":"pkg:npm/left-pad@1.3.0"}],"status":"` + status + `","justification":"vulnerable_code_not_present"}]}`
	st := attest.Statement{Subjects: []attest.Subject{{Name: "artifact", Digest: map[string]string{"sha256": artifact}}}, PredicateType: "https://openvex.dev/ns/v0.2.0", Predicate: jsontext.Value(predicate)}
	b, err := st.Marshal()
	h.must(err)
	bundle, err := signer.Sign(h.t.Context(), b)
	h.must(err)
	return bundle
}

func TestPublishersStatements(t *testing.T) {
	for name, trusted := range map[string]bool{"informs": false, "suppresses": true} {
		t.Run(name, func(t *testing.T) {
			h := supplied(t, func(s *Supply) {
				h := Supply{}
				if err := h.fill(); err != nil {
					t.Fatal(err)
				}
				s.Policy = h.Policy
				s.Policy.PublisherStatements = trusted
			}, advisory("GHSA-1", "2026-11-09T00:00:00Z", highSeverity))
			h.look()
			v := h.publishLocked("1.0.0", h.vexBundle(h.publisher, hexDigest(locked(h, "1.0.0")), "not_affected"))
			if a := v.Vulnerabilities; (a.Suppressed == 1) != trusted || (a.Result == "vulnerable") == trusted {
				t.Errorf("%+v, reasons %+v", a, v.Reasons)
			}
		})
	}
	// A statement is no signature over a publication.
	alone := newHouse(t)
	sub := alone.submission("weather", "1.0.0", nil)
	sub.Artifact = locked(alone, "1.0.0")
	sub.Bundles = [][]byte{alone.vexBundle(alone.publisher, hexDigest(sub.Artifact), "not_affected")}
	if v, err := alone.Publish(t.Context(), alice, sub); err != nil || v.State != admission.Quarantined || reasons(v) != "unsigned" {
		t.Errorf("%+v %v", v, err)
	}
	// Somebody else's statement, or about another artifact, is no bundle at all.
	h := supplied(t, func(s *Supply) {}, advisory("GHSA-1", "2026-11-09T00:00:00Z", highSeverity))
	h.Supply.Policy.PublisherStatements = true
	h.look()
	v := h.publishLocked("1.0.0", h.vexBundle(h.key(), hexDigest(locked(h, "1.0.0")), "not_affected"))
	if v.State != admission.Quarantined || reasons(v) != "signature_invalid" || v.Vulnerabilities.Suppressed != 0 {
		t.Errorf("%s %s %+v", v.State, reasons(v), v.Vulnerabilities)
	}
}

func TestOperatorsStatements(t *testing.T) {
	dir := t.TempDir()
	h := supplied(t, func(s *Supply) { s.Statements = dir }, advisory("GHSA-1", "2026-11-09T00:00:00Z", criticalSeverity))
	h.look()
	v := h.publishLocked("1.0.0")
	doc := `{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2026-11-09T00:00:00Z","statements":[{"vulnerability":{"name":"GHSA-1"},"products":[{"@id":"pkg:npm/left-pad@1.3.0"}],"status":"not_affected","justification":"vulnerable_code_not_present"}]}`
	h.must(os.WriteFile(filepath.Join(dir, "a.json"), []byte(doc), 0o600))
	h.look()
	if a := h.show(v).Vulnerabilities; a.Suppressed != 1 || a.Result != "clean" {
		t.Errorf("%+v", a)
	}
	// One document that cannot be read could take another back: none counts.
	h.must(os.WriteFile(filepath.Join(dir, "b.json"), []byte("{"), 0o600))
	h.look()
	if a := h.show(v).Vulnerabilities; a.Suppressed != 0 || a.Result != "vulnerable" {
		t.Errorf("%+v", a)
	}
	h.must(os.Remove(filepath.Join(dir, "b.json")))
	h.now = h.now.Add(91 * 24 * time.Hour) // the statement's end
	h.stock(advisory("GHSA-1", "2027-02-08T00:00:00Z", criticalSeverity))
	h.look()
	if a := h.show(v).Vulnerabilities; a.Suppressed != 0 {
		t.Errorf("%+v", a)
	}
}

// TestKilledWhileJudgingAgain holds that the queue owes after a kill what it
// owed before, and that the version ends up the same.
func TestKilledWhileJudgingAgain(t *testing.T) {
	for _, point := range []string{"judged again", "withdrawn again"} {
		t.Run(point, func(t *testing.T) {
			h := supplied(t, nil)
			h.look()
			v := h.approve(h.publishLocked("1.0.0"))
			h.stock(advisory("MAL-1", "2026-11-09T00:00:00Z", ""))
			h.must(h.Refresh(t.Context(), true))
			h.killAt(point, func() {
				due, err := h.due(t.Context(), "default")
				h.must(err)
				h.judgeAgain(t.Context(), due[0])
			})
			if point == "withdrawn again" && len(h.listed("default")) != 0 {
				t.Error("still listed after the withdrawal")
			}
			h.must(h.Rescan(t.Context()))
			got := h.show(v)
			if got.State != admission.Quarantined || !strings.Contains(reasons(got), "malicious_package") || len(h.listed("default")) != 0 {
				t.Errorf("%s %q, listed %v", got.State, reasons(got), h.listed("default"))
			}
			if due, err := h.due(t.Context(), "default"); err != nil || len(due) != 0 {
				t.Errorf("still owed: %v %v", due, err)
			}
			h.reopen()
			h.look()
			if all, err := h.Judgements(t.Context(), "default", v.Name, v.Version); err != nil || len(all) != 2 {
				t.Errorf("judged again without a cause: %+v %v", all, err)
			}
		})
	}
}

// TestFailureIsPutOff holds that one version that cannot be judged keeps no other
// from it, and is tried again.
func TestFailureIsPutOff(t *testing.T) {
	h := supplied(t, nil)
	h.look()
	broken, good := h.publishLocked("1.0.0"), h.publishLocked("1.1.0")
	h.must(h.Rescan(t.Context()))
	var path string
	h.must(filepath.WalkDir(filepath.Join(h.dir, "blobs"), func(name string, d fs.DirEntry, err error) error {
		if !d.IsDir() && strings.HasSuffix(strings.ReplaceAll(name, string(filepath.Separator), ""), hexDigest(broken.SBOM)) {
			path = name
		}
		return err
	}))
	kept, err := os.ReadFile(path)
	h.must(err)
	h.must(os.Remove(path))
	h.stock(advisory("GHSA-1", "2026-11-09T00:00:00Z", highSeverity))
	h.look()
	if a := h.show(good).Vulnerabilities; a.Result != "vulnerable" {
		t.Errorf("%+v", a)
	}
	if a := h.show(broken).Vulnerabilities; a.Result != "clean" {
		t.Errorf("%+v", a)
	}
	h.must(os.WriteFile(path, kept, 0o600))
	h.now = h.now.Add(2 * rescanRetry)
	h.must(h.Rescan(t.Context()))
	if a := h.show(broken).Vulnerabilities; a.Result != "vulnerable" {
		t.Errorf("not tried again: %+v", a)
	}
}

// TestDatabaseSurvives holds what a restart, a refused export and a damaged
// index do.
func TestDatabaseSurvives(t *testing.T) {
	h := supplied(t, nil)
	h.look()
	first := h.shelf.current.Info().Digest
	h.reopen()
	if h.shelf.current == nil || h.shelf.current.Info().Digest != first {
		t.Fatal("the database did not survive the restart")
	}
	h.must(os.WriteFile(filepath.Join(h.supply.Database, "bad.json"), []byte("{"), 0o600))
	if err := h.Refresh(t.Context(), true); !unmeasurable(err) {
		t.Errorf("%v", err)
	}
	if h.shelf.current.Info().Digest != first {
		t.Error("a refused export changed what is in force")
	}
	if err := h.Refresh(t.Context(), false); err != nil {
		t.Errorf("a refused export is tried again and again: %v", err)
	}
	h.must(os.Remove(filepath.Join(h.supply.Database, "bad.json")))
	// Damage is noticed at the start, and the export read again.
	h.Service.Close()
	h.Service.Audit.Close()
	index := filepath.Join(h.dir, "vulnerabilities", hexDigest(first)+".osv")
	b, err := os.ReadFile(index)
	h.must(err)
	b[40]++
	h.must(os.WriteFile(index, b, 0o600))
	h.open()
	if h.shelf.current != nil {
		t.Fatal("a damaged index is in force")
	}
	if v := h.publishLocked("1.0.0"); v.Vulnerabilities.Result != "unmeasured" {
		t.Errorf("%+v", v.Vulnerabilities)
	}
	h.look()
	if h.shelf.current == nil || h.shelf.current.Info().Digest != first {
		t.Error("not read again")
	}
	// An export that is still being written is left alone until it stays.
	h.stock(advisory("GHSA-1", "2026-11-09T00:00:00Z", highSeverity))
	h.must(h.Refresh(t.Context(), false))
	if h.shelf.current.Info().Digest != first {
		t.Error("read at the first sight")
	}
	h.must(h.Refresh(t.Context(), false))
	if h.shelf.current.Info().Digest == first {
		t.Error("not read although it stays")
	}
}

func TestSupplyRefuses(t *testing.T) {
	s := Supply{Quarantine: []string{"hearsay"}}
	if err := s.fill(); err == nil || errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

// TestNewScanners approves a listing that nobody could scan, and loads a
// scanner then.
func TestNewScanners(t *testing.T) {
	for text, want := range map[string]struct {
		state  admission.State
		reason string
		stale  string
	}{
		"Gets it. EVIL": {admission.Quarantined, "malicious_listing", ""},
		"TRAP":          {admission.Approved, "", "scan_incomplete"},
		"Gets it":       {admission.Approved, "", ""},
	} {
		t.Run(text, func(t *testing.T) {
			h := newHouse(t, func(h *house) { h.now = time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC) })
			h.must(h.Rescan(t.Context()))
			sub := h.submission("weather", "1.0.0", h.publisher)
			sub.Listing = fmt.Appendf(nil, toolList, text)
			v, err := h.Publish(t.Context(), alice, sub)
			h.must(err)
			v = h.approve(v)
			h.scanners = markerScanner(t)
			h.reopen()
			h.must(h.Rescan(t.Context()))
			if got := h.show(v); text == "TRAP" && len(got.Stale) > 0 {
				t.Errorf("the first failure is a verdict: %v", got.Stale)
			}
			for range rescanTries { // within the day
				h.now = h.now.Add(17 * time.Minute)
				h.must(h.Rescan(t.Context()))
			}
			got := h.show(v)
			if got.State != want.state || reasons(got) != want.reason || strings.Join(codes(got.Stale), " ") != want.stale {
				t.Errorf("%s %q %v", got.State, reasons(got), got.Stale)
			}
			if got.Verdict != v.Verdict || len(got.Findings) != len(v.Findings) {
				t.Error("what was approved was rewritten")
			}
		})
	}
}
