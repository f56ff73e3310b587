package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

func newEngine(t testing.TB) *Engine {
	t.Helper()
	e, err := New(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(context.Background()) })
	return e
}

func load(t testing.TB, e *Engine, wasm []byte, opts Options) *Scanner {
	t.Helper()
	s, err := e.Load(t.Context(), wasm, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func result(texts ...string) *message.Message {
	m := &message.Message{Phase: message.PhaseResult, Server: "s", Entry: "tool"}
	for i, text := range texts {
		m.Segments = append(m.Segments, message.Segment{Kind: message.KindText, Text: text, Pointer: "/result/content/0/text", Source: i})
	}
	return m
}

// serves proves that the engine still answers after whatever came before.
func serves(t *testing.T, e *Engine) {
	t.Helper()
	good := load(t, e, module(cleanAnswer, nil), Options{})
	if v := NewSet(good).Scan(t.Context(), result("ordinary")); v.Action != ActionAllow || len(v.Failures) > 0 || v.Unexamined {
		t.Errorf("the next scan: %+v", v)
	}
}

func forever() []byte { return []byte{opLoop, blockVoid, opBr, 0, opEnd, opUnreachable} }

// TestHostileModules runs modules that Load must admit, since nothing in them
// can be seen to be wrong, and that must not harm anybody but themselves.
func TestHostileModules(t *testing.T) {
	scanBody := func(body ...[]byte) func(*asm, map[string]bool) {
		return func(a *asm, has map[string]bool) {
			has[exportScan] = true
			a.fn(exportScan, i32x2, []byte{wasmI64}, body...)
		}
	}
	allocBody := func(body ...[]byte) func(*asm, map[string]bool) {
		return func(a *asm, has map[string]bool) {
			has[exportAlloc] = true
			a.fn(exportAlloc, []byte{wasmI32}, []byte{wasmI32}, body...)
		}
	}
	for name, tc := range map[string]struct {
		edit         func(*asm, map[string]bool)
		kind, detail string
	}{
		"trap in scan":       {scanBody([]byte{opUnreachable}), FailureTrap, "unreachable"},
		"trap in alloc":      {allocBody([]byte{opUnreachable}), FailureTrap, "unreachable"},
		"trap in init":       {func(a *asm, _ map[string]bool) { a.fn(exportInit, i32x2, []byte{wasmI32}, []byte{opUnreachable}) }, FailureTrap, "unreachable"},
		"trap in initialize": {func(a *asm, _ map[string]bool) { a.fn(exportStart, nil, nil, []byte{opUnreachable}) }, FailureTrap, "unreachable"},
		"trap in start":      {func(a *asm, _ map[string]bool) { a.start = []byte{a.fn("", nil, nil, []byte{opUnreachable})} }, FailureTrap, "unreachable"},
		"loop in scan":       {scanBody(forever()), FailureDeadline, "no answer within"},
		"loop in alloc":      {allocBody(forever()), FailureDeadline, "no answer within"},
		"loop in init":       {func(a *asm, _ map[string]bool) { a.fn(exportInit, i32x2, []byte{wasmI32}, forever()) }, FailureDeadline, "no answer within"},
		"loop in initialize": {func(a *asm, _ map[string]bool) { a.fn(exportStart, nil, nil, forever()) }, FailureDeadline, "no answer within"},
		"loop in start":      {func(a *asm, _ map[string]bool) { a.start = []byte{a.fn("", nil, nil, forever())} }, FailureDeadline, "no answer within"},
		"fuel in scan":       {scanBody(forever()), FailureFuel, "units of fuel"},
		"fuel in alloc":      {allocBody(forever()), FailureFuel, "units of fuel"},
		"init refuses":       {func(a *asm, _ map[string]bool) { a.fn(exportInit, i32x2, []byte{wasmI32}, i32c(7)) }, FailureOutput, "bartizan_init returned 7"},
		"recursion": {func(a *asm, has map[string]bool) {
			has[exportScan] = true
			a.fn(exportScan, i32x2, []byte{wasmI64}, []byte{opLocalGet, 0, opLocalGet, 1, opCall, byte(len(a.functions))})
		}, FailureDepth, "nested its calls too deeply"},
		"grow bomb": {scanBody([]byte{opLoop, blockVoid}, i32c(1), []byte{opMemoryGrow, 0}, i32c(-1),
			[]byte{opI32Ne, opBrIf, 0, opEnd, opUnreachable}), FailureMemory, "memory"},
		"load outside":                      {scanBody(i32c(-1), []byte{opI32Load, 0, 0, opDrop}, i64c(1)), FailureTrap, "out of bounds"},
		"exit":                              {exits(3), FailureTrap, "exited with status 3"},
		"exit as if at the deadline":        {exits(-0x10000001), FailureTrap, "exited with status"},
		"alloc faults":                      {allocBody(i32c(0)), FailureOutput, "bartizan_alloc returned 0"},
		"alloc misaligned":                  {allocBody(i32c(inputAt + 4)), FailureOutput, "8-aligned"},
		"alloc outside":                     {allocBody(i32c(-8)), FailureOutput, "outside"},
		"scan faults":                       {scanBody(at(0, 0)), FailureOutput, "returned 0"},
		"answer outside":                    {scanBody(at(0xfffffff0, 16)), FailureOutput, "outside"},
		"answer past the end":               {scanBody(at(48<<16-4, 8)), FailureOutput, "outside"},
		"answer of 4 GiB":                   {scanBody(at(8, 0xffffffff)), FailureOutput, "at most 65536"},
		"answer whose end wraps in 32 bits": {scanBody(at(0xffffffff, 2)), FailureOutput, "outside"},
		"answer of nothing":                 {scanBody(at(answerAt, 0)), FailureOutput, "not JSON"},
		"answer at a negative address":      {scanBody(i64c(1<<63 | 1)), FailureOutput, "outside"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t)
			opts := Options{Limits: Limits{MemoryBytes: 8 << 20}}
			if tc.kind == FailureDeadline {
				opts.Limits.Deadline, opts.Limits.Fuel = 50*time.Millisecond, 1<<60
			}
			s := load(t, e, module(cleanAnswer, tc.edit), opts)
			v := NewSet(s).Scan(t.Context(), result("text"))
			if v.Action != ActionBlock || !v.Blocked() || !v.Unexamined || len(v.Findings) != 0 || len(v.Failures) != 1 {
				t.Fatalf("verdict %+v", v)
			}
			if f := v.Failures[0]; f.Scanner != "test" || f.Kind != tc.kind || !strings.Contains(f.Detail, tc.detail) {
				t.Errorf("failure %+v; want %s: %s", f, tc.kind, tc.detail)
			}
			opts.Mode = ModeMonitor
			if v := NewSet(load(t, e, module(cleanAnswer, tc.edit), opts)).Scan(t.Context(), result("text")); v.Action != ActionFlag {
				t.Errorf("monitor: %+v", v)
			}
			serves(t, e)
		})
	}
}

