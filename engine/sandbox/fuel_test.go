package sandbox

import (
	"context"
	"fmt"
	"testing"
)

// TestFuelEndsInOnePlace lets guests come to the end of their budget while the
// host works for them, with quanta of all sizes, as a fast and a slow machine
// would hand them out. How a call ends, and what it used, is the same with all.
func TestFuelEndsInOnePlace(t *testing.T) {
	const budget = 9000
	spin := func(n int) string {
		return fmt.Sprintf(`(local $i i32)
			(loop $l (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const %d))))`, n)
	}
	r := newRuntime(t)
	for name, tc := range map[string]struct {
		form  Form
		guest func(n int) string
	}{
		"trap": {Reactor, func(n int) string {
			return guest(`(import "bartizan" "log" (func $log (param i32 i32 i32)))
				(func (export "bartizan_scan") (param i32 i32) (result i64) ` + spin(n) + `
					(call $log (i32.const 0) (i32.const 0) (i32.const 4096))
					(call $log (i32.const 0) (i32.const 0) (i32.const 4096))
					(unreachable))`)
		}},
		"exit": {Command, func(n int) string {
			return `(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
				(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
				(memory (export "memory") 1 2) (data (i32.const 4) "\00\10")
				(func (export "_start") ` + spin(n) + `
					(drop (memory.grow (i32.const 1)))
					(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
					(call $exit (i32.const 0))))`
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ends := map[string]bool{}
			for n := 1200; n <= 1700; n += 50 {
				m, err := r.Load(t.Context(), assemble(t, tc.guest(n)), Options{Form: tc.form})
				if err != nil {
					t.Fatal(err)
				}
				var first string
				for step := int64(quantumMin); step <= quantumSmall; step *= 2 {
					i, err := m.acquire(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					i.run.begin(context.Background(), m.opts.Limits, budget, nil)
					i.run.step = step
					answer, err := i.call(tc.form, nil)
					end := fmt.Sprint(len(answer), " bytes")
					if err != nil {
						end = err.Error()
					}
					ends[end] = true
					if err == nil {
						end += fmt.Sprint(" for ", i.run.spent)
					}
					m.discard(i)
					if first == "" {
						first = end
					}
					if end != first {
						t.Errorf("%d rounds, quanta of %d: %s; of %d: %s", n, step, end, quantumMin, first)
					}
				}
			}
			if len(ends) != 2 {
				t.Errorf("the budget ended everywhere or nowhere: %v", ends)
			}
		})
	}
}
