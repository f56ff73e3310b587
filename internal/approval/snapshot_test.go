package approval_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/attest"
)

func TestSnapshotSignsAndVerifies(t *testing.T) {
	h := newHouse(t)
	b := h.snapshotOf(t, 7, start, sum("b"), sum("a"), sum("b"))
	s, err := approval.VerifySnapshot(b, h.trust, tenant, start.Add(59*time.Second), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{min(sum("a"), sum("b")), max(sum("a"), sum("b"))}
	if d := cmp.Diff(want, s.Approvals); d != "" || s.Sequence != 7 {
		t.Errorf("sequence %d, approvals %s", s.Sequence, d)
	}
	for _, c := range []struct {
		at    time.Duration
		grace time.Duration
		want  error
	}{
		{time.Minute, 0, approval.ErrSnapshotExpired},
		{time.Minute, 10 * time.Minute, nil},
		{11 * time.Minute, 10 * time.Minute, approval.ErrSnapshotExpired},
		{-time.Minute, 0, nil}, // the signer's clock may lead a little
		{-61 * time.Second, 0, approval.ErrClock},
		{400 * 24 * time.Hour, 0, approval.ErrTrustExpired},
	} {
		if _, err := approval.VerifySnapshot(b, h.trust, tenant, start.Add(c.at), c.grace); !errors.Is(err, c.want) {
			t.Errorf("at %s with grace %s: err = %v, want %v", c.at, c.grace, err, c.want)
		}
	}
}

func TestSnapshotRefuses(t *testing.T) {
	h := newHouse(t)
	good := h.snapshotOf(t, 7, start, sum("a"))
	edit := func(f func(*attest.Statement, map[string]any)) []byte {
		return resign(t, h.snapshot, good, h.snapshot, f)
	}
	by := func(k *attest.Key) []byte {
		return resign(t, k, good, h.snapshot, func(*attest.Statement, map[string]any) {})
	}
	approved, _ := h.approve(t, "1.0.0")
	for name, c := range map[string]struct {
		bundle []byte
		want   error
	}{
		"signed with the approval key": {by(h.approval), approval.ErrSignature},
		"signed with the log key":      {by(h.log), approval.ErrSignature},
		"signed by a voter":            {by(h.alice), approval.ErrSignature},
		"signed by a stranger":         {by(newKey(t)), approval.ErrSignature},
		"an approval":                  {approved, approval.ErrSignature},
		"other tenant":                 {edit(func(_ *attest.Statement, p map[string]any) { p["tenant"] = "globex" }), approval.ErrTenant},
		"other registry":               {edit(func(_ *attest.Statement, p map[string]any) { p["registry"] = "evil.example" }), approval.ErrRegistry},
		"lives too long":               {edit(func(_ *attest.Statement, p map[string]any) { p["expires"] = "2026-03-01T12:01:01Z" }), approval.ErrMalformed},
		"expires before issue":         {edit(func(_ *attest.Statement, p map[string]any) { p["expires"] = "2026-03-01T11:00:00Z" }), approval.ErrMalformed},
		"no sequence":                  {edit(func(_ *attest.Statement, p map[string]any) { p["sequence"] = 0 }), approval.ErrMalformed},
		"negative sequence":            {edit(func(_ *attest.Statement, p map[string]any) { p["sequence"] = -1 }), approval.ErrMalformed},
		"sequence beyond 2^53":         {edit(func(_ *attest.Statement, p map[string]any) { p["sequence"] = uint64(1) << 60 }), approval.ErrMalformed},
		"list edited":                  {edit(func(_ *attest.Statement, p map[string]any) { p["approvals"] = []any{sum("b")} }), approval.ErrMalformed},
		"list unsorted": {edit(func(_ *attest.Statement, p map[string]any) {
			p["approvals"] = []any{"f" + sum("")[1:], "0" + sum("")[1:]}
		}), approval.ErrMalformed},
		"list repeats":         {edit(func(_ *attest.Statement, p map[string]any) { p["approvals"] = []any{sum("a"), sum("a")} }), approval.ErrMalformed},
		"path in the list":     {edit(func(_ *attest.Statement, p map[string]any) { p["approvals"] = []any{"../../../etc/passwd"} }), approval.ErrMalformed},
		"unknown member":       {edit(func(_ *attest.Statement, p map[string]any) { p["except"] = []any{} }), approval.ErrMalformed},
		"other predicate type": {edit(func(s *attest.Statement, _ map[string]any) { s.PredicateType = attest.PredicateApproval }), approval.ErrMalformed},
		"two subjects":         {edit(func(s *attest.Statement, _ map[string]any) { s.Subjects = append(s.Subjects, s.Subjects[0]) }), approval.ErrMalformed},
		"truncated":            {good[:100], approval.ErrSignature},
		"huge":                 {make([]byte, approval.MaxSnapshot+1), approval.ErrMalformed},
	} {
		if s, err := approval.VerifySnapshot(c.bundle, h.trust, tenant, start, 0); !errors.Is(err, c.want) || s != nil {
			t.Errorf("%s: %v, err = %v, want %v", name, s, err, c.want)
		}
	}
}

func TestSignSnapshotRefuses(t *testing.T) {
	h := newHouse(t)
	for name, f := range map[string]func(*approval.Snapshot){
		"too long":  func(s *approval.Snapshot) { s.Expires = s.Issued.Add(2 * time.Minute) },
		"no number": func(s *approval.Snapshot) { s.Sequence = 0 },
		"no tenant": func(s *approval.Snapshot) { s.Tenant = "" },
		"no digest": func(s *approval.Snapshot) { s.Approvals = []string{"x"} },
	} {
		s := &approval.Snapshot{Registry: registryID, Tenant: tenant, Sequence: 1, Issued: start, Expires: start.Add(time.Minute)}
		f(s)
		if _, err := approval.SignSnapshot(t.Context(), h.snapshot, s); !errors.Is(err, approval.ErrMalformed) {
			t.Errorf("%s: err = %v, want ErrMalformed", name, err)
		}
	}
}
