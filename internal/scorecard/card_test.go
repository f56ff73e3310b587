package scorecard

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type sample struct {
	row Row
	out Outcome
}

// samples are rows of every kind with outcomes, some of each found.
func samples() []sample {
	var all []sample
	add := func(n, flagged, blocked int, r Row, family string) {
		for i := range n {
			o := Outcome{Found: map[string]Tier{}, Bytes: 100 + 5000*(i%2), Elapsed: time.Duration(i+1) * time.Microsecond}
			switch {
			case i < blocked:
				o.Found[family] = Blocked
			case i < flagged:
				o.Found[family] = Flagged
			}
			o.Failed = i == n-1 && r.Group == "quay:2"
			o.Unexamined = i == n-1 && r.Group == "log"
			all = append(all, sample{r, o})
		}
	}
	add(10, 6, 2, Row{Family: "injection", Attack: true, Kind: "result", Group: "quay:1"}, "injection")
	add(4, 1, 1, Row{Family: "injection", Attack: true, Kind: "result", Group: "encoded-quay"}, "injection")
	add(5, 5, 0, Row{Family: "injection", Attack: true, Kind: "result", Group: "log", Buried: true}, "injection")
	add(3, 3, 3, Row{Family: "injection", Attack: true, Kind: "result", Group: "neuralchemy"}, "exfil") // of another family: a miss
	add(8, 7, 3, Row{Family: "exfil", Attack: true, Kind: "call", Group: "forms", Subtype: "pii_strong"}, "exfil")
	add(4, 0, 0, Row{Family: "exfil", Attack: true, Kind: "call", Group: "forms", Subtype: "pii_contact"}, "exfil")
	add(6, 5, 5, Row{Family: "poisoning", Attack: true, Kind: "listing", Group: "cisco-eval"}, "poisoning")
	add(6, 5, 5, Row{Family: "poisoning", Attack: true, Kind: "listing", Group: "quay"}, "poisoning")
	add(9, 9, 2, Row{Family: "shadowing", Attack: true, Kind: "listing", Group: "quay"}, "shadowing")
	add(5, 4, 4, Row{Family: Sessions, Attack: true, Kind: Sessions, Group: "walks"}, "injection")
	add(200, 1, 0, Row{Family: "benign", Kind: "result", Group: "quay:2"}, "injection")
	add(30, 2, 0, Row{Family: "benign", Kind: "result", Group: "quay:3", Hard: true}, "injection")
	add(20, 5, 1, Row{Family: "benign", Kind: "result", Group: "wildguard-benign"}, "injection")
	add(300, 1, 1, Row{Family: "benign", Kind: "call", Group: "quay"}, "exfil")
	add(400, 1, 0, Row{Family: "benign", Kind: "listing", Group: "quay"}, "poisoning")
	add(10, 0, 0, Row{Family: "benign", Kind: "listing", Group: "<b>|quay", Hard: true}, "shadowing")
	add(50, 1, 0, Row{Family: Sessions, Kind: Sessions, Group: "walks"}, "exfil")
	return all
}

var reach = map[string][]string{"injection": {"result"}, "exfil": {"call", "result"}, "poisoning": {"listing"}, "shadowing": {"listing"}}

func report(t *testing.T, all []sample) Report {
	t.Helper()
	c := New(reach)
	c.Unreadable()
	for _, s := range all {
		if err := c.Add(s.row, s.out); err != nil {
			t.Fatal(err)
		}
	}
	return c.Report()
}

// TestGolden compares the whole document with one that was checked by hand.
func TestGolden(t *testing.T) {
	d := Document{Report: report(t, samples()), Listings: []Listing{{Name: "tides", Log: 2}, {Name: "winch", Flag: 1, Failed: true}}}
	file := filepath.Join("testdata", "document.md")
	if os.Getenv("BARTIZAN_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(d.Markdown()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), d.Markdown()); diff != "" {
		t.Error(diff)
	}
}

