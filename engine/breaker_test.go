package engine

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// fragile answers short messages and traps on long ones.
func fragile(t testing.TB, opts Options) *Scanner {
	t.Helper()
	const opI32GtU = 0x4b
	wasm := module(cleanAnswer, func(a *asm, has map[string]bool) {
		has[exportScan] = true
		a.fn(exportScan, i32x2, []byte{wasmI64}, []byte{opLocalGet, 1}, i32c(5000),
			[]byte{opI32GtU, opIf, blockVoid, opUnreachable, opEnd}, at(answerAt, uint64(len(cleanAnswer))))
	})
	return load(t, newEngine(t), wasm, opts)
}

var (
	noon     = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	trapping = strings.Repeat("x", 6000)
)

// scanAt scans a text as somebody's, at a time.
func scanAt(t testing.TB, s *Set, who string, now time.Time, text string) Verdict {
	t.Helper()
	return s.ScanWith(t.Context(), result(text), ScanOptions{Principal: who, Now: now})
}

func skipped(v Verdict) bool { return len(v.Failures) == 1 && v.Failures[0].Skipped }

// TestBreakerOpensAndDenies follows one circuit from closed over open and
// half-open to closed again. A skipped scanner denies as its failure did.
func TestBreakerOpensAndDenies(t *testing.T) {
	s := NewSet(fragile(t, Options{}))
	for i := range breakerFailures {
		if v := scanAt(t, s, "acme/eve", noon.Add(time.Duration(i)*time.Second), trapping); skipped(v) || v.Action != ActionBlock {
			t.Fatalf("failure %d: %+v", i, v)
		}
	}
	now := noon.Add(2500 * time.Millisecond)
	v := scanAt(t, s, "acme/eve", now, "harmless")
	if !skipped(v) || v.Action != ActionBlock || !v.Unexamined || v.Failures[0].Kind != FailureTrap ||
		!strings.Contains(v.Failures[0].Detail, "failed 3 times for this caller") {
		t.Fatalf("open: %+v", v)
	}
	h := s.Health(now)[0]
	if h.Called != 3 || h.Skipped != 1 || h.Openings != 1 || h.Open != 1 || h.Failures[FailureTrap] != 3 || h.LastFailure.Before(noon) {
		t.Errorf("%+v", h)
	}
	now = noon.Add(4 * time.Second)
	if v := scanAt(t, s, "acme/eve", now, "harmless"); v.Action != ActionAllow {
		t.Fatalf("half-open: %+v", v)
	}
	if v := scanAt(t, s, "acme/eve", now, "harmless"); v.Action != ActionAllow {
		t.Fatalf("closed: %+v", v)
	}
	if h := s.Health(now)[0]; h.Open != 0 || h.Called != 5 || h.Durations.Count != 5 {
		t.Errorf("%+v", h)
	}
}

// TestBreakerGrowsExponentially holds the time that a circuit stays open to
// double with every failed trial up to its bound, to go on growing when a good
// answer lies in between, and to start anew after a quiet minute.
func TestBreakerGrowsExponentially(t *testing.T) {
	b, s := newBreaker(), &Scanner{digest: "d"}
	fail := func(now time.Time) bool {
		p, refused := b.enter(s, "eve", now)
		return refused == nil && b.leave(p, s, outcomeFailure, FailureTrap, now)
	}
	openFor := func(now time.Time) time.Duration {
		for d := time.Duration(0); d <= 2*breakerLongest; d += time.Second / 2 {
			if b.open("d", now.Add(d)) == 0 {
				return d
			}
		}
		return -1
	}
	now := noon
	fail(now)
	fail(now)
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		if !fail(now) {
			t.Fatalf("failure %d opened nothing", i)
		}
		if got := openFor(now); got != want*time.Second {
			t.Fatalf("opening %d lasts %v, want %ds", i, got, want)
		}
		now = now.Add(want * time.Second)
	}
	p, _ := b.enter(s, "eve", now)
	b.leave(p, s, outcomeAnswer, "", now)
	fail(now)
	fail(now)
	if !fail(now) || openFor(now) != breakerLongest {
		t.Error("one good answer made the circuit forget")
	}
	now = now.Add(breakerLongest + breakerWindow)
	fail(now)
	fail(now)
	if !fail(now) || openFor(now) != breakerFirst {
		t.Error("a quiet minute is remembered")
	}
	now = now.Add(time.Hour)
	for i := range 9 {
		if fail(now.Add(time.Duration(i) * 31 * time.Second)) {
			t.Fatal("two failures a minute opened the circuit")
		}
	}
}

// TestHalfOpenLetsOneThrough holds that of many messages at a time one is the
// trial, and that a trial whose caller left decides nothing and blocks nobody.
func TestHalfOpenLetsOneThrough(t *testing.T) {
	b, s := newBreaker(), &Scanner{digest: "d"}
	for range breakerFailures {
		p, _ := b.enter(s, "eve", noon)
		b.leave(p, s, outcomeFailure, FailureFuel, noon)
	}
	now := noon.Add(breakerFirst)
	trial, refused := b.enter(s, "eve", now)
	if refused != nil || !trial.trial {
		t.Fatalf("no trial: %+v", refused)
	}
	if _, refused := b.enter(s, "eve", now); refused == nil || refused.Kind != FailureFuel {
		t.Error("a second trial")
	}
	b.leave(trial, s, outcomeUnknown, "", now)
	if again, refused := b.enter(s, "eve", now); refused != nil || !again.trial {
		t.Error("an abandoned trial was not given to the next")
	}
}

