package approval

import (
	"os"
	"testing"
)

// Predicates are read after their signature was verified; a signer is still no
// reason to crash.
func FuzzPredicate(f *testing.F) {
	p, s := examplePredicate()
	b, err := encode(p)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		p := new(Predicate)
		if decode(b, p) != nil || p.check(s) != nil {
			return
		}
		first, err := SubjectDigest(p, s)
		if err != nil {
			return
		}
		if again, err := SubjectDigest(p, s); err != nil || again != first {
			t.Errorf("SubjectDigest = %s then %s, %v", first, again, err)
		}
		if _, err := quorum(p, &Trust{Tiers: DefaultTiers()}); err == nil && len(p.SessionVotes) == 0 {
			t.Error("a quorum of no votes")
		}
	})
}

func FuzzState(f *testing.F) {
	dir := store{f.TempDir()}
	if err := dir.save(&state{Format: stateFormat, Registry: "r", Tenant: "t", Sequence: 7, Trust: []byte(`{}`)}); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(dir.statePath())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"sha256":"","state":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := store{t.TempDir()}
		if err := os.WriteFile(s.statePath(), b, 0o600); err != nil {
			t.Fatal(err)
		}
		st, err := s.load()
		if (st == nil) == (err == nil) {
			t.Errorf("load = %v, %v: a file that exists is a state or an error", st, err)
		}
	})
}
