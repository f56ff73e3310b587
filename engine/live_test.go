package engine

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// versioned is a set of one scanner that answers cleanly, told apart by its version.
func versioned(t testing.TB, e *Engine, version string, edit func(a *asm, has map[string]bool)) *Set {
	t.Helper()
	return NewSet(load(t, e, module(cleanAnswer, func(a *asm, has map[string]bool) {
		has["manifest"] = true
		a.custom(ManifestSection, strings.Replace(testManifest, "0.1.0", version, 1))
		if edit != nil {
			edit(a, has)
		}
	}), Options{}))
}

func alwaysTraps(a *asm, has map[string]bool) {
	has[exportScan] = true
	a.fn(exportScan, i32x2, []byte{wasmI64}, []byte{opUnreachable})
}

// TestSwapWhileScanning holds that every message gets its verdict from exactly
// one set, whole, while sets come and go.
func TestSwapWhileScanning(t *testing.T) {
	e := newEngine(t)
	live := NewLive(versioned(t, e, "1.0.0", nil))
	ctx, stop := context.WithCancel(t.Context())
	var work sync.WaitGroup
	var scans atomic.Int64
	for range 4 {
		work.Go(func() {
			for ctx.Err() == nil {
				v := live.Scan(context.Background(), result("fine"))
				if v.Action != ActionAllow || len(v.Failures) != 0 || len(v.Scanners) != 1 {
					t.Errorf("%+v", v)
					return
				}
				scans.Add(1)
			}
		})
	}
	for i := range 40 {
		before := scans.Load()
		for scans.Load() == before && !t.Failed() { // every set is used
			time.Sleep(time.Millisecond)
		}
		version := []string{"2.0.0", "3.0.0"}[i%2]
		if err := live.Swap(t.Context(), versioned(t, e, version, nil), nil); err != nil {
			t.Fatal(err)
		}
		if got := live.Scanners()[0].Version; got != version || live.Generation() != uint64(i+2) {
			t.Fatalf("version %s in generation %d after swap %d", got, live.Generation(), i)
		}
	}
	if done, called := scans.Load(), live.Health()[0].Called; called < done {
		t.Errorf("%d calls are counted of %d: a swap lost some", called, done)
	}
	stop()
	work.Wait()
	if err := live.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v := live.Scan(t.Context(), result("fine")); v.Action != ActionBlock || !v.Unexamined || live.Generation() != 0 {
		t.Errorf("a closed set lets pass: %+v", v)
	}
	if err := live.Swap(t.Context(), versioned(t, e, "4.0.0", nil), nil); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// TestSwapKeepsWhatWorks holds that a set which fails its self-test never comes
// into force, and that what is known of callers survives a swap.
func TestSwapKeepsWhatWorks(t *testing.T) {
	e := newEngine(t)
	live := NewLive(versioned(t, e, "1.0.0", nil))
	err := live.Swap(t.Context(), versioned(t, e, "2.0.0", alwaysTraps), nil)
	if !errors.Is(err, ErrSelfTest) || !strings.Contains(err.Error(), "test on a harmless listing: trap") {
		t.Errorf("%v", err)
	}
	if live.Scanners()[0].Version != "1.0.0" || live.Generation() != 1 {
		t.Error("the old set is not in force")
	}
	if v := live.Scan(t.Context(), result("fine")); v.Action != ActionAllow {
		t.Errorf("%+v", v)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := live.Swap(cancelled, versioned(t, e, "2.0.0", nil), nil); err == nil || live.Generation() != 1 {
		t.Errorf("an interrupted self-test counts: %v", err)
	}

	unaudited := errors.New("unaudited")
	var in, out []ScannerRef
	err = live.Swap(t.Context(), versioned(t, e, "2.0.0", nil), func(i, o []ScannerRef) error { in, out = i, o; return unaudited })
	if !errors.Is(err, unaudited) || live.Scanners()[0].Version != "1.0.0" {
		t.Errorf("swapped against a refusal: %v", err)
	}
	if len(in) != 1 || len(out) != 1 || in[0].Version != "2.0.0" || out[0].Version != "1.0.0" {
		t.Errorf("in %v, out %v", in, out)
	}

	live = NewLive(NewSet(fragile(t, Options{})))
	for range breakerFailures {
		live.ScanWith(t.Context(), result(trapping), ScanOptions{Principal: "eve", Now: noon})
	}
	if err := live.Swap(t.Context(), NewSet(fragile(t, Options{})), nil); err != nil {
		t.Fatal(err)
	}
	if v := live.ScanWith(t.Context(), result("fine"), ScanOptions{Principal: "eve", Now: noon}); !skipped(v) {
		t.Errorf("a reload of the same module closed the circuit: %+v", v)
	}
}

// TestSwapWaitsForNobody holds that a scan which is under way keeps its set,
// and that a swap does not wait for it.
func TestSwapWaitsForNobody(t *testing.T) {
	e := newEngine(t)
	live := NewLive(versioned(t, e, "1.0.0", nil))
	slow := live.acquire()
	if err := live.Swap(t.Context(), versioned(t, e, "2.0.0", nil), nil); err != nil {
		t.Fatal(err)
	}
	if v := slow.set.Scan(t.Context(), result("fine")); v.Action != ActionAllow || v.Scanners[0].Version != "1.0.0" {
		t.Errorf("a set in use was closed: %+v", v)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := live.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("closed under a scan: %v", err)
	}
	slow.release()
	if err := live.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if slow.enter() {
		t.Error("a closed set can be entered")
	}
}

// TestFirstSelfTest runs the self-test of a set in force, of every phase.
func TestFirstSelfTest(t *testing.T) {
	if err := NewLive(NewSet(guestScanner(t, Options{}))).SelfTest(t.Context()); err != nil {
		t.Error(err)
	}
	if err := NewLive(versioned(t, newEngine(t), "1.0.0", alwaysTraps)).SelfTest(t.Context()); !errors.Is(err, ErrSelfTest) {
		t.Error(err)
	}
}