func TestOrderDoesNotMatter(t *testing.T) {
	all := samples()
	want := report(t, all)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if diff := cmp.Diff(want, report(t, all)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestFigures(t *testing.T) {
	r := report(t, samples())
	parts := map[string]Part{}
	for _, p := range r.Parts {
		parts[p.Name] = p
	}
	p := parts["injection"]
	// 12 of 22 attacks; 1 + 2 + 5 of 250 others. Sources: .6, .25, 1 and 0.
	if p.Recall.Hits != 12 || p.Recall.Of != 22 || p.Precision.Of != 20 || p.MeanRecall != 0.4625 || p.F1 != rounded(2*12./(22+20)) {
		t.Errorf("%+v", p)
	}
	if p := parts["injection in English, aimed at agents"]; p.Recall.Of != 10 || p.Precision.Of != 6+3 || p.Chat.Rows != 0 {
		t.Errorf("%+v", p)
	}
	if p := parts["injection buried in results"]; p.Recall.Hits != 5 || p.Recall.Of != 5 {
		t.Errorf("%+v", p)
	}
	if p := parts["exfil without contact data"]; p.Recall.Of != 8 || p.MeanRecall != rounded(7./8) {
		t.Errorf("%+v", p)
	}
	if p := parts["sessions"]; p.Recall.Hits != 4 || p.Ordinary.Flagged != 1 || p.Attacks.Blocked != 4 {
		t.Errorf("%+v", p)
	}
	if f := r.FalseAlarms[0]; f.Kind != "" || f.Rows != 900 || f.Flagged != 3 {
		t.Errorf("%+v", f)
	}
}

func TestShare(t *testing.T) {
	// By Wilson's formula, computed by hand for small numbers and to be found in
	// statistics tables for the usual ones.
	for _, c := range []struct {
		hits, of  int
		low, high float64
	}{{0, 10, 0, 0.2775}, {1, 10, 0.0179, 0.4042}, {5, 10, 0.2366, 0.7634}, {10, 10, 0.7225, 1}, {0, 0, 0, 1}, {50, 1000, 0.0381, 0.0653}} {
		if r := Share(c.hits, c.of); r.Low != c.low || r.High != c.high {
			t.Errorf("%d of %d: %v to %v, want %v to %v", c.hits, c.of, r.Low, r.High, c.low, c.high)
		}
	}
}

func TestTooManySources(t *testing.T) {
	c := New(reach)
	var err error
	for i := 0; err == nil && i < 1e5; i++ {
		err = c.Add(Row{Family: "benign", Kind: "call", Group: fmt.Sprint(i)}, Outcome{})
	}
	if !errors.Is(err, ErrSources) || len(c.sources) > maxSources+len(Families) {
		t.Errorf("%d sources: %v", len(c.sources), err)
	}
}

// TestHistogram: a quantile is at most 1/32 above the true one, and the ends of
// the scale are counted.
func TestHistogram(t *testing.T) {
	var h histogram
	for i := 1; i <= 1000; i++ {
		h.add(time.Duration(i) * 10 * time.Microsecond)
	}
	for q, want := range map[float64]float64{0.5: 5000, 0.99: 9900, 1: 10000} {
		if got := float64(h.quantile(q)); got < want || got > want*33/32 {
			t.Errorf("quantile %v is %v µs, want %v", q, got, want)
		}
	}
	for _, d := range []time.Duration{-1, 0, 1, 63, 64, 1<<62 - 1} {
		i := bucket(d)
		if d < 1<<39 && upper(i) < d || i > 0 && d < 1<<39 && upper(i-1) >= d {
			t.Errorf("%d ns in bucket %d, up to %d", d, i, upper(i))
		}
	}
	for i := 1; i < buckets; i++ {
		if upper(i) <= upper(i-1) || bucket(upper(i)) != i {
			t.Fatalf("bucket %d ends at %d, in bucket %d", i, upper(i), bucket(upper(i)))
		}
	}
	var empty histogram
	if empty.quantile(0.5) != 0 {
		t.Error("of nothing")
	}
}
