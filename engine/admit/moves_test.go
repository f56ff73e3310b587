package admit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/wat"
	"github.com/tetratelabs/wazero"
)

// TestMovesArePaid counts the fuel of a round in which nothing is executed but
// branches, to places that many variables come to with different values: a
// compiler moves them all, in every round. Unpaid, a round of 7 units took 18 µs.
func TestMovesArePaid(t *testing.T) {
	const variables, rounds = 60, 1000
	list := func(format string) string {
		var s strings.Builder
		for k := range variables {
			fmt.Fprintf(&s, strings.ReplaceAll(format, "$k", "%[1]d"), k)
		}
		return s.String()
	}
	var (
		locals = list("(local $v$k i64)")
		values = list("(local.get $v$k)")
		differ = list("(local.set $v$k (i64.add (local.get $v$k) (i64.const $k)))")
		types  = strings.Repeat("i64 ", variables)
		next   = "(local.tee $n (i32.sub (local.get $n) (i32.const 1)))"
		rare   = "(i32.eq (local.get $n) (i32.const -1))"
	)
	for name, code := range map[string]string{
		"if":      `(loop $l (if ` + rare + ` (then ` + differ + `)) (br_if $l ` + next + `))`,
		"else":    `(loop $l (if ` + rare + ` (then ` + differ + `) (else)) (br_if $l ` + next + `))`,
		"block":   `(loop $l (block $b (br_if $b (i32.eqz ` + rare + `)) ` + differ + `) (br_if $l ` + next + `))`,
		"table":   `(loop $l (block $b (block $a (br_table $a $b (i32.eqz ` + rare + `))) ` + differ + `) (br_if $l ` + next + `))`,
		"deeper":  `(loop $l (block $b (block (br_if $b (i32.eqz ` + rare + `)) ` + differ + `)) (br_if $l ` + next + `))`,
		"head":    `(loop $l (br_if $l ` + next + `) (if ` + rare + ` (then ` + differ + ` (br $l))))`,
		"operand": values + `(loop $l (param ` + types + `) (local.get $v0) (br_if $l ` + next + `) drop` + strings.Repeat(" drop", variables) + `)`,
	} {
		t.Run(name, func(t *testing.T) {
			wasm, err := wat.Assemble(`(module (memory 1) (func (export "run") (param $n i32) ` + locals + code +
				list("(i64.store (i32.const $k) (local.get $v$k))") + `))`)
			if err != nil {
				t.Fatal(err)
			}
			r := newRig(t, wazero.NewRuntimeConfigInterpreter())
			mod, _, err := r.instantiate(t.Context(), wasm, "")
			if err != nil {
				t.Fatal(err)
			}
			spent := func(n uint64) int64 {
				r.enter(mod, deep)
				if _, err := mod.ExportedFunction("run").Call(t.Context(), n); err != nil {
					t.Fatal(err)
				}
				return r.spent(mod)
			}
			if round := (spent(1+rounds) - spent(1)) / rounds; round < variables {
				t.Errorf("a round costs %d units and moves %d values", round, variables)
			}
		})
	}
}
