package admit

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLimits passes every bound by one, and not with one to spare.
func TestLimits(t *testing.T) {
	i32 := []byte{typeI32}
	types := section(sectionType, funcType(nil, nil), funcType([]byte{typeI32, typeI32}, nil), funcType(nil, i32))
	code := func(body ...byte) []byte {
		return module(types, section(sectionFunction, []byte{0}), section(sectionCode, function(body...)))
	}
	repeat := func(n int, b ...byte) []byte { return bytes.Repeat(b, n) }
	locals := module(types, section(sectionFunction, []byte{0}), section(sectionCode, []byte{4, 1, 9, typeI32, 0x0b}))
	for name, c := range map[string]struct {
		wasm []byte
		l    Limits // refuses it
	}{
		"bytes":       {code(), Limits{ModuleBytes: len(code()) - 1}},
		"types":       {module(types), Limits{Types: 2}},
		"parameters":  {module(types), Limits{Params: 1}},
		"imports":     {module(types, section(sectionImport, importOf("a", "a", 0, 0), importOf("a", "b", 0, 0))), Limits{Imports: 1}},
		"functions":   {module(types, section(sectionFunction, []byte{0}, []byte{0}), section(sectionCode, function(), function())), Limits{Functions: 1}},
		"exports":     {module(section(sectionMemory, []byte{0, 1}), section(sectionExport, named("a", 2, 0), named("b", 2, 0))), Limits{Exports: 1}},
		"globals":     {module(section(sectionGlobal, []byte{typeI32, 1, 0x41, 0, 0x0b}, []byte{typeI32, 1, 0x41, 0, 0x0b})), Limits{Globals: 1}},
		"tables":      {module(section(sectionTable, []byte{typeFunc, 0, 1}, []byte{typeFunc, 0, 1})), Limits{Tables: 1}},
		"elements":    {module(section(sectionTable, []byte{typeFunc, 0, 3}, []byte{typeFunc, 0, 3})), Limits{TableElements: 5}},
		"segments":    {module(section(sectionElement, []byte{5, typeFunc, 0}, []byte{5, typeFunc, 0})), Limits{ElementSegments: 1}},
		"entries":     {module(section(sectionElement, []byte{5, typeFunc, 1, 0xd0, typeFunc, 0x0b}, []byte{5, typeFunc, 2, 0xd0, typeFunc, 0x0b, 0xd0, typeFunc, 0x0b})), Limits{ElementInits: 2}},
		"data":        {module(section(sectionData, []byte{1, 0}, []byte{1, 0})), Limits{DataSegments: 1}},
		"body":        {code(repeat(9, 0x01)...), Limits{FunctionBytes: 10}},
		"locals":      {locals, Limits{Locals: 8}},
		"nesting":     {code(append(repeat(3, 0x02, 0x40), repeat(3, 0x0b)...)...), Limits{Nesting: 2}},
		"loops deep":  {code(append(repeat(3, 0x03, 0x40), repeat(3, 0x0b)...)...), Limits{LoopNesting: 2}},
		"loops":       {code(repeat(3, 0x03, 0x40, 0x0b)...), Limits{Loops: 2}},
		"blocks":      {code(repeat(3, 0x02, 0x40, 0x0b)...), Limits{Blocks: 2}},
		"targets":     {code(0x41, 0, 0x0e, 2, 0, 0, 0), Limits{BrTableTargets: 2}},
		"stack":       {code(0x41, 0, 0x41, 0, 0x1a, 0x1a), Limits{OperandStack: 1}},
		"edges":       {code(repeat(3, 0x10, 0)...), Limits{Edges: 6}},
		"product":     {code(repeat(3, 0x02, 0x40, 0x0b)...), Limits{BlocksTimesLocals: 15}},
		"products":    {code(repeat(3, 0x02, 0x40, 0x0b)...), Limits{ModuleBlocksTimesLocals: 15}},
		"squares":     {code(repeat(3, 0x02, 0x40, 0x0b)...), Limits{ModuleEdgesSquared: 15}},
		"operands":    {code(repeat(3, 0x02, 2, 0x41, 0, 0x0b, 0x1a)...), Limits{Operands: 2}},
		"all operand": {code(repeat(3, 0x02, 2, 0x41, 0, 0x0b, 0x1a)...), Limits{ModuleOperands: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse(c.wasm, Limits{}); err != nil {
				t.Fatal("with the defaults: ", err)
			}
			if _, err := Parse(c.wasm, c.l); !errors.Is(err, ErrCost) {
				t.Errorf("%v, not refused for its cost", err)
			}
		})
	}
}

