package registry

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/store"
)

// killed is what a failpoint panics with.
type killed string

// killAt runs act and lets it die at a point, then starts the registry anew.
func (h *house) killAt(point string, act func()) {
	h.t.Helper()
	h.failpoint = func(step string) {
		if step == point {
			panic(killed(step))
		}
	}
	func() {
		defer func() {
			if p := recover(); p != killed(point) {
				h.t.Fatalf("did not die at %s: %v", point, p)
			}
		}()
		act()
	}()
	h.reopen()
}

func TestKilledBetweenSteps(t *testing.T) {
	points := map[string]bool{"parts": false, "received": true, "concluded": true}
	for _, s := range steps {
		points[s.name] = true
	}
	for point, survives := range points {
		t.Run(point, func(t *testing.T) {
			h := newHouse(t)
			sub := h.submission("weather", "1.0.0", h.publisher)
			h.killAt(point, func() { h.Publish(t.Context(), alice, sub) })
			v, err := h.Show(t.Context(), "default", "io.github.acme/weather", "1.0.0")
			if !survives {
				wantRefusal(t, err, ErrNotFound, RefusedUnknown)
			} else {
				h.must(err)
				if v.State != admission.InReview || v.SBOM == "" || v.Subject == "" || len(v.Signers) != 1 {
					t.Errorf("not whole after the restart: %+v", v)
				}
			}
			// Either way the publisher may ask again and the version can be approved.
			again, err := h.Publish(t.Context(), alice, sub)
			h.must(err)
			h.approve(again)
			if len(h.listed("default")) != 1 {
				t.Error("not listed")
			}
		})
	}
}

func TestKilledWhileApproving(t *testing.T) {
	for point, want := range map[string]admission.State{"approval signed": admission.InReview, "approved": admission.Approved} {
		t.Run(point, func(t *testing.T) {
			h := newHouse(t)
			v := h.publish("weather", "1.0.0")
			r := h.complete(v.Review)
			_, err := h.Vote(t.Context(), bob, v.Review, r.Subject, approval.VoteApprove, nil)
			h.must(err)
			h.killAt(point, func() { h.Approve(t.Context(), bob, v.Review, r.Subject) })
			got, err := h.Show(t.Context(), "default", v.Name, v.Version)
			h.must(err)
			if got.State != want || (len(h.listed("default")) == 1) != (want == admission.Approved) {
				t.Errorf("state %s, listed %v", got.State, h.listed("default"))
			}
			_, err = h.Approve(t.Context(), bob, v.Review, r.Subject)
			h.must(err)
			if len(h.listed("default")) != 1 {
				t.Error("not listed in the end")
			}
		})
	}
}

func TestKilledWhileQuarantining(t *testing.T) {
	h := newHouse(t)
	v := h.approve(h.publish("weather", "1.0.0"))
	h.killAt("withdrawn", func() { h.Quarantine(t.Context(), admin, v.Name, v.Version, "incident") })
	got, err := h.Show(t.Context(), "default", v.Name, v.Version)
	h.must(err)
	if got.State != admission.Quarantined || len(h.listed("default")) != 0 {
		t.Errorf("state %s, listed %v", got.State, h.listed("default"))
	}
}