// TestOneCallersPayloadHarmsNobodyElse is the attack that the breaker must not
// become: whoever can make a scanner fail must not be able to have others'
// messages refused, nor to have them pass unexamined.
func TestOneCallersPayloadHarmsNobodyElse(t *testing.T) {
	s := NewSet(fragile(t, Options{}))
	for i := range 50 {
		scanAt(t, s, "acme/eve", noon, trapping)
		scanAt(t, s, fmt.Sprintf("acme/sock-%d", i%10), noon, trapping)
	}
	for _, who := range []string{"acme/ann", "other/eve", "acme/ev", "acme/evee", ""} {
		if v := scanAt(t, s, who, noon, "harmless"); v.Action != ActionAllow {
			t.Errorf("%q is refused: %+v", who, v)
		}
		if v := scanAt(t, s, who, noon, trapping); v.Action != ActionBlock || skipped(v) {
			t.Errorf("%q gets somebody else's answer: %+v", who, v)
		}
	}
	for range 10 {
		if v := scanAt(t, s, "", noon, trapping); skipped(v) {
			t.Fatal("a scan on nobody's behalf was skipped")
		}
	}
}

// TestBreakerIsBounded holds that many principals cannot make it grow, and that
// what falls out is closed.
func TestBreakerIsBounded(t *testing.T) {
	b, s := newBreaker(), &Scanner{digest: "d"}
	fail := func(who string) {
		p, _ := b.enter(s, who, noon)
		b.leave(p, s, outcomeFailure, FailureTrap, noon)
	}
	for range breakerFailures {
		fail("first")
	}
	if b.open("d", noon) != 1 {
		t.Fatal("not open")
	}
	for i := range 3 * breakerCircuits {
		fail(strings.Repeat("p", 1000) + fmt.Sprint(i))
	}
	if n := len(b.circuits); n != breakerCircuits || b.recent.Len() != n {
		t.Errorf("%d circuits are kept, %d in order", n, b.recent.Len())
	}
	if _, refused := b.enter(s, "first", noon); refused != nil {
		t.Error("a forgotten circuit is still open")
	}
	b.enter(s, strings.Repeat("p", 1000)+fmt.Sprint(3*breakerCircuits-1), noon.Add(time.Hour))
	if n := len(b.circuits); n != breakerCircuits-1 {
		t.Errorf("a circuit as good as new is kept: %d", n)
	}
}

// TestBreakerTogether runs callers at a time, for the race detector.
func TestBreakerTogether(t *testing.T) {
	b, s := newBreaker(), &Scanner{digest: "d"}
	var work sync.WaitGroup
	for i := range 8 {
		work.Go(func() {
			for n := range 500 {
				now := noon.Add(time.Duration(n) * time.Second)
				p, refused := b.enter(s, fmt.Sprint(i%3), now)
				if refused == nil {
					b.leave(p, s, outcome(n%3), FailureTrap, now)
				}
			}
		})
	}
	work.Wait()
	if b.open("d", noon.Add(24*time.Hour)) != 0 {
		t.Error("a circuit never closes")
	}
}

// TestFailurePolicy holds what each binding makes of a failure, and that only a
// failure is forgiven: what was left unexamined for another reason blocks.
func TestFailurePolicy(t *testing.T) {
	for name, tc := range map[string]struct {
		opts Options
		want Action
	}{
		"by default":        {Options{}, ActionBlock},
		"deny":              {Options{OnFailure: OnFailureDeny}, ActionBlock},
		"flag":              {Options{OnFailure: OnFailureFlag}, ActionFlag},
		"monitor":           {Options{Mode: ModeMonitor}, ActionFlag},
		"monitor and flags": {Options{Mode: ModeMonitor, OnFailure: OnFailureFlag}, ActionFlag},
	} {
		s := NewSet(fragile(t, tc.opts))
		for range breakerFailures + 1 { // the last one is skipped where it is denied
			if v := scanAt(t, s, "eve", noon, trapping); v.Action != tc.want || len(v.Failures) != 1 || !v.Unexamined {
				t.Errorf("%s: %+v", name, v)
			}
		}
		if v := scanAt(t, s, "eve", noon, "fine"); skipped(v) != (tc.want == ActionBlock) {
			t.Errorf("%s: after %d failures the scanner is no longer asked, and the message passes: %+v", name, breakerFailures+1, v)
		}
	}
	s := NewSet(fragile(t, Options{OnFailure: OnFailureFlag}))
	v := s.ScanWith(t.Context(), result("fine"), ScanOptions{Within: time.Nanosecond})
	if v.Action != ActionBlock || !v.Unexamined {
		t.Errorf("what nobody examined passed: %+v", v)
	}
	if _, err := newEngine(t).Load(t.Context(), module(cleanAnswer, nil), Options{OnFailure: "ignore"}); err == nil {
		t.Error("an unknown policy was accepted")
	}
}
