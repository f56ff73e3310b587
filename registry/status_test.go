package registry

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
)

func (h *house) setStatus(ver string, status admission.Status, message string) []Published {
	h.t.Helper()
	all, err := h.SetStatus(h.t.Context(), alice, "io.github.acme/weather", ver, status, message)
	h.must(err)
	return all
}

// shown are the versions in the public list, with a mark where there is more to
// say than that they are there.
func (h *house) shown(q PublicQuery) string {
	h.t.Helper()
	q.Limit = 100
	page, next, err := h.Public(h.t.Context(), "default", q)
	h.must(err)
	if next != "" {
		h.t.Errorf("next %q", next)
	}
	var out []string
	for _, p := range page {
		s := p.Version.Version
		if p.Latest {
			s += "*"
		}
		if !p.Lifecycle.Is(admission.Active) {
			s += " " + string(p.Lifecycle.Status)
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func (h *house) wantShown(q PublicQuery, want string) {
	h.t.Helper()
	if got := h.shown(q); got != want {
		h.t.Errorf("shown: %s; want %s", got, want)
	}
}

// TestStatus walks two versions through every status: what the lists show, and
// what a gateway would believe.
func TestStatus(t *testing.T) {
	h := newHouse(t)
	first := h.approve(h.publish("weather", "1.0.0"))
	second := h.approve(h.publish("weather", "1.1.0"))
	h.wantShown(PublicQuery{}, "1.0.0, 1.1.0*")

	p := h.setStatus("1.0.0", admission.Deprecated, "use 1.1.0")
	if p[0].Lifecycle.Message != "use 1.1.0" || !p[0].Lifecycle.Changed.Equal(h.now) || p[0].State != admission.Approved {
		t.Errorf("%+v", p[0].Version)
	}
	h.wantShown(PublicQuery{}, "1.0.0 deprecated, 1.1.0*")
	if len(h.listed("default")) != 2 {
		t.Error("what is deprecated is served all the same")
	}

	events, cursor, err := h.Feed(t.Context(), "default", 0, 0)
	h.must(err)
	h.setStatus("1.1.0", admission.Deleted, "leaks keys")
	if listed := h.listed("default"); len(listed) != 1 || listed[0] != hexDigest(first.Approval) {
		t.Errorf("a deleted version is still in the snapshot: %v", listed)
	}
	h.wantShown(PublicQuery{}, "1.0.0* deprecated")
	h.wantShown(PublicQuery{Deleted: true}, "1.0.0* deprecated, 1.1.0 deleted")
	h.wantShown(PublicQuery{Version: LatestVersion}, "1.0.0* deprecated")
	if v, err := h.Show(t.Context(), "default", second.Name, second.Version); err != nil || v.State != admission.Approved || !v.Lifecycle.Is(admission.Deleted) {
		t.Errorf("the reviewers' decision was touched: %+v %v", v, err)
	}
	if more, _, err := h.Feed(t.Context(), "default", cursor, 0); err != nil || len(more) < 2 {
		t.Errorf("%d events before, then %v %v", len(events), more, err)
	}
	if _, err := h.PublicVersion(t.Context(), "default", second.Name, second.Version, false); err == nil {
		t.Error("a deleted version is shown")
	}

	h.reopen() // a start quarantines what was withdrawn, but not what its publisher withdrew
	if v, err := h.Show(t.Context(), "default", second.Name, second.Version); err != nil || v.State != admission.Approved {
		t.Errorf("%+v %v", v, err)
	}
	if len(h.listed("default")) != 1 {
		t.Error("a start brought it back")
	}

	h.setStatus("1.1.0", admission.Active, "")
	if len(h.listed("default")) != 2 {
		t.Error("not brought back")
	}
	h.wantShown(PublicQuery{}, "1.0.0 deprecated, 1.1.0*")

	if all := h.setStatus("", admission.Deleted, "no longer made"); len(all) != 2 {
		t.Errorf("%d versions", len(all))
	}
	if len(h.listed("default")) != 0 {
		t.Error("still in the snapshot")
	}
	h.wantShown(PublicQuery{}, "")
	h.wantShown(PublicQuery{Deleted: true}, "1.0.0 deleted, 1.1.0* deleted")
	if _, err := h.PublicVersions(t.Context(), "default", first.Name, false); err == nil {
		t.Error("the server is shown")
	}
	records, err := audit.Search(t.Context(), h.auditPath, audit.Query{Text: "status_changed", Limit: 100})
	if err != nil || len(records) != 5 {
		t.Errorf("%d records, %v", len(records), err)
	}
	for _, r := range records {
		if strings.Contains(string(r.Raw), "leaks keys") {
			t.Error("a publisher's words are in the log")
		}
	}
}

func TestStatusRefusals(t *testing.T) {
	h := newHouse(t)
	v := h.approve(h.publish("weather", "1.0.0"))
	h.publish("weather", "2.0.0") // in review
	other := origin("default", "mallory", identity.RolePublisher)
	other.Caller.Namespaces = []string{"io.github.mallory"}
	for name, tc := range map[string]struct {
		by      audit.Origin
		version string
		status  admission.Status
		message string
		class   error
		refusal string
	}{
		"another namespace":     {other, v.Version, admission.Deleted, "", ErrForbidden, RefusedNamespace},
		"another role":          {bob, v.Version, admission.Deleted, "", ErrForbidden, RefusedRole},
		"another tenant":        {origin("other", "alice", identity.RolePublisher), v.Version, admission.Deleted, "", ErrNotFound, RefusedUnknown},
		"not approved":          {alice, "2.0.0", admission.Deleted, "", ErrNotFound, RefusedUnknown},
		"unknown status":        {alice, v.Version, "approved", "", ErrInvalid, RefusedStatus},
		"active with a message": {alice, v.Version, admission.Active, "fine", ErrInvalid, RefusedStatus},
		"long message":          {alice, v.Version, admission.Deprecated, strings.Repeat("é", MaxStatusMessage+1), ErrInvalid, RefusedStatus},
		"escape sequence":       {alice, v.Version, admission.Deprecated, "\x1b[2Jgone", ErrInvalid, RefusedStatus},
		"hidden text":           {alice, v.Version, admission.Deprecated, "fine\u202egnorw", ErrInvalid, RefusedStatus},
		"no change":             {alice, v.Version, admission.Active, "", ErrConflict, RefusedState},
	} {
		_, err := h.SetStatus(t.Context(), tc.by, v.Name, tc.version, tc.status, tc.message)
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, tc.class, tc.refusal) })
	}
	if len(h.listed("default")) != 1 {
		t.Error("a refused change took effect")
	}
}

