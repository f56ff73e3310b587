package admit_test

import (
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/wat"
	"github.com/tetratelabs/wazero"
)

// TestHostCallsArePaid holds that the way to an import is as dear through a
// table as it is by name.
func TestHostCallsArePaid(t *testing.T) {
	const rounds, dear = 100, 256
	for name, call := range map[string]string{
		"by name":        `(call $f)`,
		"through table":  `(call_indirect (type $t) (i32.const 0))`,
		"by a reference": `(table.set 0 (i32.const 1) (ref.func $f)) (call_indirect (type $t) (i32.const 1))`,
	} {
		wasm, err := wat.Assemble(`(module (type $t (func)) (import "env" "f" (func $f)) (table 2 funcref) (elem (i32.const 0) $f)
			(func (export "run") (param $n i32)
				(loop $l ` + call + ` (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))`)
		if err != nil {
			t.Fatal(err)
		}
		r := newRig(t, wazero.NewRuntimeConfigInterpreter())
		if _, err := r.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(func() {}).Export("f").Instantiate(t.Context()); err != nil {
			t.Fatal(err)
		}
		mod, _, err := r.instantiate(t.Context(), wasm, "")
		if err != nil {
			t.Fatal(err)
		}
		r.enter(mod, deep)
		if _, err := mod.ExportedFunction("run").Call(t.Context(), rounds); err != nil {
			t.Fatal(err)
		}
		if spent := r.spent(mod); spent < rounds*dear {
			t.Errorf("%s: %d units for %d calls", name, spent, rounds)
		}
	}
}