// TestCounts has declared counts of four billion refused before anything is
// allocated for them.
func TestCounts(t *testing.T) {
	many := []byte{0xff, 0xff, 0xff, 0xff, 0x0f}
	for id := byte(sectionType); id < sectionCount; id++ {
		if id == sectionStart || id == sectionDataCount {
			continue
		}
		e := append(encoder{}, preamble...)
		e.section(id, many)
		if _, err := Parse(e, Limits{}); !errors.Is(err, ErrCost) && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrUnsupported) {
			t.Errorf("section %d: %v", id, err)
		}
	}
	types := section(sectionType, funcType(nil, nil))
	for name, body := range map[string][]byte{
		"runs of locals": append(slices.Clone(many), 0x0b),
		"locals":         append(append([]byte{1}, many...), typeI32, 0x0b),
		"sum of locals":  append(append(append(append([]byte{2}, many...), typeI32), many...), typeI32, 0x0b),
		"labels":         append(append([]byte{0, 0x41, 0, 0x0e}, many...), 0x0b),
		"types":          append(append([]byte{0, 0x1c}, many...), 0x0b),
	} {
		var b encoder
		b.bytes(body)
		if _, err := Parse(module(types, section(sectionFunction, []byte{0}), section(sectionCode, b)), Limits{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestShape looks at what the rewritten module declares.
func TestShape(t *testing.T) {
	guest := module(
		section(sectionType, funcType(nil, nil)),
		section(sectionImport, importOf("env", "f", kindFunction, 0)),
		section(sectionFunction, []byte{0}, []byte{0}),
		section(sectionTable, []byte{typeFunc, 0, 2}, []byte{typeFunc, 1, 1, 3}),
		section(sectionMemory, []byte{1, 1, 9}),
		section(sectionGlobal, []byte{typeI32, 1, 0x41, 7, 0x0b}, []byte{typeI64, 0, 0x42, 0, 0x0b},
			[]byte{typeFunc, 0, 0xd2, 2, 0x0b}, []byte{typeF64, 1, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b}),
		section(sectionExport, named("imported", kindFunction, 0), named("own", kindFunction, 2), named("m", kindMemory, 0)),
		[]byte{sectionStart, 1, 1},
		section(sectionElement, []byte{0, 0x41, 0, 0x0b, 2, 0, 2}),
		section(sectionCode, function(), function(0x10, 0, 0x10, 1, 0xd2, 2, 0x1a)),
		[]byte{sectionCustom, 5, 4, 'n', 'a', 'm', 'e'},
	)
	m, err := Parse(guest, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Instrument(Options{MemoryPages: 4})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{exportGlobal + "0", exportGlobal + "3"}, p.Globals); diff != "" || !p.Start {
		t.Errorf("globals, start %v: %s", p.Start, diff)
	}
	again, err := Parse(bytes.ReplaceAll(p.Wasm, []byte(reserved), []byte("partizan:")), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, most, _ := again.Memory(); *most != 4 {
		t.Errorf("memory of at most %d pages", *most)
	}
	if a, b := *again.tables[0].max, *again.tables[1].max; a != uint64(DefaultLimits.TableElements) || b != 3 {
		t.Errorf("tables of at most %d and %d elements", a, b)
	}
	if again.start != nil {
		t.Error("the start function still runs by itself")
	}
	indices := map[string]uint32{}
	for _, e := range again.exports {
		indices[e.Name] = e.Index
	}
	for name, want := range map[string]uint32{"imported": 0, "own": 4, "m": 0, "partizan:start": 3, "partizan:global.3": 3, "partizan:fuel": 4, "partizan:depth": 5, "partizan:dirty": 6} {
		if got, ok := indices[name]; !ok || got != want {
			t.Errorf("export %s has index %d, want %d", name, got, want)
		}
	}
	for _, s := range again.Sections() {
		if s.ID == sectionCustom {
			t.Errorf("section %q is still there", s.Name)
		}
	}
	if _, err := m.Instrument(Options{}); !errors.Is(err, ErrCost) {
		t.Errorf("a memory that begins beyond its bound: %v", err)
	}
}
