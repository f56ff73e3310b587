package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func open(t *testing.T, path string, opts Options) *Log {
	t.Helper()
	l, err := Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func mustAppend(t *testing.T, l *Log, e *Event) string {
	t.Helper()
	id, err := l.Append(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// all reads the whole log and fails on any line that is not an event.
func all(t *testing.T, path string) []Event {
	t.Helper()
	var events []Event
	q := Query{Damaged: func(segment string, at int64) { t.Errorf("%s: damaged line at %d", segment, at) }}
	for rec, err := range Scan(t.Context(), path, q) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, rec.Event)
	}
	return events
}

func codes(events []Event) []string {
	out := make([]string, 0, len(events))
	for _, e := range events {
		out = append(out, e.Metadata.EventCode)
	}
	return out
}

func callN(n int) Call {
	c := call
	c.ID = fmt.Sprintf("call-%d", n)
	return c
}

func outcomeOf(events []Event, id string) (results []Result) {
	for i := range events {
		if stageOf(&events[i]) == stageOutcome && events[i].Metadata.CorrelationUID == id {
			results = append(results, events[i].Unmapped.Result)
		}
	}
	return results
}

func TestAppendedEventsAreFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit")
	l := open(t, path, Options{})
	id := mustAppend(t, l, CallIntent(call))
	mustAppend(t, l, CallOutcome(call, Outcome{Result: Answered}))
	recs, err := Search(t.Context(), path, Query{ID: id})
	if err != nil || len(recs) != 1 || recs[0].Event.Metadata.UID != id {
		t.Fatalf("Search by id: %d records, %v", len(recs), err)
	}
	if recs, _ := Search(t.Context(), path, Query{ID: call.ID}); len(recs) != 2 {
		t.Errorf("Search by correlation id: %d records, want intent and outcome", len(recs))
	}
	for name, want := range map[string]os.FileMode{"": 0o700, "00000001.jsonl": 0o600, "lock": 0o600} {
		info, err := os.Stat(filepath.Join(path, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%q has mode %v (%v), want %v", name, info.Mode().Perm(), err, want)
		}
	}
}

func TestAppendDoesNotTouchTheCallersEvent(t *testing.T) {
	l := open(t, t.TempDir(), Options{})
	e := UnsafeUsed(Origin{}, "unsafe-run", "")
	first, second := mustAppend(t, l, e), mustAppend(t, l, e)
	if first == second || e.Time != 0 || e.Metadata.UID != "" || e.FindingInfo.UID != "" {
		t.Errorf("ids %s, %s; event %+v", first, second, e.Metadata)
	}
}

// A client that hangs up must not be able to keep its call out of the log.
func TestCancelledCallersAreStillRecorded(t *testing.T) {
	path := t.TempDir()
	l := open(t, path, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Append(ctx, CallRefused(call, Refusal{Reason: "drift"})); err != nil {
		t.Fatal(err)
	}
	if got := codes(all(t, path)); !slices.Contains(got, "call_refused") {
		t.Errorf("events: %v", got)
	}
}

func TestSegmentsRotate(t *testing.T) {
	path := t.TempDir()
	l := open(t, path, Options{SegmentBytes: 8 << 10})
	const n = 40
	mustAppend(t, l, CallIntent(call))
	for i := range n {
		mustAppend(t, l, CallRefused(callN(i), Refusal{Reason: "drift"}))
	}
	segments, err := segmentsOf(path)
	if err != nil || len(segments) < 4 {
		t.Fatalf("%d segments, %v", len(segments), err)
	}
	for i, s := range segments {
		st, err := readStages(s)
		if err != nil || st.header == nil || st.header.Number != i+1 {
			t.Fatalf("%s: header %+v, %v", s, st.header, err)
		}
		if i > 0 && !slices.Equal(st.header.Pending, []string{call.ID}) {
			t.Errorf("%s: pending %v, want the open call", s, st.header.Pending)
		}
		if info, _ := os.Stat(s); info.Size() > 8<<10 {
			t.Errorf("%s has %d bytes", s, info.Size())
		}
	}
	refused := 0
	for _, e := range all(t, path) {
		if e.Metadata.EventCode == "call_refused" {
			if want := fmt.Sprintf("call-%d", refused); e.Metadata.CorrelationUID != want {
				t.Fatalf("%s where %s belongs", e.Metadata.CorrelationUID, want)
			}
			refused++
		}
	}
	if refused != n {
		t.Errorf("%d events, want %d", refused, n)
	}
}

func TestOneWriterOnly(t *testing.T) {
	for _, single := range []bool{false, true} {
		path := t.TempDir()
		if single {
			path = filepath.Join(path, "audit.jsonl")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		l := open(t, path, Options{})
		if _, err := Open(path, Options{}); !errors.Is(err, ErrLocked) {
			t.Errorf("second writer (single file %t): %v, want ErrLocked", single, err)
		}
		mustAppend(t, l, Published(change))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		mustAppend(t, open(t, path, Options{}), Approved(change, digest))
		got := codes(all(t, path))
		want := []string{"segment_opened", "log_opened", "published", "log_closed", "log_opened", "approved"}
		if single {
			want = want[1:]
		}
		if !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
	}
}

func TestClose(t *testing.T) {
	path := t.TempDir()
	l := open(t, path, Options{})
	mustAppend(t, l, CallIntent(call))
	var wg sync.WaitGroup
	for i := range 32 { // whoever comes too late is told so; nobody waits for ever
		wg.Go(func() {
			if _, err := l.Append(t.Context(), CallRefused(callN(i), Refusal{Reason: "drift"})); err != nil && !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		})
	}
	wg.Go(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := l.Append(t.Context(), Published(change)); !errors.Is(err, ErrClosed) || !errors.Is(err, ErrUnavailable) {
		t.Errorf("Append after Close: %v", err)
	}
	if got := outcomeOf(all(t, path), call.ID); !slices.Equal(got, []Result{Unknown}) {
		t.Errorf("outcomes of the open call: %v, want one unknown", got)
	}
}

func TestHostileTextIsBoundedAndVisible(t *testing.T) {
	path := t.TempDir()
	l := open(t, path, Options{})
	c := call
	c.Entry = "safe\u202egnp.exe\x1b[2J\n{\"class_uid\":1}" + strings.Repeat("é", 4096) + "\xff"
	var pointers []string
	for i := range 5000 {
		pointers = append(pointers, fmt.Sprintf("/%d/%s", i, strings.Repeat("\x01", 4096)))
	}
	id := mustAppend(t, l, CallRefused(c, Refusal{Reason: "scan_request", Pointers: pointers}))
	recs, err := Search(t.Context(), path, Query{ID: id, Entry: c.Entry})
	if err != nil || len(recs) != 1 {
		t.Fatalf("%d records, %v", len(recs), err)
	}
	if n := len(recs[0].Raw); n > MaxEventBytes {
		t.Errorf("%d bytes", n)
	}
	name := recs[0].Event.Resources[1].Name
	if len(name) > maxText || strings.ContainsAny(name, "\u202e\x1b\n") || !strings.Contains(name, `\u{202e}`) {
		t.Errorf("name %q", name)
	}
	if !recs[0].Event.Unmapped.Truncated {
		t.Error("nothing says that pointers were cut")
	}
}

func TestLongNamesStayDistinct(t *testing.T) {
	head := strings.Repeat("a", 2*maxText)
	if a, b := clip(head+"1"), clip(head+"2"); a == b || len(a) > maxText {
		t.Errorf("%q and %q", a, b)
	}
}

// An event that cannot be cut to size fails its act rather than the log.
func TestOversizedEventIsRefused(t *testing.T) {
	l := open(t, t.TempDir(), Options{})
	e := Published(change)
	for range 2000 {
		e.Resources = append(e.Resources, server(strings.Repeat("x", maxText), ""))
	}
	if _, err := l.Append(t.Context(), e); !errors.Is(err, ErrEventTooLarge) || !errors.Is(err, ErrUnavailable) {
		t.Errorf("Append: %v", err)
	}
	mustAppend(t, l, Published(change))
}

func TestEventTimeIsTheLogs(t *testing.T) {
	path := t.TempDir()
	at := noon
	l := open(t, path, Options{Now: func() time.Time { return at }})
	at = noon.Add(time.Hour)
	id := mustAppend(t, l, Published(change))
	recs, err := Search(t.Context(), path, Query{ID: id})
	if err != nil || len(recs) != 1 || recs[0].Event.Time != at.UnixMilli() {
		t.Errorf("%v, %v", recs, err)
	}
}

// TestEncodeClips holds the short way of encode to the one that asks for each
// string.
func TestEncodeClips(t *testing.T) {
	for _, name := range []string{
		"plain", `quo"ted\\path\"`, "", strings.Repeat("a", maxText), strings.Repeat("a", maxText+1), strings.Repeat(`"`, maxText),
		"line\nbreak", "tab\t", "\x7f", "\x1b[2J", "naïve", "\u202eback", "\u2028", "zero\u200bwidth", "broken\xff", "\ufffd",
	} {
		c := call
		c.Entry = name
		e := stamped(CallIntent(c))
		got, err := encode(e)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(e, encodeOptions)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want)+"\n" {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

// TestUnclippedIsSure holds the glance at a whole line to asking for each
// string, for every byte in every place of a word and around the bound.
func TestUnclippedIsSure(t *testing.T) {
	for c := range 256 {
		for at := range 17 {
			s := strings.Repeat("a", at) + string([]byte{byte(c)}) + "bcd"
			line, err := json.Marshal([]string{s}, jsontext.AllowInvalidUTF8(true))
			if err != nil {
				t.Fatal(err)
			}
			if clipped := clip(s) != s; unclipped(line) && clipped || !unclipped(line) && plain(s) && !strings.ContainsAny(s, `"\`) {
				t.Errorf("%s: unclipped %v, clipped %v", line, unclipped(line), clipped)
			}
		}
	}
	for before := 0; before < 2*maxText; before += 37 {
		for n := maxText - 2; n <= maxText+2; n++ {
			line, err := json.Marshal([]string{strings.Repeat("a", before%maxText), "b", strings.Repeat("c", n), "d"})
			if err != nil {
				t.Fatal(err)
			}
			if got := unclipped(line); got != (n <= maxText) {
				t.Errorf("%d bytes behind %d: unclipped %v", n, before, got)
			}
		}
	}
}
