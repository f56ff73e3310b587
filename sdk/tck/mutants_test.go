package tck

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/engine"
)

// mutant is a conforming guest with one thing broken, and the points that it
// fails: the first is what it was made for.
type mutant struct {
	guest, old, new string
	fails           []string
	manifest        []string // what is replaced in the manifest
}

const (
	forever = `(loop $forever (br $forever))`
	isEmpty = `(i32.eqz (i32.load offset=44 (local.get $ptr)))`
	begin   = `    (if (i32.lt_u (local.get $len) (i32.const 88)) (then (return (i64.const 0))))`
)

// when has the flat guest do something where a condition holds for its input.
func when(condition, do string, fails ...string) mutant {
	return mutant{"flat", begin, begin + "\n(if " + condition + " (then " + do + "))", fails, nil}
}

// where does so for each text.
func where(condition, do string, fails ...string) mutant {
	const each = `        (local.set $i (i32.const 0))`
	return mutant{"flat", each, "(if " + condition + " (then " + do + "))" + each, fails, nil}
}

// replace has other text in a guest.
func replace(guest, old, with string, fails ...string) mutant {
	return mutant{guest, old, with, fails, nil}
}

// taken gives the name of an export to a function of another type.
func taken(guest, old, name, typ string, fails ...string) mutant {
	return replace(guest, old, `(func (export "`+name+`") `+typ+`) `+strings.Replace(old, name, "other", 1), fails...)
}

