package admit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// small bounds what the fuzzer may build, so that no engine takes long over it.
var small = Limits{
	ModuleBytes: 64 << 10, Functions: 200, FunctionBytes: 16 << 10, Locals: 200, Nesting: 100, Blocks: 200,
	TableElements: 1000, Globals: 50, DataSegments: 100, ElementSegments: 100, OperandStack: 200,
}

func seeds(f *testing.F) {
	f.Add([]byte("\x00asm\x01\x00\x00\x00"))
	f.Add(module(
		section(sectionType, funcType([]byte{typeI32}, []byte{typeI32})),
		section(sectionFunction, []byte{0}),
		section(sectionMemory, []byte{0, 1}),
		section(sectionCode, function(0x03, 0x40, 0x20, 0, 0x0d, 0, 0x0b, 0x20, 0, 0x40, 0)),
	))
	for i, path := range suite(f) {
		if wasm, err := os.ReadFile(path); err == nil && i%8 == 0 && len(wasm) < 4096 {
			f.Add(wasm)
		}
	}
}

// valid asks another implementation, without compiling. Some of what is refused
// here makes it panic.
func valid(t *testing.T, wasm []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	config := wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(1 << 16)
	r := wazero.NewRuntimeWithConfig(t.Context(), config)
	defer r.Close(t.Context())
	_, err = r.CompileModule(t.Context(), wasm)
	return err
}

// FuzzParse has whatever is accepted accepted by another implementation.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, wasm []byte) {
		if _, err := Parse(wasm, small); err != nil {
			return
		}
		// The names of functions are dropped here and read there.
		if err := valid(t, wasm); err != nil && !strings.Contains(err.Error(), "custom") {
			t.Errorf("accepted, but: %v", err)
		}
	})
}

// FuzzBody compares, both ways, which function bodies are accepted. (Whole
// modules are compared one way: a count of four billion has the other
// implementation allocate for it.)
func FuzzBody(f *testing.F) {
	around := func(body []byte) []byte {
		i32, i64 := []byte{typeI32}, []byte{typeI64}
		var code encoder
		code.bytes(body)
		return module(
			section(sectionType, funcType(nil, nil), funcType(i32, i32), funcType(i64, []byte{typeI32, typeF64}), funcType([]byte{typeV128, typeExtern}, nil)),
			section(sectionImport, importOf("env", "f", kindFunction, 2)),
			section(sectionFunction, []byte{1}),
			section(sectionTable, []byte{typeFunc, 0, 1}, []byte{typeExtern, 0, 1}),
			section(sectionMemory, []byte{0, 1}),
			section(sectionGlobal, []byte{typeI32, 1, 0x41, 0, 0x0b}, []byte{typeI64, 0, 0x42, 0, 0x0b}),
			section(sectionExport, named("f", kindFunction, 1)),
			section(sectionElement, []byte{1, 0, 1, 1}),
			[]byte{sectionDataCount, 1, 1},
			section(sectionCode, code),
			section(sectionData, []byte{1, 2, 0, 0}),
		)
	}
	for _, path := range suite(f) {
		wasm, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		if m, err := Parse(wasm, small); err == nil && len(m.bodies) > 0 {
			if b := m.bodies[len(m.bodies)/2]; b.end-b.start < 512 {
				f.Add(wasm[b.start:b.end])
			}
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 4096 {
			return
		}
		wasm := around(body)
		_, err := Parse(wasm, small)
		switch other := valid(t, wasm); {
		case err == nil && other != nil:
			t.Errorf("accepted, but: %v", other)
		case err != nil && other == nil && !errors.Is(err, ErrCost) && !lax(err, body):
			t.Errorf("refused although valid elsewhere: %v", err)
		}
	})
}

// lax tells the refusals in which the specification is with this package: padded
// opcodes, bits of a signed integer beyond its width that do not repeat the
// sign, value types of later versions, and what a typed select in unreachable
// code leaves.
func lax(err error, body []byte) bool {
	return errors.Is(err, ErrUnsupported) || strings.Contains(err.Error(), "integer of more than") ||
		strings.Contains(err.Error(), ": value type") || bytes.Contains(body, []byte{byte(opSelectT), 1})
}

// FuzzInstrument has whatever passes rewritten, which must be valid, metered and
// the same every time.
func FuzzInstrument(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, wasm []byte) {
		m, err := Parse(wasm, small)
		if err != nil {
			return
		}
		p, err := m.Instrument(Options{MemoryPages: 100})
		if err != nil {
			if !errors.Is(err, ErrCost) {
				t.Fatal(err)
			}
			return
		}
		if err := valid(t, p.Wasm); err != nil {
			t.Fatalf("the rewritten module: %v", err)
		}
		metered(t, wasm, p)
		if q, err := m.Instrument(Options{MemoryPages: 100}); err != nil || !bytes.Equal(p.Wasm, q.Wasm) {
			t.Fatal("another time, another module")
		}
	})
}
