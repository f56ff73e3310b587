package admit_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine/admit"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

const (
	bulkPages   = 5
	bulkSegment = 200_000
)

// bulkGuest has the bulk instructions as functions of their three operands, a
// passive segment of bulkSegment bytes, and drop.
func bulkGuest() []byte {
	i32 := byte(api.ValueTypeI32)
	get := []byte{0x20, 0, 0x20, 1, 0x20, 2}
	body := func(code ...byte) []byte { return admit.BuildFunction(append(bytes.Clone(get), code...)...) }
	data := make([]byte, bulkSegment)
	for i := range data {
		data[i] = byte(i*7 + i>>8)
	}
	return admit.BuildModule(
		admit.BuildSection(1, admit.BuildFuncType([]byte{i32, i32, i32}, nil), admit.BuildFuncType(nil, nil)),
		admit.BuildSection(3, []byte{0}, []byte{0}, []byte{0}, []byte{1}),
		admit.BuildSection(5, []byte{1, bulkPages, bulkPages}),
		admit.BuildSection(7, admit.BuildNamed("memory", 2, 0), admit.BuildNamed("fill", 0, 0),
			admit.BuildNamed("copy", 0, 1), admit.BuildNamed("init", 0, 2), admit.BuildNamed("drop", 0, 3)),
		[]byte{12, 1, 1},
		admit.BuildSection(10, body(0xfc, 11, 0), body(0xfc, 10, 0, 0), body(0xfc, 8, 0, 0), admit.BuildFunction(0xfc, 9, 0)),
		admit.BuildSection(11, append([]byte{1, 0xc0, 0x9a, 0x0c}, data...)),
	)
}