var mutants = []mutant{
	replace("flat", `(memory (export "memory") 2)`, `(memory (export "mem") 2)`, "export.memory"),
	taken("flat", `(func $alloc (export "bartizan_alloc")`, "bartizan_alloc", `(param i64) (result i32) (i32.const 8)`, "export.alloc"),
	taken("flat", `(func (export "bartizan_scan")`, "bartizan_scan", `(param i32) (result i32) (i32.const 8)`, "export.scan"),
	replace("flat", `(export "bartizan_scan")`, `(export "scan")`, "export.scan"),
	taken("flat", `(func (export "bartizan_init")`, "bartizan_init", `(param i32 i32)`, "export.init"),
	replace("flat", `(func (export "_initialize"))`, `(func (export "_initialize") (param i32))`, "export.initialize"),
	replace("command", `(func (export "_start")`, `(func (export "main")`, "export.start"),
	replace("flat", `(memory (export`, `(import "env" "now" (func $now (result i64))) (memory (export`, "import.allowed"),
	replace("flat", `(memory (export`, `(import "bartizan" "log" (func $log (param i32 i32))) (memory (export`, "import.allowed"),
	{"flat", "", "", []string{"manifest.valid"}, []string{`"severity":"medium"`, `"severity":"awful"`}},
	replace("flat", `"memory") 2`, `"memory") 2000`, "memory.start"),

	replace("flat", `(export "_initialize")`, `(export "_initialize") (unreachable)`, "init.empty"),
	replace("flat", `(i32.ne (i32.load8_u (local.get $ptr)) (i32.const 0x7b))`,
		`(if (i32.eq (i32.load16_u (local.get $ptr)) (i32.const 0x7d7b)) (then (unreachable))) (i32.const 1)`, "init.config"),
	replace("flat", `(i32.ne (i32.load8_u (local.get $ptr)) (i32.const 0x7b))`,
		`(if (i32.eqz (i32.load8_u (local.get $ptr))) (then (unreachable))) (i32.const 0)`, "init.garbage"),
	replace("flat", `    (local.get $at))`, `    (i32.add (i32.const 4) (local.get $at)))`, "alloc.aligned"),
	replace("flat", `    (if (i64.gt_u (local.get $end) (local.get $have)) (then`, `    (if (i32.const 0) (then`, "alloc.inside", "alloc.huge"),
	replace("flat", `    (local.set $at (global.get $heap))`,
		`    (if (i32.gt_u (local.get $len) (i32.const 0x40000)) (then (return (i32.const 0)))) (local.set $at (global.get $heap))`, "alloc.room"),
	replace("flat", `    (local.set $at (global.get $heap))`,
		`    (if (i32.gt_u (local.get $len) (i32.const 0x8000000)) (then (return (i32.const 8)))) (local.set $at (global.get $heap))`, "alloc.huge"),
	replace("command", `(call $exit (i32.const 0))`, `(call $exit (i32.const 3))`, "command.exit"),
	replace("command", `(br $more)`, `(nop)`, "command.stdin", "input.sizes", "input.many", "input.large", "limits.findings"),
	replace("command", `(i32.const 36)`, `(i32.const 72)`, "command.stdout"),

	replace("flat", `    (i32.store offset=4096`, `    (if (i32.eqz (local.get $found)) (then (return (i64.const 0)))) (i32.store offset=4096`, "scan.clean"),
	when(`(i32.eq (i32.load8_u offset=12 (local.get $ptr)) (i32.const 4))`, `(return (i64.const 0))`, "scan.phases", "input.unicode", "input.many", "input.large", "input.context", "limits.findings"),
	when(isEmpty, `(return (i64.const 0))`, "input.none"),
	where(`(i32.eqz (local.get $size))`, `(unreachable)`, "input.empty"),
	where(`(if (result i32) (local.get $size) (then (i32.eq (i32.load8_u (local.get $text)) (i32.const 0xf0))) (else (i32.const 0)))`, `(unreachable)`, "input.unicode"),
	where(`(i32.eq (local.get $size) (i32.const 4095))`, `(unreachable)`, "input.sizes"),
	when(`(i32.gt_u (i32.load offset=44 (local.get $ptr)) (i32.const 1000))`, `(unreachable)`, "input.many"),
	when(`(i32.gt_u (local.get $len) (i32.const 900000))`, `(unreachable)`, "input.large"),
	where(`(i32.eq (i32.load (i32.add (local.get $ptr) (local.get $at))) (i32.const 18))`, `(unreachable)`, "input.kinds"),
	when(`(i32.eq (i32.load8_u offset=13 (local.get $ptr)) (i32.const 3))`, `(unreachable)`, "input.caller"),
	{"flat", begin, begin + `(if (i32.eq (i32.load offset=56 (local.get $ptr)) (i32.const 4096)) (then (unreachable)))`, []string{"input.hits"},
		[]string{`"rules"`, `"patterns":[{"id":"ticket","text":"TCK-"}],"rules"`}},
	when(`(i32.load offset=68 (local.get $ptr))`, `(unreachable)`, "input.flow"),
	when(`(i32.load offset=80 (local.get $ptr))`, `(unreachable)`, "input.context"),
	where(`(i32.lt_u (i32.sub (local.get $text) (local.get $ptr)) (local.get $at))`, `(if (local.get $size) (then (unreachable)))`, "layout.order"),
	replace("json", `        (local.set $i (i32.add (local.get $i) (i32.const 1)))`,
		`(if (i32.eq (i32.and (local.get $word) (i32.const 0xffff)) (i32.const 0x2f5c)) (then (unreachable))) (local.set $i (i32.add (local.get $i) (i32.const 1)))`,
		"layout.escapes"),
	where(`(local.get $size)`, `(if (i32.lt_u (local.get $text) (local.get $to)) (then (unreachable))) (local.set $to (local.get $text))`, "layout.shared"),
	replace("flat", `        (if (local.get $size) (then`, `        (if (i32.const 1) (then`, "layout.nothing"),
	when(`(i32.ne (i32.load offset=4 (local.get $ptr)) (i32.const 88))`, `(return (i64.const 0))`, "forward.header"),
	when(`(i32.ne (i32.load offset=48 (local.get $ptr)) (i32.const 32))`, `(if (i32.load offset=44 (local.get $ptr)) (then (return (i64.const 0))))`, "forward.records"),
	replace("json", `        (local.set $i (i32.add (local.get $i) (i32.const 1)))`,
		`(if (i32.eq (local.get $word) (i32.const 0x6574616c)) (then (unreachable))) (local.set $i (i32.add (local.get $i) (i32.const 1)))`, "forward.members"),
	where(`(i32.gt_u (i32.load (i32.add (local.get $ptr) (local.get $at))) (i32.const 18))`, `(unreachable)`, "forward.kinds"),

	replace("flat", `(i64.const 0x100000000000)`, `(i64.const 0x7fffff0000000000)`, "answer.inside"),
	replace("flat", `(i64.or (i64.const 0x100000000000)`, `(i64.or (i64.const 0x100000020000)`, "answer.size"),
	replace("flat", `0x4f5a5442`, `0x4f5a5443`, "answer.encoding"),
	replace("flat", `(i32.add (i32.const 1) (local.get $left))`, `(i32.const 2)`, "answer.status"),
	replace("flat", `"t.ticket"`, `"t.tocket"`, "answer.rule"),
	replace("flat", `(i32.const 3)) ;; medium`, `(i32.const 4))`, "answer.severity"),
	replace("flat", `0x3ff0000000000000`, `0x4000000000000000`, "answer.confidence"),
	replace("flat", `(i32.store offset=24 (local.get $to) (i32.add (local.get $i) (i32.const 4)))`,
		`(i32.store offset=24 (local.get $to) (i32.add (local.get $i) (i32.const 400)))`, "answer.span"),
	replace("flat", `(i32.store offset=20 (local.get $to) (local.get $i))`,
		`(i32.store offset=20 (local.get $to) (select (i32.sub (local.get $i) (i32.const 1)) (i32.const 0) (local.get $i)))`, "answer.span"),
	replace("flat", `(i32.store8 offset=28`, `(i32.store offset=36 (local.get $to) (i32.const 600)) (i32.store8 offset=28`, "answer.text"),
	replace("flat", `(i32.ge_u (local.get $found) (i32.load offset=32 (local.get $ptr)))`, `(i32.const 0)`, "limits.findings"),
	replace("flat", `(i32.gt_u (i32.add (local.get $to) (i32.const -4024)) (i32.load offset=36 (local.get $ptr)))`, `(i32.const 0)`, "limits.bytes"),
	when(isEmpty, forever, "limits.fuel"),
	when(isEmpty, `(drop (memory.grow (i32.const 2000))) (unreachable)`, "limits.memory"),
	replace("flat", begin, "(if "+isEmpty+" (then (call $deeper)))"+begin+"\n", "limits.depth"),

	replace("flat", begin, `(if (i32.lt_u (local.get $len) (i32.const 88)) (then `+forever+`))`, "malformed.cut"),
	replace("flat", `(local.get $size) (i32.const 1) (local.get $len)) (then (return (i64.const 0)))`,
		`(local.get $size) (i32.const 1) (local.get $len)) (then `+forever+`)`, "malformed.offsets", "malformed.counts", "malformed.random"),
	replace("flat", `(local.get $record) (local.get $len)) (then (return (i64.const 0)))`,
		`(local.get $record) (local.get $len)) (then `+forever+`)`, "malformed.counts", "malformed.offsets", "malformed.random"),
	replace("json", `    (block $end`, `    (if (i32.eq (i32.load8_u (local.get $ptr)) (i32.const 0x5b)) (then `+forever+`)) (block $end`, "malformed.json"),
	where(`(i32.gt_u (i32.load offset=4 (i32.add (local.get $ptr) (local.get $at))) (i32.const 100000))`, forever, "malformed.random", "malformed.counts"),
	{"flat", "", "", []string{"trigger.necessary"}, []string{`"call":"always"`, `"call":"triggered","patterns":[{"id":"zebra","text":"zebra"}]`}},
}