// TestStatusIsNoRelease: what an operator took out of circulation does not come
// back by its publisher, nor what the publisher deleted by an operator.
func TestStatusIsNoRelease(t *testing.T) {
	h := newHouse(t)
	v := h.approve(h.publish("weather", "1.0.0"))
	h.setStatus("1.0.0", admission.Deleted, "")
	_, err := h.Quarantine(t.Context(), bob, v.Name, v.Version, "drifted")
	h.must(err)
	_, err = h.SetStatus(t.Context(), alice, v.Name, v.Version, admission.Active, "")
	wantRefusal(t, err, ErrNotFound, RefusedUnknown)
	_, err = h.Release(t.Context(), bob, v.Name, v.Version, "looked at it")
	h.must(err)
	if len(h.listed("default")) != 0 {
		t.Error("an operator's release brought back what its publisher deleted")
	}
	h.setStatus("1.0.0", admission.Active, "")
	if len(h.listed("default")) != 1 {
		t.Error("not brought back")
	}
}

// TestStatusRowsAreNotBelieved: an edited status neither brings back nor shows
// what was never approved.
func TestStatusRowsAreNotBelieved(t *testing.T) {
	h := newHouse(t)
	h.approve(h.publish("weather", "1.0.0"))
	h.publish("weather", "2.0.0")
	h.setStatus("1.0.0", admission.Deleted, "")
	edit := func(statement string) {
		t.Helper()
		h.must(h.tx(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), statement)
			return err
		}))
	}
	edit(`UPDATE versions SET status = 'active' WHERE version = '1.0.0'`)
	if len(h.listed("default")) != 0 {
		t.Error("an edited row brought a deleted version back")
	}
	h.reopen()
	if v, err := h.Show(t.Context(), "default", "io.github.acme/weather", "1.0.0"); err != nil || v.State != admission.Quarantined {
		t.Errorf("%+v %v", v, err)
	}
	edit(`UPDATE versions SET state = 'approved', status = 'deleted', approval = 'sha256:00' WHERE version = '2.0.0'`)
	h.wantShown(PublicQuery{Deleted: true}, "")
}

// TestKilledWhileDeleting: the process dies between withdrawal and row.
func TestKilledWhileDeleting(t *testing.T) {
	h := newHouse(t)
	v := h.approve(h.publish("weather", "1.0.0"))
	h.killAt("deleted withdrawn", func() {
		h.SetStatus(t.Context(), alice, v.Name, v.Version, admission.Deleted, "")
	})
	if len(h.listed("default")) != 0 {
		t.Error("it is back")
	}
	got, err := h.Show(t.Context(), "default", v.Name, v.Version)
	if err != nil || got.State != admission.Quarantined {
		t.Errorf("%+v %v", got, err)
	}
}
