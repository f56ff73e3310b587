package wasmsection

import (
	"bytes"
	"errors"
	"testing"
)

func module(sections ...[]byte) []byte {
	return append(bytes.Clone(preamble), bytes.Join(sections, nil)...)
}

func TestAttachReplacesAndKeepsTheRest(t *testing.T) {
	typ := []byte{1, 4, 1, 0x60, 0, 0}
	other := []byte{0, 3, 1, 'x', 9}
	base := module(typ, other)
	first, err := Attach(base, "m", []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(first, base) {
		t.Error("existing sections changed")
	}
	twice := append(bytes.Clone(first), first[len(base):]...)
	if bodies, err := Custom(twice, "m"); err != nil || len(bodies) != 2 {
		t.Fatalf("two sections: %d, %v", len(bodies), err)
	}
	second, err := Attach(twice, "m", bytes.Repeat([]byte("2"), 300))
	if err != nil {
		t.Fatal(err)
	}
	bodies, err := Custom(second, "m")
	if err != nil || len(bodies) != 1 || len(bodies[0]) != 300 {
		t.Errorf("after Attach: %d sections, %v", len(bodies), err)
	}
	if bodies, _ := Custom(second, "x"); len(bodies) != 1 {
		t.Error("another custom section was lost")
	}
}

func TestMalformed(t *testing.T) {
	for name, wasm := range map[string][]byte{
		"empty":            nil,
		"component":        {0, 'a', 's', 'm', 0x0d, 0, 1, 0},
		"cut section":      module([]byte{1, 200}),
		"endless length":   module([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}),
		"length over 2^32": module([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x7f}),
		"nameless custom":  module([]byte{0, 1, 5}),
		"name not UTF-8":   module([]byte{0, 2, 1, 0xff}),
	} {
		if _, err := Parse(wasm); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(module([]byte{2, 7, 1, 1, 'a', 1, 'f', 0, 0}, []byte{0, 3, 1, 'x', 9}))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		sections, err := Parse(wasm)
		if err != nil {
			return
		}
		at := len(preamble)
		for _, s := range sections {
			if s.Start != at || s.End <= s.Start {
				t.Fatalf("section %d..%d after byte %d", s.Start, s.End, at)
			}
			at = s.End
		}
		if at != len(wasm) {
			t.Fatalf("%d bytes unaccounted for", len(wasm)-at)
		}
		out, err := Attach(wasm, "n", []byte("v"))
		if err != nil {
			t.Fatal(err)
		}
		if bodies, err := Custom(out, "n"); err != nil || len(bodies) != 1 {
			t.Fatalf("attached: %d, %v", len(bodies), err)
		}
	})
}