// TestEditedDatabase does by hand what the service would never do. A snapshot
// lists nothing for it.
func TestEditedDatabase(t *testing.T) {
	h := newHouse(t)
	good := h.approve(h.publish("weather", "1.0.0"))
	pending := h.publish("pending", "1.0.0")
	withdrawn := h.approve(h.publish("withdrawn", "1.0.0"))
	_, err := h.Quarantine(t.Context(), admin, withdrawn.Name, withdrawn.Version, "incident")
	h.must(err)
	rejected := h.publish("rejected", "1.0.0")
	_, err = h.Reject(t.Context(), bob, rejected.Review, rejected.Subject, "no")
	h.must(err)

	forged := []byte(`{"dsseEnvelope":{}}`)
	forgedDigest, err := h.put(t.Context(), forged)
	h.must(err)
	for _, edit := range []struct {
		query string
		args  []any
	}{
		{`UPDATE versions SET state = 'approved' WHERE name = $1`, []any{pending.Name}},
		{`UPDATE versions SET state = 'approved', approval = $2 WHERE name = $1`, []any{pending.Name, good.Approval}},
		{`UPDATE versions SET state = 'approved', approval = $2 WHERE name = $1`, []any{rejected.Name, forgedDigest}},
		{`UPDATE versions SET state = 'approved' WHERE name = $1`, []any{withdrawn.Name}},
	} {
		_, err := h.db.ExecContext(t.Context(), edit.query, edit.args...)
		h.must(err)
		h.must(h.snapshots.issue(t.Context(), "default"))
		if diff := cmp.Diff([]string{hexDigest(good.Approval)}, h.listed("default")); diff != "" {
			t.Errorf("after %q: %s", edit.query, diff)
		}
	}
	page, _, err := h.Public(t.Context(), "default", PublicQuery{Limit: 10})
	h.must(err)
	if len(page) != 1 || page[0].Name != good.Name {
		t.Errorf("public list %v", page)
	}
	h.reopen()
	if diff := cmp.Diff([]string{hexDigest(good.Approval)}, h.listed("default")); diff != "" {
		t.Errorf("after a restart: %s", diff)
	}
	got, err := h.Show(t.Context(), "default", withdrawn.Name, withdrawn.Version)
	h.must(err)
	if got.State != admission.Quarantined {
		t.Errorf("the withdrawn row is %s after a restart", got.State)
	}
	_, err = h.db.ExecContext(t.Context(), `UPDATE items SET result = 'pass', evidence = ''`)
	h.must(err)
	r, err := h.Review(t.Context(), "default", good.Review)
	h.must(err)
	if r.Counts.Pass != 0 || len(r.Blocking) == 0 {
		t.Errorf("answers without evidence count: %+v", r.Counts)
	}
}

func TestSequenceSurvivesAndAnchorIsNeverGuessed(t *testing.T) {
	h := newHouse(t)
	sequence := func() uint64 {
		b, err := h.Source("default").Snapshot(t.Context())
		h.must(err)
		s, err := approval.VerifySnapshot(b, h.trustDocument(), "default", h.now, 0)
		h.must(err)
		return s.Sequence
	}
	first := sequence()
	if again := sequence(); again != first {
		t.Errorf("a fresh snapshot was signed anew: %d, %d", first, again)
	}
	h.now = h.now.Add(approval.SnapshotEvery)
	second := sequence()
	h.reopen()
	if third := sequence(); second <= first || third <= second {
		t.Errorf("sequences %d %d %d", first, second, third)
	}
	h.must(os.WriteFile(h.snapshots.path("default"), []byte(`{"tenant":"default","sequence":1`), 0o600))
	h.Service.snapshots.tenants = map[string]*tenantSnapshot{}
	_, err := h.Source("default").Snapshot(t.Context())
	wantRefusal(t, err, ErrUnavailable, RefusedSigning)
}

func TestFullDatabase(t *testing.T) {
	h := newHouse(t, func(h *house) { h.options = []store.Option{store.MaxPages(90)} })
	v := h.approve(h.publish("weather", "1.0.0"))
	var full error
	published := 0
	for i := range 200 {
		sub := h.submission("w"+string(rune('a'+i/26))+string(rune('a'+i%26)), "1.0.0", h.publisher)
		if _, full = h.Publish(t.Context(), alice, sub); full != nil {
			break
		}
		published++
	}
	wantRefusal(t, full, ErrFull, RefusedFull)
	all, err := h.List(t.Context(), "default")
	h.must(err)
	for _, x := range all {
		if x.State == admission.InReview && (x.Subject == "" || x.SBOM == "") {
			t.Errorf("half-written: %+v", x)
		}
	}
	if _, err := h.Show(t.Context(), "default", v.Name, v.Version); err != nil {
		t.Errorf("reads fail: %v", err)
	}
	h.now = h.now.Add(approval.SnapshotEvery)
	if len(h.listed("default")) != 1 {
		t.Error("snapshots stopped")
	}
	// A withdrawal must not need room.
	if _, err := h.Quarantine(t.Context(), admin, v.Name, v.Version, "incident"); err != nil {
		wantRefusal(t, err, ErrFull, RefusedFull)
	}
	if len(h.listed("default")) != 0 {
		t.Error("still listed although withdrawn")
	}
}

