package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// written makes a log of several segments with one minute between events.
func written(t *testing.T) string {
	t.Helper()
	path := t.TempDir()
	at := noon
	l := open(t, path, Options{SegmentBytes: 4 << 10, Now: func() time.Time { at = at.Add(time.Minute); return at }})
	other := change
	other.Server, other.Tenant, other.Reasons, other.State = "org.example/mail", "acme", []string{"unsigned", "malicious_listing"}, "quarantined"
	for _, e := range []*Event{
		Published(change), Quarantined(other), CallIntent(call), VerdictReached(call, verdict),
		CallOutcome(call, Outcome{Result: Blocked, Reason: "scan_result", Verdict: &verdict}),
		KeyRevoked(change.Origin, key()), Refused("192.0.2.7:1", denied(identity.ErrRevoked)),
		DriftFound(Drift{Tenant: "default", Server: call.Server, Kind: "tool", Key: "read_file", Reason: "changed", Pointers: []string{"/description"}}),
	} {
		mustAppend(t, l, e)
	}
	crash(l)
	return path
}

func TestSearchFilters(t *testing.T) {
	path := written(t)
	times := map[string]time.Time{}
	for _, e := range all(t, path) {
		times[e.Metadata.EventCode] = time.UnixMilli(e.Time)
	}
	for name, tt := range map[string]struct {
		q    Query
		want string
	}{
		"class":              {Query{Class: ClassEntity}, "published quarantined key_revoked"},
		"code":               {Query{Code: "drift_found"}, "drift_found"},
		"server":             {Query{Server: "io.github.acme/files"}, "published call_intent verdict_reached call_outcome drift_found"},
		"server of another":  {Query{Server: "org.example/mail"}, "quarantined"},
		"not a prefix":       {Query{Server: "io.github.acme"}, ""},
		"entry":              {Query{Entry: "read_file"}, "call_intent verdict_reached call_outcome drift_found"},
		"entry is no server": {Query{Entry: "io.github.acme/files"}, ""},
		"principal":          {Query{Principal: "bot"}, "call_intent verdict_reached call_outcome refused"},
		"principal of a key": {Query{Principal: "ci"}, "key_revoked"},
		"tenant":             {Query{Tenant: "acme"}, "quarantined"},
		"reason":             {Query{Reason: "scan_result"}, "call_outcome"},
		"further reason":     {Query{Reason: "malicious_listing"}, "quarantined"},
		"correlation":        {Query{ID: call.ID}, "call_intent verdict_reached call_outcome"},
		"text":               {Query{Text: "INJECTION.Override"}, "verdict_reached call_outcome"},
		"since":              {Query{Since: times["call_outcome"], Class: ClassDetection}, "drift_found"},
		"until":              {Query{Until: times["quarantined"], Class: ClassEntity}, "published"},
		"and":                {Query{Principal: "bot", Class: ClassAPI}, "call_intent call_outcome"},
		"limit keeps newest": {Query{Limit: 2}, "refused drift_found"},
	} {
		recs, err := Search(t.Context(), path, tt.q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range recs {
			got = append(got, r.Event.Metadata.EventCode)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: %s, want %s", name, s, tt.want)
		}
	}
}

func TestSearchAgreesWithScan(t *testing.T) {
	path := written(t)
	everything := codes(all(t, path))
	for limit := 1; limit <= len(everything)+1; limit++ {
		recs, err := Search(t.Context(), path, Query{Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range recs {
			got = append(got, r.Event.Metadata.EventCode)
		}
		if want := everything[max(0, len(everything)-limit):]; !slices.Equal(got, want) {
			t.Errorf("limit %d: %v, want %v", limit, got, want)
		}
	}
}

func TestSearchMemoryIsBounded(t *testing.T) {
	w := window{count: 10, bytes: 100}
	for i := range 50 {
		w.add(Record{Raw: fmt.Appendf(nil, "%030d", i)})
	}
	if len(w.records) != 3 || w.size != 90 || string(w.records[2].Raw[28:]) != "49" {
		t.Errorf("%d records of %d bytes", len(w.records), w.size)
	}
}

func TestSearchOfNothing(t *testing.T) {
	if recs, err := Search(t.Context(), filepath.Join(t.TempDir(), "absent"), Query{}); len(recs) != 0 || err != nil {
		t.Errorf("absent log: %v, %v", recs, err)
	}
}

func TestSearchStopsWithItsContext(t *testing.T) {
	path := written(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Search(ctx, path, Query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Search: %v", err)
	}
}

// A log that somebody edited, or that a writer is just adding to, is read as
// far as it goes, and the damage is told.
func TestSearchSurvivesDamage(t *testing.T) {
	path := written(t)
	whole := codes(all(t, path))
	segments, err := segmentsOf(path)
	if err != nil {
		t.Fatal(err)
	}
	last := segments[len(segments)-1]
	f, err := os.OpenFile(last, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, damage := range []string{
		"not json\n", "{}\n", "\n", `{"class_uid":1,"class_uid":2}` + "\n", "[" + strings.Repeat(" ", MaxEventBytes) + "]\n",
		"\x00\xff\n", strings.Repeat("[", 20_000) + "\n", `{"class_uid":6003,"metadata":{"uid":"half`,
	} {
		if _, err := f.WriteString(damage); err != nil {
			t.Fatal(err)
		}
	}
	var offsets []int64
	var got []string
	q := Query{Damaged: func(segment string, at int64) {
		if segment != last {
			t.Errorf("damage in %s", segment)
		}
		offsets = append(offsets, at)
	}}
	for rec, err := range Scan(t.Context(), path, q) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rec.Event.Metadata.EventCode)
	}
	if !slices.Equal(got, whole) {
		t.Errorf("events %v, want %v", got, whole)
	}
	if len(offsets) != 6 { // neither the empty line nor the one still being written
		t.Errorf("damage at %v", offsets)
	}
}

func FuzzReader(f *testing.F) {
	for _, e := range every() {
		line, err := encode(stamped(e))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
	}
	f.Add([]byte("\n\n{\"class_uid\":6003}\n{\"class_uid\""))
	f.Fuzz(func(t *testing.T, b []byte) {
		var end int64
		for at, line := range lines(strings.NewReader(string(b))) {
			if at < end {
				t.Fatalf("line at %d overlaps the one that ended at %d", at, end)
			}
			if line == nil {
				continue
			}
			end = at + int64(len(line)) + 1
			if end > int64(len(b)) || string(b[at:end-1]) != string(line) || b[end-1] != '\n' {
				t.Fatalf("line at %d is not what stands there", at)
			}
			e, err := decode(line)
			if err != nil {
				continue
			}
			// What was read can be written, as one line, and read as the same.
			once, err := encode(e)
			if err != nil {
				continue
			}
			again, err := decode(once[:len(once)-1])
			if err != nil {
				t.Fatalf("%v: %s", err, once)
			}
			twice, err := encode(again)
			if err != nil || string(twice) != string(once) {
				t.Fatalf("%v\n%s\n%s", err, once, twice)
			}
			if strings.Count(string(once), "\n") != 1 {
				t.Fatalf("not one line: %q", once)
			}
			(&Query{Server: "a", Entry: "b", Principal: "c", Reason: "d"}).selects(e)
		}
	})
}

func FuzzClip(f *testing.F) {
	f.Add("plain")
	f.Add("\u202e\x00\xff" + strings.Repeat("é", 300))
	f.Fuzz(func(t *testing.T, s string) {
		got := clip(s)
		if len(got) > maxText {
			t.Fatalf("%d bytes", len(got))
		}
		if again := clip(got); again != got {
			t.Fatalf("%q becomes %q", got, again)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u202e' || r == '\u200b' }) {
			t.Fatalf("%q hides something", got)
		}
	})
}

func FuzzPrefix(f *testing.F) {
	f.Add("192.0.2.1:80")
	f.Add("[fe80::1%eth0]:1")
	f.Fuzz(func(t *testing.T, source string) {
		if p := prefixOf(source); p == "" || len(p) > 49 || strings.Contains(p, "%") {
			t.Fatalf("%q", p)
		}
		endpointOf(source)
	})
}
