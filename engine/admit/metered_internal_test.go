package admit

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/plugins"
)

// metered checks the rewritten module's own code, function by function: it
// begins by paying and looking at the fuel, so does every loop, and memory is
// written as a whole in added functions only.
func metered(t testing.TB, original []byte, p *Program) {
	t.Helper()
	// Under another name the rewritten module is one that Parse takes.
	again, err := Parse(bytes.ReplaceAll(p.Wasm, []byte(reserved), []byte("partizan:")), Limits{
		ModuleBytes: 1 << 30, Globals: 1 << 20, Types: 1 << 20, Locals: 1 << 20, Nesting: 1 << 20,
		Blocks: 1 << 30, FunctionBytes: 1 << 30, OperandStack: 1 << 20, Functions: 1 << 20, Exports: 1 << 20,
		Edges: 1 << 40, Operands: 1 << 40, ModuleOperands: 1 << 40, BlocksTimesLocals: 1 << 40,
		ModuleBlocksTimesLocals: 1 << 40, ModuleEdgesSquared: 1 << 60,
	})
	if err != nil {
		t.Fatal("the rewritten module: ", err)
	}
	m, err := Parse(original, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	fuel, refuel := uint32(len(m.globals)), uint32(len(m.funcs)+2)
	for i := range m.bodies {
		b := &again.bodies[i]
		c := &code{reader: reader{b: again.wasm, pos: b.code, end: b.end}}
		if !pays(c, fuel, refuel) {
			t.Fatalf("function %d does not begin by paying", i)
		}
		for c.next() {
			switch c.op {
			case opLoop:
				if at := c.at; !pays(c, fuel, refuel) {
					t.Fatalf("function %d: the loop at %#x does not begin by paying", i, at)
				}
			case opMemoryFill, opMemoryCopy, opMemoryInit, opMemoryGrow:
				t.Fatalf("function %d: instruction %#x at %#x", i, uint16(c.op), c.at)
			}
		}
		if c.err != nil {
			t.Fatal(c.err)
		}
	}
}

// pays reads a charge of more than nothing and a look at the fuel.
func pays(c *code, fuel, refuel uint32) bool {
	var ops []opcode
	var charge uint32
	called := false
	for len(ops) < 64 && c.next() {
		ops = append(ops, c.op)
		switch c.op {
		case opGlobalGet, opGlobalSet:
			if c.x != fuel {
				return false
			}
		case opI64Const:
			if v := (&reader{b: c.b, pos: c.at + 1, end: c.pos}).s64(); v > 0 {
				charge = uint32(v)
			}
		case opI64GeS:
			if !c.next() || c.op != opIf || !c.next() || c.op != opElse {
				return false
			}
			for c.next() && c.op != opEnd {
				called = called || c.op == opCall && c.x == refuel
			}
			want := []opcode{opGlobalGet, opI64Const, opI64Sub, opGlobalSet, opGlobalGet, opI64Const, opI64GeS}
			if n := len(ops); n > 0 && ops[n-2] == opI64Const && ops[n-3] == opLocalGet {
				want = []opcode{opLocalGet, opI64Const, opI64Sub, opLocalSet, opLocalGet, opI64Const, opI64GeS}
				if ops[0] == opGlobalGet { // a function reads the fuel first
					ops = ops[2:]
				}
			}
			return called && charge > 0 && string16(ops) == string16(want)
		}
	}
	return false
}

func string16(ops []opcode) string {
	var s strings.Builder
	for _, op := range ops {
		s.WriteRune(rune(op))
	}
	return s.String()
}

func TestEveryLoopAndFunctionPays(t *testing.T) {
	modules, err := plugins.Modules()
	if err != nil {
		t.Log(err)
		modules = map[string][]byte{}
	}
	for _, path := range suite(t) {
		wasm, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		modules[path] = wasm
	}
	checked := 0
	for name, wasm := range modules {
		m, err := Parse(wasm, Limits{})
		if err != nil {
			continue
		}
		p, err := m.Instrument(Options{MemoryPages: 1 << 16})
		if err != nil {
			t.Fatal(name, err)
		}
		metered(t, wasm, p)
		checked++
	}
	t.Logf("%d modules", checked)
	if checked < 1000 {
		t.Errorf("only %d modules", checked)
	}
}

// suite returns the modules of the core specification's tests.
func suite(t testing.TB) []string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Skip("the specification's suite is found by the go command: ", err)
	}
	paths, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "internal/integration_test/spectest/v2/testdata/*.wasm"))
	if len(paths) == 0 {
		t.Skip("the module of wazero in the cache is without the specification's suite")
	}
	return paths
}
