package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/fixture/hostile"
)

// hostileLimits are generous with time for what has to answer. What may end by
// its deadline gets little, since there is no answer that could come too late.
func hostileLimits(a hostile.Attack) engine.Limits {
	l := engine.Limits{MemoryBytes: 8 << 20, Deadline: 5 * time.Second}
	if a.Wants(engine.FailureDeadline) && !strings.HasPrefix(a.Name, "later-") {
		l.Deadline = 100 * time.Millisecond
	}
	return l
}

// returns is when a test gives up on a call: far above every bound, so that a
// slow machine fails no test and an attack that is not contained does.
const returns = 3 * time.Minute

// The texts that hostile modules are given. The first character has two bytes.
const (
	ordinaryText = "é, an ordinary text"
	attackText   = "é, an attack at last"
)

func textMessage(server, text string) *message.Message {
	return &message.Message{Phase: message.PhaseResult, Server: server, Entry: "tool", Caller: server,
		Segments: []message.Segment{{Kind: message.KindText, Text: text, Pointer: "/result/content/0/text"}}}
}

// TestHostileModules mounts every attack of the suite beside an honest scanner
// on one engine, and holds that it is contained as its first lines want it.
func TestHostileModules(t *testing.T) {
	attacks, err := hostile.Read("testdata/hostile")
	if err != nil {
		t.Fatal(err)
	}
	attackAll(t, attacks)
}

// TestMonsters does it for the modules that are hostile by their size.
func TestMonsters(t *testing.T) { attackAll(t, hostile.Monsters()) }

