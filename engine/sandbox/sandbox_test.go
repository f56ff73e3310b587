package sandbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/wat"
)

// guest completes the fields of a reactor that a test leaves out.
func guest(fields string) string {
	defaults := []struct{ name, field string }{
		{`"memory"`, `(memory (export "memory") 1)`},
		{`"bartizan_alloc"`, `(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 1024))`},
		{`"bartizan_scan"`, `(func (export "bartizan_scan") (param i32 i32) (result i64) (i64.const 0x800000001))`},
	}
	for _, d := range defaults {
		if !strings.Contains(fields, d.name) {
			fields += d.field
		}
	}
	return "(module " + fields + ")"
}

func assemble(t testing.TB, source string) []byte {
	t.Helper()
	wasm, err := wat.Assemble(source)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func newRuntime(t testing.TB) *Runtime {
	t.Helper()
	r, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	return r
}

func load(t testing.TB, r *Runtime, fields string, o Options) *Module {
	t.Helper()
	m, err := r.Load(t.Context(), assemble(t, guest(fields)), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// answer calls m and returns what it answered.
func answer(t testing.TB, m *Module, input string) (string, Usage) {
	t.Helper()
	var out string
	used, err := m.Call(t.Context(), []byte(input), func(b []byte) error { out = string(b); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return out, used
}

// faultOf calls m and returns the fault.
func faultOf(t testing.TB, m *Module, input string) *Fault {
	t.Helper()
	_, err := m.Call(t.Context(), []byte(input), func(b []byte) error { return fmt.Errorf("answered %q", b) })
	var f *Fault
	if !errors.As(err, &f) {
		t.Fatalf("no fault: %v", err)
	}
	return f
}

// echo answers with its input.
const echo = `(func (export "bartizan_scan") (param i32 i32) (result i64)
	(i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1))))`

func TestEcho(t *testing.T) {
	m := load(t, newRuntime(t), echo, Options{})
	for _, input := range []string{"a", strings.Repeat("text ", 1000)} {
		if got, used := answer(t, m, input); got != input || used.Fuel <= 0 {
			t.Errorf("%q, %+v", got, used)
		}
	}
}

// TestEveryCallStartsAlike lets a guest change its memory, here and there or
// every byte of it, and all of its globals, and compares what the next call
// would find with what the first one found.
func TestEveryCallStartsAlike(t *testing.T) {
	for name, tc := range map[string]struct {
		pages int
		write string
	}{
		"small, everywhere": {3, `(memory.fill (i32.const 0) (i32.const 0xff) (i32.const 196608))`},
		"large, here and there": {60, `
			(local $at i32)
			(loop $next
				(i32.store8 (local.get $at) (i32.const 0xff))
				(br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 50001))) (i32.const 3900000))))`},
		"large, everywhere": {60, `(memory.fill (i32.const 0) (i32.const 0xff) (i32.const 3932160))`},
	} {
		t.Run(name, func(t *testing.T) { startsAlike(t, tc.pages, tc.write) })
	}
}

func startsAlike(t *testing.T, pages int, write string) {
	fields := fmt.Sprintf(`
		(memory (export "memory") %d)
		(global $i32 (mut i32) (i32.const 7)) (global $i64 (mut i64) (i64.const -7))
		(global $f32 (mut f32) (f32.const 1.5)) (global $f64 (mut f64) (f64.const -2.5))
		(data (i32.const 100) "photographed")
		(func (export "_initialize") (global.set $i32 (i32.const 42)) (i32.store (i32.const 70000) (i32.const 99)))
		(func $write %s)
		(func (export "bartizan_scan") (param i32 i32) (result i64)
			(global.set $i32 (i32.const 1)) (global.set $i64 (i64.const 2))
			(global.set $f32 (f32.const 3)) (global.set $f64 (f64.const 4))
			(call $write)
			(i64.const 0x800000001))`, pages, write)
	m := load(t, newRuntime(t), fields, Options{})
	if err := m.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	look := func() (memory []byte, globals []uint64) {
		i := m.idle[0]
		for _, g := range i.globals {
			globals = append(globals, g.Get())
		}
		view, _ := i.module.Memory().Read(0, i.module.Memory().Size())
		return bytes.Clone(view), globals
	}
	memory, globals := look()
	if !bytes.Contains(memory, []byte("photographed")) || memory[70000] != 99 || len(globals) != 4 || uint32(globals[0]) != 42 {
		t.Fatalf("the photograph lacks the initialisation: %v", globals)
	}
	for range 5 {
		answer(t, m, "x")
		if again, g := look(); !bytes.Equal(memory, again) || fmt.Sprint(g) != fmt.Sprint(globals) {
			t.Fatalf("differs after a call: globals %v, were %v", g, globals)
		}
	}
	// A second instance is a copy of the photograph and not of the first.
	i, err := m.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answer(t, m, "y")
	if again, g := look(); !bytes.Equal(memory, again) || fmt.Sprint(g) != fmt.Sprint(globals) {
		t.Errorf("a clone differs: globals %v, want %v", g, globals)
	}
	m.release(i)
	if len(m.idle) == 0 {
		t.Error("no instance was kept")
	}
}

// TestResetFollowsTheWrites has a guest write wherever its input says, again and
// again and then elsewhere: pages that it wrote before, which cause no fault any
// more, and new ones.
func TestResetFollowsTheWrites(t *testing.T) {
	const fields = `(memory (export "memory") 64)
		(func (export "bartizan_scan") (param $ptr i32) (param i32) (result i64)
			(local $at i32)
			(local.set $at (i32.load (local.get $ptr)))
			(if (i32.load8_u (local.get $at)) (then (unreachable)))
			(i32.store8 (local.get $at) (i32.const 0xff))
			(i64.const 0x800000001))`
	m := load(t, newRuntime(t), fields, Options{})
	places := []uint32{1 << 20, 1 << 20, 2 << 20, 1 << 20, 2 << 20, 3 << 20, 3<<20 + 1, 5000, 1 << 20}
	for range 3 {
		for _, at := range places {
			answer(t, m, string(binary.LittleEndian.AppendUint32(nil, at)))
		}
	}
	i := m.idle[0]
	view, _ := i.module.Memory().Read(0, i.module.Memory().Size())
	for at, c := range view {
		if c != 0 {
			t.Fatalf("byte %d is left at %#x", at, c)
		}
	}
}

// TestWhatCannotBeRestoredIsDiscarded lets a guest leave a mark where a reset
// does not reach: in grown memory, in a table, in a dropped segment.
func TestWhatCannotBeRestoredIsDiscarded(t *testing.T) {
	for name, fields := range map[string]string{
		"grown memory": `(memory (export "memory") 1 4)
			(func (export "bartizan_scan") (param i32 i32) (result i64)
				(if (i32.ne (memory.size) (i32.const 1)) (then (unreachable)))
				(drop (memory.grow (i32.const 1))) (i64.const 0x800000001))`,
		"table": `(table $t 2 funcref) (func $f) (elem declare func $f)
			(func (export "bartizan_scan") (param i32 i32) (result i64)
				(if (i32.eqz (ref.is_null (table.get $t (i32.const 1)))) (then (unreachable)))
				(table.set $t (i32.const 1) (ref.func $f)) (i64.const 0x800000001))`,
		"grown table": `(table $t 1 100 funcref)
			(func (export "bartizan_scan") (param i32 i32) (result i64)
				(if (i32.ne (table.size $t) (i32.const 1)) (then (unreachable)))
				(drop (table.grow $t (ref.null func) (i32.const 1))) (i64.const 0x800000001))`,
		"dropped data": `(memory (export "memory") 1) (data $d "x")
			(func (export "bartizan_scan") (param i32 i32) (result i64)
				(memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop $d) (i64.const 0x800000001))`,
		"table set by the initialisation": `(table $t 2 funcref) (func $f) (elem declare func $f)
			(func (export "_initialize") (table.set $t (i32.const 0) (ref.func $f)))
			(func (export "bartizan_scan") (param i32 i32) (result i64)
				(if (ref.is_null (table.get $t (i32.const 0))) (then (unreachable)))
				(if (i32.eqz (ref.is_null (table.get $t (i32.const 1)))) (then (unreachable)))
				(table.set $t (i32.const 1) (ref.func $f)) (i64.const 0x800000001))`,
	} {
		t.Run(name, func(t *testing.T) {
			m := load(t, newRuntime(t), fields, Options{})
			for range 3 {
				answer(t, m, "x")
			}
			if len(m.idle) != 0 {
				t.Error("the instance was kept")
			}
		})
	}
}

// TestFuelIsDeterministic calls modules under quanta of all sizes and on
// several goroutines: the same input uses the same fuel.
func TestFuelIsDeterministic(t *testing.T) {
	const work = `(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
		(local $i i32) (local $sum i32)
		(loop $next
			(local.set $sum (i32.add (local.get $sum) (i32.load8_u (i32.add (local.get $ptr) (i32.rem_u (local.get $i) (local.get $len))))))
			(memory.fill (i32.const 4096) (local.get $sum) (i32.const 100))
			(br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20000))))
		(i64.const 0x800000001))`
	m := load(t, newRuntime(t), work, Options{})
	_, first := answer(t, m, "some input")
	if first.Fuel < 20000 {
		t.Fatalf("20,000 turns used %d units", first.Fuel)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				if _, used := answer(t, m, "some input"); used != first {
					t.Errorf("used %+v, first %+v", used, first)
				}
			}
		})
	}
	wg.Wait()

	// It ends exactly where it is spent: one unit less is a fault.
	enough := load(t, newRuntime(t), work, Options{Limits: Limits{Fuel: first.Fuel - 10, FuelPerByte: 1}})
	if _, used := answer(t, enough, "some input"); used != first {
		t.Errorf("with just enough: %+v", used)
	}
	short := load(t, newRuntime(t), work, Options{Limits: Limits{Fuel: first.Fuel - 11, FuelPerByte: 1}})
	if f := faultOf(t, short, "some input"); f.Kind != Fuel {
		t.Errorf("one unit short: %v", f)
	}
}

// TestCallersWaitTheirOwnTime holds a guest that initialises forever against
// others: it takes the time of those who call it, and of nobody else.
func TestCallersWaitTheirOwnTime(t *testing.T) {
	r, err := New(Config{Instances: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(context.Background())
	stuck := load(t, r, `(func (export "_initialize") (loop $l (br $l)))`, Options{Limits: Limits{InitFuel: 1 << 60, Deadline: 300 * time.Millisecond}})
	good := load(t, r, echo, Options{})
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, err := stuck.Call(ctx, []byte("x"), func([]byte) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("stuck: %v", err)
			}
		})
		if got, _ := answer(t, good, "y"); got != "y" {
			t.Error(got)
		}
	}
	wg.Wait()
	if f := faultOf(t, stuck, "x"); f.Kind != Deadline {
		t.Errorf("stuck: %v", f)
	}
}

func TestClosed(t *testing.T) {
	r := newRuntime(t)
	m := load(t, r, echo, Options{})
	answer(t, m, "x")
	if err := m.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Call(t.Context(), nil, nil); !errors.Is(err, ErrHost) {
		t.Errorf("closed: %v", err)
	}
	if err := m.Close(t.Context()); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

// TestInstancesAreBounded holds that a call waits for room, and gives up with
// its caller and not with the module.
func TestInstancesAreBounded(t *testing.T) {
	r, err := New(Config{Instances: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(context.Background())
	m := load(t, r, echo, Options{})
	answer(t, m, "first")
	r.slots <- struct{}{} // somebody else's guest
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := m.Call(ctx, []byte("x"), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no room: %v", err)
	}
	<-r.slots
	if got, _ := answer(t, m, "room again"); got != "room again" {
		t.Error(got)
	}
}

func TestPanicsAreContained(t *testing.T) {
	err := func() (err error) {
		defer contain(&err)
		panic("found by a module")
	}()
	if f := classify("test", err); f.Kind != Trap || f.Detail != "test trapped: "+errPanic.Error() {
		t.Error(f)
	}
}

// TestGrowthEndsTheQuantum holds that a guest with a small memory, which runs
// long between two looks, does not take that time into a large one, and that
// none of it changes what is paid.
func TestGrowthEndsTheQuantum(t *testing.T) {
	const grows = `(memory (export "memory") 1 400)
		(func (export "bartizan_scan") (param i32 i32) (result i64)
			(local $i i32)
			(loop $next
				(drop (memory.grow (i32.const 1)))
				(br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 300))))
			(i64.const 0x800000001))`
	m := load(t, newRuntime(t), grows, Options{})
	_, first := answer(t, m, "x")
	i, err := m.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer m.discard(i)
	i.run.begin(t.Context(), m.opts.Limits, 1<<40, nil)
	i.run.step = 1 << 39 // as if it had been fast for long
	if _, err := i.scan([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if i.run.yields < 250 || i.run.step > quantumMost || i.run.spent != first.Fuel {
		t.Errorf("%d looks while it grew 300 times, quantum %d, %d units; alone %d", i.run.yields, i.run.step, i.run.spent, first.Fuel)
	}
}

// TestLoadingSideBySide is for the race detector: what is loaded at a time
// shares nothing that is not locked.
func TestLoadingSideBySide(t *testing.T) {
	var wg sync.WaitGroup
	for n := range 4 {
		r := newRuntime(t)
		wasm := assemble(t, guest(echo+fmt.Sprintf(`(global i32 (i32.const %d))`, n)))
		wg.Go(func() {
			if m, err := r.Load(t.Context(), wasm, Options{}); err != nil {
				t.Error(err)
			} else if err := m.Warm(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestReferencesAreNotHoarded holds that references to functions, for each of
// which the runtime would keep an object outside of the guest's memory, do not
// fill the host's.
func TestReferencesAreNotHoarded(t *testing.T) {
	const refers = `(func $f) (elem declare func $f)
		(func (export "bartizan_scan") (param i32 i32) (result i64)
			(loop $l (drop (ref.func $f)) (br $l)) (unreachable))`
	m := load(t, newRuntime(t), refers, Options{})
	if err := m.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if f := faultOf(t, m, "x"); f.Kind != Fuel {
		t.Errorf("%v", f)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("%d bytes allocated for one call", grown)
	}
}
