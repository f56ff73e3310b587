package engine

import (
	"errors"
	"testing"
)

func TestPanicsAreContained(t *testing.T) {
	err := func() (err error) {
		defer contain(&err)
		panic("found by a module")
	}()
	if !errors.Is(err, errPanic) {
		t.Fatal(err)
	}
	s := &Scanner{manifest: Manifest{Name: "x"}}
	if f := s.failure(t.Context(), &memoryCap{}, err); f.Kind != FailureTrap || f.Detail != errPanic.Error() {
		t.Errorf("%+v", f)
	}
}

// FuzzLoad feeds damaged modules to admission and, where admitted, runs them.
func FuzzLoad(f *testing.F) {
	f.Add(module(cleanAnswer, nil))
	f.Add(module(finding(""), nil))
	e, err := New(f.Context(), Config{})
	if err != nil {
		f.Fatal(err)
	}
	defer e.Close(f.Context())
	f.Fuzz(func(t *testing.T, wasm []byte) {
		s, err := e.Load(t.Context(), wasm, Options{})
		if err != nil {
			return
		}
		defer s.Close(t.Context())
		if v := NewSet(s).Scan(t.Context(), result("text")); len(v.Failures) > 0 && !v.Blocked() {
			t.Errorf("%+v", v)
		}
	})
}
