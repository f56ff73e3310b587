package wasmsection

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
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

func TestImports(t *testing.T) {
	body := []byte{5,
		1, 'a', 1, 'f', 0, 0, // function
		1, 'a', 1, 't', 1, 0x70, 1, 1, 2, // table with maximum
		1, 'b', 1, 'm', 2, 0, 1, // memory
		1, 'b', 1, 'g', 3, 0x7f, 0, // global
		1, 'b', 1, 'e', 4, 0, 0, // tag
	}
	got, err := Imports(module(append([]byte{IDImport, byte(len(body))}, body...)))
	if err != nil {
		t.Fatal(err)
	}
	want := []Import{{"a", "f", "function"}, {"a", "t", "table"}, {"b", "m", "memory"}, {"b", "g", "global"}, {"b", "e", "tag"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
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
		"import count":     module([]byte{IDImport, 1, 3}),
		"import kind":      module([]byte{IDImport, 6, 1, 1, 'a', 1, 'b', 9}),
		"import trailing":  module([]byte{IDImport, 2, 0, 0}),
	} {
		if _, err := Imports(wasm); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(module([]byte{IDImport, 7, 1, 1, 'a', 1, 'f', 0, 0}, []byte{0, 3, 1, 'x', 9}))
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
		size, err := Measure(wasm)
		if err != nil {
			return
		}
		bare, err := Bare(wasm, size.TableMin)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Measure(bare); err != nil || again != size {
			t.Fatalf("bare: %+v, %v; want %+v", again, err, size)
		}
	})
}

func TestBare(t *testing.T) {
	typ := []byte{1, 4, 1, 0x60, 0, 0}
	custom := []byte{0, 3, 1, 'x', 9}
	tables := []byte{4, 11, 3, 0x70, 0, 2, 0x6f, 1, 1, 3, 0x70, 1, 0, 200, 1} // min 2; 1 to 3; 0 to 200
	tables[1] = byte(len(tables) - 2)
	got, err := Bare(module(custom, typ, custom, tables), 33)
	if err != nil {
		t.Fatal(err)
	}
	want := module(typ, []byte{4, 13, 3, 0x70, 1, 2, 12, 0x6f, 1, 1, 3, 0x70, 1, 0, 10})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := Bare(module(tables), 2); !errors.Is(err, ErrMalformed) {
		t.Errorf("too many elements: %v", err)
	}
}
