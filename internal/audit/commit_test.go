package audit

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// fakeDisk is a sink whose failures and delays the test decides.
type fakeDisk struct {
	mu      sync.Mutex
	err     error
	gate    chan struct{} // if set, append waits for it
	entered chan struct{}
	flushes int
	lines   [][]byte
}

func (d *fakeDisk) append(lines [][]byte, _ func(int) ([]byte, error)) error {
	if d.gate != nil {
		d.entered <- struct{}{}
		<-d.gate
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flushes++
	if d.err != nil {
		return d.err
	}
	for _, l := range lines {
		d.lines = append(d.lines, bytes.Clone(l))
	}
	return nil
}

func (d *fakeDisk) close() error { return nil }

func (d *fakeDisk) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *fakeDisk) events(t *testing.T) []Event {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	var events []Event
	for _, line := range d.lines {
		e, err := decode(bytes.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, *e)
	}
	return events
}

func onDisk(d *fakeDisk) *Log {
	return &Log{opts: Options{}.withDefaults(), sink: d, calls: newCalls(nil), refusals: newRefusals(4)}
}

func TestConcurrentAppendsShareOneFlush(t *testing.T) {
	d := &fakeDisk{gate: make(chan struct{}), entered: make(chan struct{}, 2)}
	l := onDisk(d)
	var wg sync.WaitGroup
	put := func() {
		wg.Go(func() {
			if _, err := l.Append(t.Context(), Published(change)); err != nil {
				t.Error(err)
			}
		})
	}
	put()
	<-d.entered // the first is being written
	const others = 63
	for range others {
		put()
	}
	for { // until all of them wait for the next flush
		l.mu.Lock()
		n := 0
		if l.next != nil {
			n = len(l.next.lines)
		}
		l.mu.Unlock()
		if n == others {
			break
		}
		runtime.Gosched()
	}
	close(d.gate)
	wg.Wait()
	if d.flushes != 2 || len(d.lines) != others+1 {
		t.Errorf("%d flushes for %d lines, want 2 for %d", d.flushes, len(d.lines), others+1)
	}
}

func TestFailureReachesEveryoneInTheBatch(t *testing.T) {
	full := errors.New("no space left")
	d := &fakeDisk{err: full}
	l := onDisk(d)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if id, err := l.Append(t.Context(), Published(change)); id != "" || !errors.Is(err, ErrUnavailable) || !errors.Is(err, full) {
				t.Errorf("Append: %q, %v", id, err)
			}
		})
	}
	wg.Wait()
	if err := l.Check(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Check: %v", err)
	}
	d.fail(nil)
	if err := l.Check(t.Context()); err != nil { // nobody appended in between
		t.Errorf("Check after the disk recovered: %v", err)
	}
	mustAppend(t, l, Published(change))
}

// The call went upstream, its outcome could not be recorded, so its answer was
// withheld. The log has to say so as soon as it can.
func TestOutcomeThatCouldNotBeRecordedBecomesUnknown(t *testing.T) {
	d := &fakeDisk{}
	l := onDisk(d)
	mustAppend(t, l, CallIntent(callN(1)))
	mustAppend(t, l, CallIntent(callN(2)))
	d.fail(errors.New("io error"))
	for _, n := range []int{1, 2, 1, 2} { // gateways try more than once
		if _, err := l.Append(t.Context(), CallOutcome(callN(n), Outcome{Result: Answered})); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("Append: %v", err)
		}
	}
	d.fail(nil)
	// Call 2's gateway tries again: its real outcome replaces the unknown one.
	mustAppend(t, l, CallOutcome(callN(2), Outcome{Result: Failed, Reason: "audit_unavailable"}))
	mustAppend(t, l, Published(change))
	events := d.events(t)
	if got := outcomeOf(events, "call-1"); !slices.Equal(got, []Result{Unknown}) {
		t.Errorf("call 1: %v", got)
	}
	if got := outcomeOf(events, "call-2"); !slices.Equal(got, []Result{Failed}) {
		t.Errorf("call 2: %v", got)
	}
	for _, e := range events {
		if e.Unmapped.Result == Unknown && e.StatusCode != ReasonUnlogged {
			t.Errorf("reason %q", e.StatusCode)
		}
	}
	if len(l.calls.open)+len(l.calls.orphans)+len(l.calls.order) != 0 {
		t.Errorf("still followed: %+v", l.calls)
	}
}

// An intent that never became durable was no call: it leaves nothing behind.
func TestFailedIntentLeavesNoOrphan(t *testing.T) {
	d := &fakeDisk{err: errors.New("io error")}
	l := onDisk(d)
	if _, err := l.Append(t.Context(), CallIntent(call)); err == nil {
		t.Fatal("no error")
	}
	d.fail(nil)
	mustAppend(t, l, Published(change))
	if got := codes(d.events(t)); !slices.Equal(got, []string{"published"}) {
		t.Errorf("events %v", got)
	}
}

func TestRefusalsAreAggregated(t *testing.T) {
	d := &fakeDisk{}
	l := onDisk(d) // keeps 4 apart
	ids := map[string]bool{}
	for _, source := range []string{"192.0.2.1:1", "192.0.2.250:2", "192.0.2.9"} {
		ids[l.Refusal(t.Context(), "credential_missing", source)] = true
	}
	if len(ids) != 1 {
		t.Errorf("one prefix got %d ids", len(ids))
	}
	l.Refusal(t.Context(), "credential_invalid", "192.0.2.1:1")
	l.Refusal(t.Context(), "credential_missing", "[2001:db8:0:1:ffff::1%eth0]:443")
	l.Refusal(t.Context(), "credential_missing", "not an address")
	for i := range 1000 { // an attacker with a /48
		l.Refusal(t.Context(), "credential_missing", "[2001:db8:1:"+strings.ToLower(hex4(i))+"::1]:443")
	}
	if len(d.lines) != 0 {
		t.Fatal("a refusal was written at once")
	}
	d.fail(errors.New("io error"))
	if err := l.Flush(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("Flush: %v", err)
	}
	d.fail(nil)
	l.Refusal(t.Context(), "credential_missing", "192.0.2.77:1") // while the first are owed
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, e := range d.events(t) {
		got[e.StatusCode+" "+e.Unmapped.Prefix] += e.Count
		if e.Unmapped.Prefix == "192.0.2.0/24" && e.StatusCode == "credential_missing" && !ids[e.Metadata.UID] {
			t.Errorf("the id %s was told to nobody", e.Metadata.UID)
		}
	}
	want := map[string]int{
		"credential_missing 192.0.2.0/24":      4,
		"credential_invalid 192.0.2.0/24":      1,
		"credential_missing 2001:db8:0:1::/64": 1,
		"credential_missing unknown":           1,
		"other other":                          1000,
	}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("%s: %d, want %d", k, got[k], n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("refusals %v", got)
	}
	if err := l.Flush(t.Context()); err != nil || len(d.lines) != len(want) {
		t.Errorf("flushing nothing wrote something: %d lines, %v", len(d.lines), err)
	}
}

func hex4(i int) string {
	const digits = "0123456789abcdef"
	return string([]byte{'1', digits[i>>8&15], digits[i>>4&15], digits[i&15]})
}
