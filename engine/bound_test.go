package engine

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTinyModulesThatAskForMuch holds that what a module declares is weighed
// before anything is allocated for it: each of these would end the process.
func TestTinyModulesThatAskForMuch(t *testing.T) {
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0x0f}
	section := func(id byte, body ...byte) []byte {
		return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"), []byte{id, byte(len(body))}, body)
	}
	modules := map[string][]byte{
		"parameters":           section(1, append([]byte{1, 0x60}, huge...)...),
		"results":              section(1, append([]byte{1, 0x60, 0}, huge...)...),
		"element indices":      section(9, append([]byte{1, 0, 0x41, 0, 0x0b}, huge...)...),
		"element expressions":  section(9, append([]byte{1, 5, 0x70}, huge...)...),
		"bytes of data":        section(11, append([]byte{1, 1}, huge...)...),
		"bytes of code":        section(10, append([]byte{1}, huge...)...),
		"bytes of export name": section(7, append([]byte{1}, huge...)...),
	}
	for _, id := range []byte{1, 2, 3, 4, 6, 7, 9, 10, 11} {
		modules["items of section "+string('0'+id)] = section(id, huge...)
	}
	e := newEngine(t)
	for name, wasm := range modules {
		if _, err := e.LoadUnmanifested(t.Context(), wasm, "x", Options{}); !errors.Is(err, ErrModule) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The names of functions are not read at all.
	names := module(cleanAnswer, func(a *asm, _ map[string]bool) {
		a.custom("name", "\x01\x05\xff\xff\xff\xff\x0f")
		a.custom("name", "\x02\x05\xff\xff\xff\xff\x0f")
	})
	if v := NewSet(load(t, e, names, Options{})).Scan(t.Context(), result("text")); v.Action != ActionAllow {
		t.Errorf("names: %+v", v)
	}
	serves(t, e)
}

func TestModulesThatAreTooLarge(t *testing.T) {
	e := newEngine(t)
	for name, wasm := range map[string][]byte{
		"locals": module(cleanAnswer, func(a *asm, _ map[string]bool) {
			a.functions = append(a.functions, uleb(a.typ(nil, nil)))
			body := slices.Concat([]byte{1}, uleb(1<<32-1), []byte{wasmI64, opEnd})
			a.code = append(a.code, append(uleb(uint64(len(body))), body...))
		}),
		"body": module(cleanAnswer, func(a *asm, _ map[string]bool) {
			a.fn("", nil, nil, slices.Repeat(slices.Concat(i32c(1), []byte{opDrop}), maxFunctionBytes/3))
		}),
		"tables": module(cleanAnswer, func(a *asm, _ map[string]bool) {
			a.tables = slices.Repeat([][]byte{{0x70, 0, 0}}, maxTables+1)
		}),
		"table": module(cleanAnswer, func(a *asm, _ map[string]bool) {
			a.tables = append(a.tables, slices.Concat([]byte{0x70, 0}, uleb(maxTableElements+1)))
		}),
	} {
		if _, err := e.Load(t.Context(), wasm, Options{}); !errors.Is(err, ErrLimits) {
			t.Errorf("%s: %v", name, err)
		}
	}
	serves(t, e)
}

// TestTablesCannotGrowWithoutBound holds that a table, which lies outside the
// guest's memory, is no way around its limit.
func TestTablesCannotGrowWithoutBound(t *testing.T) {
	grow := func(by int64) []byte {
		return slices.Concat([]byte{0xd0, 0x70}, i32c(by), []byte{0xfc, 0x0f, 0}) // ref.null, table.grow 0
	}
	for _, declared := range [][]byte{{0x70, 0, 0}, append([]byte{0x70, 1, 0}, uleb(1<<32-1)...)} {
		wasm := module(cleanAnswer, func(a *asm, has map[string]bool) {
			has[exportScan] = true
			a.tables = append(a.tables, declared)
			// Traps unless a little growth works and more than the bound does not.
			a.fn(exportScan, i32x2, []byte{wasmI64},
				grow(1000), i32c(0), []byte{opI32Ne, opIf, blockVoid, opUnreachable, opEnd},
				grow(maxTableElements), i32c(-1), []byte{opI32Ne, opIf, blockVoid, opUnreachable, opEnd},
				at(answerAt, uint64(len(cleanAnswer))))
		})
		v := NewSet(load(t, newEngine(t), wasm, Options{})).Scan(t.Context(), result("text"))
		if v.Action != ActionAllow || len(v.Failures) != 0 {
			t.Errorf("%+v", v)
		}
	}
}

func TestCompilationHasADeadline(t *testing.T) {
	e, err := New(t.Context(), Config{CompileDeadline: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(t.Context()) })
	wasm := module(cleanAnswer, func(a *asm, _ map[string]bool) {
		for range 2000 {
			a.fn("", nil, nil, slices.Repeat(slices.Concat(i32c(1), []byte{opDrop}), 100))
		}
	})
	if _, err := e.Load(t.Context(), wasm, Options{}); !errors.Is(err, ErrLimits) || !strings.Contains(err.Error(), "not compiled within") {
		t.Errorf("%v", err)
	}
}