func exits(code int64) func(*asm, map[string]bool) {
	return func(a *asm, has map[string]bool) {
		exit := a.imp(wasiModule, "proc_exit", []byte{wasmI32}, nil)
		has[exportScan] = true
		a.fn(exportScan, i32x2, []byte{wasmI64}, i32c(code), []byte{opCall, exit}, i64c(1))
	}
}

// TestNothingPassesBetweenCalls lets a module try to remember, in memory and in
// a global, that it was called before.
func TestNothingPassesBetweenCalls(t *testing.T) {
	const guilty = `{"status":"complete","findings":[{"rule":"test.high","confidence":1,"segment":0,"start":0,"end":0,"message":"remembered"}]}`
	wasm := module(cleanAnswer, func(a *asm, has map[string]bool) {
		a.global(0)
		a.bytes(8192, guilty)
		has[exportScan] = true
		a.fn(exportScan, i32x2, []byte{wasmI64},
			i32c(8), []byte{opI32Load, 2, 0, opGlobalGet, 0, opI32Add, opIf, blockVoid}, at(8192, uint64(len(guilty))), []byte{opReturn, opEnd},
			i32c(8), i32c(1), []byte{opI32Store, 2, 0}, i32c(1), []byte{opGlobalSet, 0},
			at(answerAt, uint64(len(cleanAnswer))))
	})
	set := NewSet(load(t, newEngine(t), wasm, Options{}))
	for i := range 5 {
		if v := set.Scan(t.Context(), result("text")); v.Action != ActionAllow || len(v.Findings) != 0 {
			t.Fatalf("call %d remembers an earlier one: %+v", i, v)
		}
	}
}