func TestAuditUnavailable(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	h := newHouse(t)
	v := h.publish("weather", "1.0.0")
	r := h.complete(v.Review)
	h.Service.Audit.Close()
	_, err := h.Publish(t.Context(), alice, h.submission("other", "1.0.0", h.publisher))
	wantRefusal(t, err, ErrUnavailable, RefusedAudit)
	_, err = h.Vote(t.Context(), bob, v.Review, r.Subject, approval.VoteApprove, nil)
	wantRefusal(t, err, ErrUnavailable, RefusedAudit)
	_, err = h.Quarantine(t.Context(), admin, v.Name, v.Version, "incident")
	wantRefusal(t, err, ErrUnavailable, RefusedAudit)
	all, err := h.List(t.Context(), "default")
	h.must(err)
	after, err := h.Review(t.Context(), "default", v.Review)
	h.must(err)
	if len(all) != 1 || all[0].State != admission.InReview || len(after.Votes) != 0 {
		t.Errorf("something changed: %v %v", all, after.Votes)
	}
}

// TestFirstKeyOwesItsRecord holds that the key which an installation begins
// with exists although the log is full, and that no change goes before its record.
func TestFirstKeyOwesItsRecord(t *testing.T) {
	full, err := audit.Open("/dev/full", audit.Options{})
	if err != nil {
		t.Skip("no /dev/full here")
	}
	t.Cleanup(func() { _ = full.Close() }) // says what it could not write
	h := newHouse(t)
	well := h.Service.Audit
	h.Service.Audit = full
	token, err := h.FirstKey(t.Context(), identity.KeySpec{
		Tenant: "default", Principal: "root", Kind: identity.KindUser, Roles: []string{identity.RoleAdmin}, Lifetime: time.Hour,
	})
	h.must(err)
	if caller, err := identity.Authenticate(t.Context(), h.Service, "Bearer "+token, h.now); err != nil || caller.Principal != "root" {
		t.Fatalf("%+v, %v", caller, err)
	}
	_, err = h.Publish(t.Context(), alice, h.submission("weather", "1.0.0", h.publisher))
	wantRefusal(t, err, ErrUnavailable, RefusedAudit)

	h.Service.Audit = well
	h.publish("weather", "1.0.0")
	events, err := audit.Search(t.Context(), h.auditPath, audit.Query{Limit: 100})
	h.must(err)
	var order []string
	for _, e := range events {
		if code := e.Event.Metadata.EventCode; code == "key_issued" || code == "published" {
			order = append(order, code)
		}
	}
	if len(order) < 2 || order[0] != "key_issued" || slices.Contains(order[1:], "key_issued") {
		t.Errorf("records: %v", order)
	}
}

// TestQueriesKnowTheirTenant reads every SQL statement of the package.
func TestQueriesKnowTheirTenant(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 20 {
		t.Fatal(len(files), err)
	}
	allowed := map[string]bool{
		"SELECT tenant, record FROM api_keys WHERE id = $1":    true, // the id finds the tenant
		"SELECT DISTINCT tenant FROM versions ORDER BY tenant": true, // names of tenants, for the process itself
	}
	seen := 0
	for _, file := range files {
		for _, query := range statements(t, file) {
			seen++
			if !allowed[query] && !tenantBound(query) {
				t.Errorf("%s: %s", file, query)
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d statements found", seen)
	}
}
