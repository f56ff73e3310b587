package audit

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Wherever a crash cuts the last write, the log opens, goes on, and holds only
// whole events.
func TestTornTailIsCutOff(t *testing.T) {
	path := t.TempDir()
	l := open(t, path, Options{})
	mustAppend(t, l, Published(change))
	mustAppend(t, l, CallIntent(call))
	mustAppend(t, l, CallOutcome(call, Outcome{Result: Answered}))
	segment := filepath.Join(path, "00000001.jsonl")
	whole, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for cut := 0; cut < len(whole); cut += 211 {
		t.Run(fmt.Sprint(cut), func(t *testing.T) {
			path := t.TempDir()
			if err := os.WriteFile(filepath.Join(path, "00000001.jsonl"), whole[:cut], 0o600); err != nil {
				t.Fatal(err)
			}
			l := open(t, path, Options{})
			mustAppend(t, l, Approved(change, digest))
			events := all(t, path)
			kept := bytes.Count(whole[:cut], []byte("\n"))
			if len(events) < kept+2 || events[len(events)-1].Metadata.EventCode != "approved" {
				t.Errorf("kept %d whole lines, log has %v", kept, codes(events))
			}
			intents := slices.Index(codes(events), "call_intent")
			if outcomes := outcomeOf(events, call.ID); intents >= 0 && len(outcomes) != 1 {
				t.Errorf("outcomes %v", outcomes)
			}
		})
	}
}

// crash leaves the log as a dead process would: unlocked, nothing written.
func crash(l *Log) {
	l.refusals.stop()
	l.sink.close()
}

func TestOrphanedIntentsGetAnOutcome(t *testing.T) {
	for name, limit := range map[string]int64{"one segment": 0, "many segments": 6 << 10} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			opts := Options{SegmentBytes: limit}
			l := open(t, path, opts)
			for n := range 20 {
				mustAppend(t, l, CallIntent(callN(n)))
			}
			for n := range 20 {
				if n != 3 && n != 19 {
					mustAppend(t, l, CallOutcome(callN(n), Outcome{Result: Answered}))
				}
			}
			crash(l)
			for range 3 { // what was closed once stays closed
				crash(open(t, path, opts))
			}
			events := all(t, path)
			for n := range 20 {
				want := []Result{Answered}
				if n == 3 || n == 19 {
					want = []Result{Unknown}
				}
				if got := outcomeOf(events, fmt.Sprintf("call-%d", n)); !slices.Equal(got, want) {
					t.Errorf("call %d: %v, want %v", n, got, want)
				}
			}
			for _, e := range events {
				if e.Unmapped.Result == Unknown && (e.StatusCode != ReasonOrphaned || e.API.Service.Name != call.Server || e.Actor.User.Name != "bot") {
					t.Errorf("the unknown outcome does not say whose: %+v", e)
				}
			}
		})
	}
}

// A header that cannot name all calls in flight sends recovery further back.
func TestRecoveryReadsAsFarBackAsItMust(t *testing.T) {
	path := t.TempDir()
	write := func(n int, events ...*Event) {
		var b []byte
		for _, e := range events {
			line, err := encode(stamped(e))
			if err != nil {
				t.Fatal(err)
			}
			b = append(b, line...)
		}
		if err := os.WriteFile(filepath.Join(path, fmt.Sprintf("%08d.jsonl", n)), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	header := func(n, carried int, pending ...string) *Event {
		e := (&calls{}).header(n)
		e.Unmapped.Segment.Carried, e.Unmapped.Segment.Pending = carried, pending
		return e
	}
	stale := CallIntent(callN(0)) // beyond the header of 2, which says it is settled
	write(1, header(1, 0), stale)
	write(2, header(2, 0), CallIntent(callN(1)), CallIntent(callN(2)))
	write(3, header(3, maxCarried+1), CallIntent(callN(3)))
	write(4, header(4, 2, "call-1", "call-3"), CallOutcome(callN(3), Outcome{Result: Answered}), CallIntent(callN(4)))
	write(5, header(5, 9999), CallOutcome(callN(2), Outcome{Result: Answered}))
	segments, err := segmentsOf(path)
	if err != nil {
		t.Fatal(err)
	}
	orphans, err := orphansIn(segments)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range orphans {
		got = append(got, e.Metadata.CorrelationUID)
	}
	if want := []string{"call-1", "call-4"}; !slices.Equal(got, want) {
		t.Errorf("orphans %v, want %v", got, want)
	}
}

func TestOnlySegmentsCount(t *testing.T) {
	for name, want := range map[string]int{
		"00000001.jsonl": 1, "123456789.jsonl": 123456789,
		"1.jsonl": 0, "00000000.jsonl": 0, "-0000001.jsonl": 0, "00000001.jsonl.tmp": 0, "lock": 0,
		"99999999999999999999.jsonl": 0, "0000000x.jsonl": 0,
	} {
		if got := segmentNumber(name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

// Deleting the file under a running process must not swallow what comes next.
func TestDeletedSegmentIsReplaced(t *testing.T) {
	path := t.TempDir()
	l := open(t, path, Options{})
	mustAppend(t, l, Published(change))
	if err := os.Remove(filepath.Join(path, "00000001.jsonl")); err != nil {
		t.Skip(err) // the system keeps open files
	}
	mustAppend(t, l, Approved(change, digest))
	if got := codes(all(t, path)); !slices.Equal(got, []string{"segment_opened", "approved"}) {
		t.Errorf("events %v", got)
	}
}

// A file in the way of the next segment does not stop the log.
func TestOccupiedSegmentNumberIsSkipped(t *testing.T) {
	path := t.TempDir()
	l := open(t, path, Options{SegmentBytes: 1})
	if err := os.WriteFile(filepath.Join(path, "00000002.jsonl"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, l, Published(change))
	if st, err := readStages(filepath.Join(path, "00000003.jsonl")); err != nil || st.header.Number != 3 {
		t.Errorf("%+v, %v", st, err)
	}
}
