package engine

import "testing"

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
