package sandbox

import "testing"

const commandHead = `
	(import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
	(memory (export "memory") 1)
	(data (i32.const 0) "\10\00\00\00\00\04\00\00")
	(func $in (result i32)
		(drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
		(i32.load (i32.const 8)))
	(func $out (param $n i32)
		(i32.store (i32.const 4) (local.get $n))
		(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))`

func command(t *testing.T, start string) *Module {
	t.Helper()
	m, err := newRuntime(t).Load(t.Context(), assemble(t, "(module "+commandHead+`(func (export "_start") `+start+"))"), Options{Form: Command})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestCommand(t *testing.T) {
	for name, start := range map[string]string{
		"returns": `(call $out (call $in))`,
		"exits":   `(call $out (call $in)) (call $exit (i32.const 0)) (unreachable)`,
	} {
		m := command(t, start)
		for range 3 {
			if got, used := answer(t, m, "standard input"); got != "standard input" || used.Fuel <= 0 {
				t.Errorf("%s: %q, %+v", name, got, used)
			}
		}
	}
}

func TestCommandFaults(t *testing.T) {
	for name, tc := range map[string]struct {
		start string
		kind  Kind
	}{
		"status 1":         {`(call $out (call $in)) (call $exit (i32.const 1))`, Trap},
		"trap":             {`(call $out (call $in)) (unreachable)`, Trap},
		"flood":            {`(loop $l (call $out (i32.const 1024)) (br $l))`, Output},
		"flood, then exit": {`(local $i i32) (loop $l (call $out (i32.const 1024)) (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 65)))) (call $exit (i32.const 0))`, Output},
	} {
		if f := faultOf(t, command(t, tc.start), "x"); f.Kind != tc.kind {
			t.Errorf("%s: %v", name, f)
		}
	}
}