// TestBulkMemory compares what chunks do with what one instruction does: the
// bytes, the traps, and that a trap leaves the memory as it was.
func TestBulkMemory(t *testing.T) {
	r := newRig(t, wazero.NewRuntimeConfig())
	r.quantum = 1000
	plain, err := r.InstantiateWithConfig(t.Context(), bulkGuest(), wazero.NewModuleConfig().WithName(""))
	if err != nil {
		t.Fatal(err)
	}
	metered, _, err := r.instantiate(t.Context(), bulkGuest(), "")
	if err != nil {
		t.Fatal(err)
	}
	const size = bulkPages << 16
	noise := rand.New(rand.NewPCG(1, 2))
	start := make([]byte, size)
	for i := range start {
		start[i] = byte(noise.Uint32())
	}
	memory := func(mod api.Module) []byte {
		b, _ := mod.Memory().Read(0, size)
		return b
	}
	traps := 0
	try := func(name string, x, y, n uint32) {
		t.Helper()
		copy(memory(plain), start)
		copy(memory(metered), start)
		_, want := plain.ExportedFunction(name).Call(t.Context(), uint64(x), uint64(y), uint64(n))
		r.enter(metered, deep)
		_, got := metered.ExportedFunction(name).Call(t.Context(), uint64(x), uint64(y), uint64(n))
		if reason(got) != reason(want) {
			t.Fatalf("%s(%d, %d, %d): %v, the original: %v", name, x, y, n, got, want)
		}
		if !bytes.Equal(memory(plain), memory(metered)) {
			t.Fatalf("%s(%d, %d, %d): the memories differ", name, x, y, n)
		}
		if want != nil {
			traps++
			if !bytes.Equal(memory(metered), start) {
				t.Fatalf("%s(%d, %d, %d): a trap, yet memory was written", name, x, y, n)
			}
		} else if spent, least := r.spent(metered), int64(n>>4); spent < least {
			t.Fatalf("%s(%d, %d, %d): %d units spent, at least %d are due", name, x, y, n, spent, least)
		}
	}
	edges := []uint32{0, 1, 15, 16, 65535, 65536, 65537, 131072, 131073, 200_000, 200_001, size - 1, size, size + 1, 1 << 31, 1<<32 - 65536, 1<<32 - 1}
	for _, name := range []string{"fill", "copy", "init"} {
		for _, x := range edges {
			for _, y := range edges {
				for _, n := range edges {
					if int64(x)+int64(n) <= size+2 || x > size || n > size {
						try(name, x, y, n)
					}
				}
			}
		}
	}
	for range 300 { // overlaps, both ways
		n := noise.Uint32N(size)
		x, y := noise.Uint32N(size-n+1), noise.Uint32N(size-n+1)
		try("copy", x, y, n)
		try("copy", x, min(x+noise.Uint32N(70), size-n), n)
		try("copy", x, x-min(x, noise.Uint32N(70)), n)
	}
	if traps < 100 {
		t.Errorf("only %d traps", traps)
	}
	for _, mod := range []api.Module{plain, metered} {
		r.enter(metered, deep)
		if _, err := mod.ExportedFunction("drop").Call(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []uint32{0, 1, 70_000} {
		try("init", 0, 0, n)
	}
	if metered.ExportedGlobal(admit.ExportDirty).Get() != 1 {
		t.Error("a dropped segment leaves the instance clean")
	}
}

// TestBulkYields has no bulk instruction run long between two yields.
func TestBulkYields(t *testing.T) {
	r := newRig(t, wazero.NewRuntimeConfig())
	r.quantum = 0
	mod, _, err := r.instantiate(t.Context(), bulkGuest(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fill", "copy"} {
		r.enter(mod, deep)
		r.most, r.yields = 0, 0
		if _, err := mod.ExportedFunction(name).Call(t.Context(), 0, 10, 4<<16); err != nil {
			t.Fatal(err)
		}
		if r.yields < 5 || r.most > 4096+admit.Unpaid {
			t.Errorf("%s of 256 KiB: %d yields, at most %d units between them", name, r.yields, r.most)
		}
	}
}

// TestDirty has each instruction that changes what no reset restores mark the
// instance, and no other.
func TestDirty(t *testing.T) {
	null := []byte{0xd0, 0x70}
	zeros := []byte{0x41, 0, 0x41, 0, 0x41, 0}
	for name, c := range map[string]struct {
		code  []byte
		dirty uint64
	}{
		"nothing":     {nil, 0},
		"table.get":   {[]byte{0x41, 0, 0x25, 0, 0x1a}, 0},
		"table.size":  {[]byte{0xfc, 16, 0, 0x1a}, 0},
		"memory.fill": {append(bytes.Clone(zeros), 0xfc, 11, 0), 0},
		"memory.init": {append(bytes.Clone(zeros), 0xfc, 8, 0, 0), 0},
		"table.set":   {append(append([]byte{0x41, 0}, null...), 0x26, 0), 1},
		"table.grow":  {append(bytes.Clone(null), 0x41, 0, 0xfc, 15, 0, 0x1a), 1},
		"table.fill":  {append(append([]byte{0x41, 0}, null...), 0x41, 0, 0xfc, 17, 0), 1},
		"table.copy":  {append(bytes.Clone(zeros), 0xfc, 14, 0, 0), 1},
		"table.init":  {append(bytes.Clone(zeros), 0xfc, 12, 0, 0), 1},
		"elem.drop":   {[]byte{0xfc, 13, 0}, 1},
		"data.drop":   {[]byte{0xfc, 9, 0}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, wazero.NewRuntimeConfigInterpreter())
			mod, _, err := r.instantiate(t.Context(), admit.BuildModule(
				admit.BuildSection(1, admit.BuildFuncType(nil, nil)),
				admit.BuildSection(3, []byte{0}),
				admit.BuildSection(4, []byte{0x70, 0, 1}),
				admit.BuildSection(5, []byte{0, 1}),
				admit.BuildSection(7, admit.BuildNamed("f", 0, 0)),
				admit.BuildSection(9, []byte{5, 0x70, 1, 0xd0, 0x70, 0x0b}),
				[]byte{12, 1, 1},
				admit.BuildSection(10, admit.BuildFunction(c.code...)),
				admit.BuildSection(11, []byte{1, 1, 'x'}),
			), "")
			if err != nil {
				t.Fatal(err)
			}
			r.enter(mod, deep)
			if _, err := mod.ExportedFunction("f").Call(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := mod.ExportedGlobal(admit.ExportDirty).Get(); got != c.dirty {
				t.Errorf("dirty is %d, want %d", got, c.dirty)
			}
		})
	}
}