func attackAll(t *testing.T, attacks []hostile.Attack) {
	before := measure()
	e, err := engine.New(t.Context(), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	sibling := honest(t, e)
	t.Run("attacks", func(t *testing.T) {
		for _, a := range hostile.Sample(attacks) {
			t.Run(a.String(), func(t *testing.T) {
				t.Parallel()
				t.Log(a.Sentence)
				wasm, err := a.Wasm()
				if err != nil {
					t.Fatal(err)
				}
				beside(t, sibling, func() { attack(t, e, a, wasm) })
			})
		}
	})
	if err := e.Close(context.Background()); err != nil {
		t.Error(err)
	}
	before.returned(t)
}

// attack loads one module and lets it do what it does.
func attack(t *testing.T, e *engine.Engine, a hostile.Attack, wasm []byte) {
	s, err := loadHostile(t.Context(), e, wasm, engine.Options{Limits: hostileLimits(a)})
	if err != nil {
		if !a.Wants(engine.FailureRefused) {
			t.Fatalf("refused: %v; want %v", err, a.Want)
		}
		sentence(t, err.Error())
		return
	}
	defer s.Close(context.Background())
	set := engine.NewSet(s)
	if strings.HasPrefix(a.Name, "later-") {
		clean(t, "self-test", scan(t, set, textMessage("a", ordinaryText)))
	}
	judge(t, a, scan(t, set, textMessage("a", attackText)))
	if strings.HasPrefix(a.Name, "later-") {
		clean(t, "afterwards", scan(t, set, textMessage("b", ordinaryText)))
	}
	if strings.HasPrefix(a.Name, "state-") {
		tenants(t, set)
	}
	if a.Wants(hostile.Complete) || a.Wants(engine.FailureFuel) {
		return // the second time may end by the other of two kinds
	}
	judge(t, a, scan(t, set, textMessage("a", attackText)))
}

// loadHostile takes modules with a manifest and those without.
func loadHostile(ctx context.Context, e *engine.Engine, wasm []byte, o engine.Options) (*engine.Scanner, error) {
	if bytes.Contains(wasm, []byte(engine.ManifestSection)) {
		return e.Load(ctx, wasm, o)
	}
	return e.LoadUnmanifested(ctx, wasm, "hostile", o)
}

// scan fails the test when the call does not return. How long it took is
// logged and never judged.
func scan(t *testing.T, set *engine.Set, m *message.Message) engine.Verdict {
	t.Helper()
	began := time.Now()
	done := make(chan engine.Verdict, 1)
	go func() { done <- set.Scan(t.Context(), m) }()
	select {
	case v := <-done:
		t.Logf("%s %v after %s", v.Action, v.Failures, time.Since(began).Round(time.Microsecond))
		return v
	case <-time.After(returns):
		t.Fatalf("no answer within %s", returns)
		panic("unreachable")
	}
}

// judge holds a verdict to what the attack is wanted to come to.
func judge(t *testing.T, a hostile.Attack, v engine.Verdict) {
	t.Helper()
	outcome := hostile.Complete
	if len(v.Failures) > 0 {
		outcome = string(v.Failures[0].Kind)
		sentence(t, v.Failures[0].Detail)
	}
	if !a.Wants(outcome) || len(v.Failures) > 1 {
		t.Errorf("%s, failures %v; want %v", v.Action, v.Failures, a.Want)
	}
	if failed := outcome != hostile.Complete; failed && (!v.Blocked() || !v.Unexamined || len(v.Findings) != 0) {
		t.Errorf("a failure that does not block, or with findings: %+v", v)
	} else if !failed && v.Unexamined {
		t.Errorf("an answer that leaves something unexamined: %+v", v)
	}
	remembered(t, v)
}

func remembered(t *testing.T, v engine.Verdict) {
	t.Helper()
	if slices.ContainsFunc(v.Findings, func(f engine.Finding) bool { return f.Rule == "integrity.remembered" }) {
		t.Errorf("the module remembers an earlier call")
	}
}

func clean(t *testing.T, when string, v engine.Verdict) {
	t.Helper()
	if v.Action != engine.ActionAllow || len(v.Failures) != 0 || v.Unexamined || len(v.Findings) != 0 {
		t.Errorf("%s: %+v", when, v)
	}
}

// sentence holds that a detail explains something in words of the host: the
// modules write GUEST wherever they can write text.
func sentence(t *testing.T, detail string) {
	t.Helper()
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	if len(strings.Fields(detail)) < 3 || strings.ContainsFunc(detail, odd) || strings.Contains(detail, "GUEST") {
		t.Errorf("no sentence of the host: %q", detail)
	}
}

// tenants lets several send texts of different lengths in turn: every answer
// equals the first.
func tenants(t *testing.T, set *engine.Set) {
	t.Helper()
	first := scan(t, set, textMessage("tenant-a", ordinaryText))
	for i := range 6 {
		m := textMessage(fmt.Sprintf("tenant-%c", 'a'+i), strings.Repeat("secret ", 100*(6-i)))
		v := set.Scan(t.Context(), m)
		remembered(t, v)
		ignore := cmpopts.IgnoreFields(engine.Finding{}, "Leaf")
		if diff := cmp.Diff(first.Findings, v.Findings, ignore); diff != "" || len(v.Failures) != len(first.Failures) {
			t.Errorf("call %d differs from the first: %v%s", i, v.Failures, diff)
		}
	}
}

// honest is the scanner beside which attacks are run: a module of the suite
// that answers every text but the one that it waits for.
func honest(t *testing.T, e *engine.Engine) *engine.Set {
	t.Helper()
	attacks, err := hostile.Read("testdata/hostile")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(attacks, func(a hostile.Attack) bool { return a.Name == "later-traps" })
	wasm, err := attacks[i].Wasm()
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.LoadUnmanifested(t.Context(), wasm, "sibling", engine.Options{Limits: engine.Limits{Deadline: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	return engine.NewSet(s)
}

// beside runs f while a sibling scanner keeps answering, and asks it once more.
func beside(t *testing.T, sibling *engine.Set, f func()) {
	t.Helper()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			clean(t, "sibling", sibling.Scan(t.Context(), textMessage("s", ordinaryText)))
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	defer func() {
		close(stop)
		wg.Wait()
		clean(t, "sibling afterwards", sibling.Scan(t.Context(), textMessage("s", ordinaryText)))
	}()
	f()
}

// TestHostileConcurrently uses one scanner from many goroutines at a time, of
// which some make it misbehave.
func TestHostileConcurrently(t *testing.T) {
	attacks, err := hostile.Read("testdata/hostile")
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(t.Context(), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(context.Background())
	for _, a := range attacks {
		later := strings.HasPrefix(a.Name, "later-remembers") || a.Name == "later-traps"
		if !later && !strings.HasPrefix(a.Name, "state-") {
			continue
		}
		t.Run(a.Name, func(t *testing.T) {
			wasm, err := a.Wasm()
			if err != nil {
				t.Fatal(err)
			}
			s, err := loadHostile(t.Context(), e, wasm, engine.Options{Limits: hostileLimits(a)})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close(context.Background())
			set := engine.NewSet(s)
			var wg sync.WaitGroup
			for g := range 8 {
				wg.Go(func() {
					for range 4 {
						if later && g%4 == 0 {
							judge(t, a, set.Scan(t.Context(), textMessage("bad", attackText)))
							continue
						}
						v := set.Scan(t.Context(), textMessage(strconv.Itoa(g), strings.Repeat("x", 1+500*g)))
						if len(v.Failures) != 0 || v.Unexamined {
							t.Errorf("%+v", v)
						}
						remembered(t, v)
					}
				})
			}
			wg.Wait()
		})
	}
}

// TestCompilationIsKilled holds that a module which compiles for as long as it
// can is given up in time, and that no process of it is left.
func TestCompilationIsKilled(t *testing.T) {
	e, err := engine.New(t.Context(), engine.Config{CompileTime: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close(context.Background())
	patient, err := engine.New(t.Context(), engine.Config{}) // a slow machine compiles the sibling, too
	if err != nil {
		t.Fatal(err)
	}
	defer patient.Close(context.Background())
	sibling := honest(t, patient)
	bomb := hostile.SlowToCompile()
	wasm, err := bomb.Wasm()
	if err != nil {
		t.Fatal(err)
	}
	beside(t, sibling, func() { attack(t, e, bomb, wasm) })
	for give := time.Now().Add(returns); children() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(give) {
			t.Fatalf("%d processes are left", children())
		}
	}
}

// children counts the processes that this one started, where the system tells.
func children() int {
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	n := 0
	for _, list := range lists {
		b, _ := os.ReadFile(list)
		n += len(bytes.Fields(b))
	}
	return n
}

// footprint is what attacks must not leave behind.
type footprint struct {
	goroutines int
	heap, rss  uint64
}

func measure() footprint {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return footprint{runtime.NumGoroutine(), m.HeapInuse, residentBytes()}
}

// residentBytes is 0 where the system does not tell.
func residentBytes() uint64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseUint(fields[1], 10, 64)
	return pages * uint64(os.Getpagesize())
}

// kept is how much more memory than before may be in use: caches of the
// runtime that do not grow with the number of attacks.
const kept = 200 << 20

// returned holds that memory and goroutines are back where they were.
func (before footprint) returned(t *testing.T) {
	t.Helper()
	var after footprint
	for give := time.Now().Add(returns); time.Now().Before(give); time.Sleep(50 * time.Millisecond) {
		if after = measure(); after.goroutines <= before.goroutines+2 {
			break
		}
	}
	t.Logf("before %+v, after %+v", before, after)
	if after.goroutines > before.goroutines+2 {
		t.Errorf("%d goroutines, %d before", after.goroutines, before.goroutines)
	}
	if after.heap > before.heap+kept || after.rss > before.rss+kept {
		t.Errorf("memory was not returned: heap %d bytes and resident %d, before %d and %d", after.heap, after.rss, before.heap, before.rss)
	}
}
