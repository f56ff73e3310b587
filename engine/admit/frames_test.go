package admit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/wat"
	"github.com/tetratelabs/wazero"
)

// TestFramesArePaid has a function call itself as deep as it may, in which few
// locals have many values that live across calls: engines keep each in a place
// of its own, and the stack is memory that no memory limit counts. Paid by its
// locals, such a guest had 100 MB of it.
func TestFramesArePaid(t *testing.T) {
	const locals, batches, depth = 50, 20, 1 << 16
	list := func(format string) string {
		var s strings.Builder
		for k := range locals {
			fmt.Fprintf(&s, strings.ReplaceAll(format, "$k", "%[1]d"), k)
		}
		return s.String()
	}
	load, store := list("(i64.load offset=$k (i32.const 0))"), strings.Repeat("drop ", locals)
	for name, batch := range map[string]string{
		"locals":   list("(local.set $v$k (i64.load offset=$k (i32.const 0)))") + `(call $leaf)` + list("(i64.store (i32.const 8) (local.get $v$k))"),
		"operands": load + `(call $leaf)` + store,
		"joins":    list("(local.set $v$k (i64.const $k))") + `(if (memory.size) (then ` + list("(local.set $v$k (i64.const 0))") + `))`,
		"grow":     load + `(drop (memory.grow (i32.const 0)))` + store,
	} {
		wasm, err := wat.Assemble(`(module (memory 1) (global $n (export "n") (mut i32) (i32.const 0)) (func $leaf)
			(func $run (export "run") ` + list("(local $v$k i64)") + `
				(global.set $n (i32.add (global.get $n) (i32.const 1)))
				` + strings.Repeat(batch, batches) + ` (call $run)))`)
		if err != nil {
			t.Fatal(name, err)
		}
		r := newRig(t, wazero.NewRuntimeConfigInterpreter())
		mod, _, err := r.instantiate(t.Context(), wasm, "")
		if err != nil {
			t.Fatal(err)
		}
		r.enter(mod, depth)
		if _, err := mod.ExportedFunction("run").Call(t.Context()); reason(err) != "stack" {
			t.Fatal(name, err)
		}
		levels := mod.ExportedGlobal("n").Get()
		if values := levels * locals * batches; values > 16*depth {
			t.Errorf("%s: %d levels deep, which keep %d values, more than %d", name, levels, values, 16*depth)
		}
	}
}
