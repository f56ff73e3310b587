package main

import (
	"testing"

	"github.com/tetratelabs/wazero"
)

// TestGuestsComputeWhatGoDoes holds every guest that was built to the answer of
// its kernel in Go: a benchmark of the wrong computation is none.
func TestGuestsComputeWhatGoDoes(t *testing.T) {
	in := []byte(prose(kernelInput, 1))
	for _, k := range kernels {
		want := k.run(in)
		for _, language := range []string{"c", "rust"} {
			t.Run(language+"-"+k.name, func(t *testing.T) {
				wasm, err := guest(language + "-" + k.name)
				if err != nil {
					t.Skip(err)
				}
				r := wazero.NewRuntime(t.Context())
				defer r.Close(t.Context())
				m, err := instantiate(t.Context(), r, wasm)
				if err != nil {
					t.Fatal(err)
				}
				for range 2 { // a guest that is reused must not remember
					got, err := m.number(t.Context(), in)
					if err != nil {
						t.Fatal(err)
					}
					if got != want {
						t.Errorf("%#x, in Go %#x", got, want)
					}
				}
			})
		}
	}
}

func TestPatternsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range patterns(1000) {
		if seen[p] {
			t.Errorf("%q twice", p)
		}
		seen[p] = true
	}
}