// TestCallerGivesUp tells a caller that stops waiting from a scanner that does
// not answer: the first is no failure of the scanner.
func TestCallerGivesUp(t *testing.T) {
	e := newEngine(t)
	s := load(t, e, module(cleanAnswer, func(a *asm, has map[string]bool) {
		has[exportScan] = true
		a.fn(exportScan, i32x2, []byte{wasmI64}, forever())
	}), Options{Limits: Limits{Deadline: time.Hour, Fuel: 1 << 60}})
	for name, ctx := range map[string]func() (context.Context, context.CancelFunc){
		"before": func() (context.Context, context.CancelFunc) {
			c, cancel := context.WithCancel(t.Context())
			cancel()
			return c, cancel
		},
		"deadline": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), 30*time.Millisecond)
		},
		"during": func() (context.Context, context.CancelFunc) {
			c, cancel := context.WithCancel(t.Context())
			time.AfterFunc(30*time.Millisecond, cancel)
			return c, cancel
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, cancel := ctx()
			defer cancel()
			if v := NewSet(s).Scan(c, result("text")); len(v.Failures) != 0 || !v.Unexamined || v.Action != ActionBlock {
				t.Errorf("%+v", v)
			}
		})
	}
	serves(t, e)
}

func TestConcurrentScans(t *testing.T) {
	e := newEngine(t)
	good := NewSet(load(t, e, module(cleanAnswer, nil), Options{}))
	bad := NewSet(load(t, e, module(cleanAnswer, func(a *asm, has map[string]bool) {
		has[exportScan] = true
		a.fn(exportScan, i32x2, []byte{wasmI64}, []byte{opUnreachable})
	}), Options{}))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if v := good.Scan(t.Context(), result("text")); v.Action != ActionAllow {
					t.Errorf("good: %+v", v)
				}
				if v := bad.Scan(t.Context(), result("text")); v.Action != ActionBlock || len(v.Failures) != 1 || v.Failures[0].Kind != FailureTrap {
					t.Errorf("bad: %+v", v)
				}
			}
		})
	}
	wg.Wait()
}

func TestLogIsBounded(t *testing.T) {
	var kept strings.Builder
	wasm := module(cleanAnswer, func(a *asm, has map[string]bool) {
		log := a.imp(hostModule, "log", []byte{wasmI32, wasmI32, wasmI32}, nil)
		var calls [][]byte
		for range 100 {
			calls = append(calls, i32c(0), i32c(answerAt), i32c(2048), []byte{opCall, log})
		}
		calls = append(calls, i32c(0), i32c(-1), i32c(-1), []byte{opCall, log}) // a range outside of memory
		has[exportScan] = true
		a.fn(exportScan, i32x2, []byte{wasmI64}, append(calls, at(answerAt, uint64(len(cleanAnswer))))...)
	})
	s := load(t, newEngine(t), wasm, Options{Log: &kept})
	if v := NewSet(s).Scan(t.Context(), result("text")); v.Action != ActionAllow {
		t.Errorf("%+v", v)
	}
	if kept.Len() != logBytes {
		t.Errorf("kept %d bytes, want %d", kept.Len(), logBytes)
	}
}

func TestCacheDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	for range 2 { // cold, then from the directory
		e, err := New(t.Context(), Config{CacheDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		serves(t, e)
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := New(t.Context(), Config{CacheDir: dir}); !errors.Is(err, ErrCache) {
		t.Errorf("a directory open to others: %v", err)
	}
}