// TestMutants holds that each point is failed by a guest that breaks it, and
// that nothing else is held against that guest.
func TestMutants(t *testing.T) {
	cache := t.TempDir()
	if err := os.Chmod(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	covered := map[string]bool{
		"module.admitted": true, "manifest.section": true, "scan.repeat": true, "scan.isolated": true, // tests of their own
	}
	for _, m := range mutants {
		covered[m.fails[0]] = true
		t.Run(m.fails[0], func(t *testing.T) {
			t.Parallel()
			wasm := attach(t, guest(t, m.guest, m.old, m.new), manifestOf(m.guest, m.manifest...))
			r, err := RunWith(t.Context(), wasm, Options{CacheDir: cache})
			if err != nil {
				t.Fatal(err)
			}
			want := slices.Sorted(slices.Values(m.fails))
			if diff := cmp.Diff(want, slices.Sorted(slices.Values(r.Failed()))); diff != "" {
				t.Error(diff)
				for _, p := range r.Points {
					if p.Outcome == Fail {
						t.Logf("%s: %s", p.ID, p.Detail)
					}
				}
			}
		})
	}
	for _, p := range points {
		if !covered[p.ID] {
			t.Errorf("%s: no mutant breaks it", p.ID)
		}
	}
}

func failed(t *testing.T, wasm []byte, want string) {
	t.Helper()
	r, err := Run(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Failed(); !slices.Equal(got, []string{want}) || r.OK() {
		t.Errorf("failed %v, want %s", got, want)
	}
}

func TestModulesThatAreNone(t *testing.T) {
	wasm := guest(t, "flat", "", "")
	failed(t, wasm[:len(wasm)-9], "module.admitted")
	failed(t, nil, "module.admitted")
	failed(t, wasm, "manifest.section")
	section := wasm[8:8]
	one := attach(t, wasm, manifestOf("flat"))
	section = append(section, one[len(wasm):]...)
	failed(t, append(slices.Clone(one), one[len(one)-len(section):]...), "manifest.section")
}

// TestGuestsThatRemember puts a guest in place that the engine would not let
// remember anything.
func TestGuestsThatRemember(t *testing.T) {
	e, err := engine.New(t.Context(), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(context.Background())
	wasm := attach(t, guest(t, "flat", "", ""), manifestOf("flat"))
	for want, forget := range map[string]func(calls int, previous, input []byte) bool{
		"scan.repeat":   func(calls int, _, _ []byte) bool { return calls%2 == 0 },
		"scan.isolated": func(_ int, previous, input []byte) bool { return strings.Contains(string(previous), "AKIA AKIA") },
	} {
		k := newKit(t.Context(), e, wasm, Options{})
		if !k.static() || !k.load() {
			t.Fatal(k.report.Failed())
		}
		calls, previous := 0, []byte(nil)
		k.probe = func(ctx context.Context, p engine.Probe) (engine.Answer, int64, error) {
			a, fuel, err := k.scanner.Probe(ctx, p)
			calls++
			if forget(calls, previous, p.Input) {
				a.Findings = nil
			}
			previous = p.Input
			return a, fuel, err
		}
		k.isolation()
		if got := k.report.Failed(); !slices.Contains(got, want) {
			t.Errorf("failed %v, want %s", got, want)
		}
	}
}
