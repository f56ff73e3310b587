package engine

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

// patterned returns a scanner for a matcher alone: it has no module.
func patterned(t testing.TB, patterns, trigger string) *Scanner {
	t.Helper()
	m, err := ParseManifest([]byte(triggeredManifest(patterns, trigger)))
	if err != nil {
		t.Fatal(err)
	}
	return &Scanner{manifest: m, opts: Options{Limits: DefaultLimits}}
}

func summoned(p *pass, scanner int) (hits [][]hit) {
	for _, c := range p.summon(scanner, false) {
		hits = append(hits, slices.Clone(c.hits))
	}
	return hits
}

// TestEachScannerGetsItsOwnHits holds that patterns which scanners share are
// handed to each as its own manifest counts them.
func TestEachScannerGetsItsOwnHits(t *testing.T) {
	matcher := newMatcher([]*Scanner{
		patterned(t, `[{"id":"a","text":"alpha"},{"id":"b","text":"beta"}]`, ""),
		patterned(t, `[{"id":"c","text":"gamma"}]`, ""),
		patterned(t, `[{"id":"b","text":"beta"},{"id":"again","text":"beta"},{"id":"exact","text":"beta","exact":true}]`, ""),
		patterned(t, "", `{"nonASCII":true}`),
	})
	if len(matcher.groups) != 1 || len(matcher.groups[0].owners) != 4 {
		t.Errorf("%d groups of %d patterns", len(matcher.groups), len(matcher.groups[0].owners))
	}
	p := matcher.newPass(prepare(result("é BETA", "beta alpha")))
	defer p.release()
	for scanner, want := range [][][]hit{
		{{{1, 0, 3, 7}, {1, 1, 0, 4}, {0, 1, 5, 10}}},
		nil,
		{{{0, 0, 3, 7}, {1, 0, 3, 7}, {0, 1, 0, 4}, {1, 1, 0, 4}, {2, 1, 0, 4}}},
		{nil},
	} {
		if diff := cmp.Diff(want, summoned(p, scanner), cmp.AllowUnexported(hit{})); diff != "" {
			t.Errorf("scanner %d: %s", scanner, diff)
		}
	}
}

// TestOnlyBatchesThatTriggerAreCalled holds that of a long message only the
// part with the pattern is examined, also where it stands on a cut.
func TestOnlyBatchesThatTriggerAreCalled(t *testing.T) {
	matcher := newMatcher([]*Scanner{patterned(t, `[{"id":"a","text":"attack"}]`, "")})
	text := strings.Repeat("x", 1<<20)
	for _, at := range []int{0, windowBytes - 3, windowBytes, 5*batchBytes + 12345, 1<<20 - 6} {
		m := result(text[:at] + "attack" + text[at+6:])
		p := matcher.newPass(prepare(m))
		calls := p.summon(0, false)
		found := false
		for _, c := range calls {
			for _, h := range c.hits {
				w := c.batch[h.segment]
				found = found || w.offset+h.start == at && w.text[h.start:h.end] == "attack"
			}
		}
		if !found || len(calls) > 2 || len(p.prepared.batches) < 8 {
			t.Errorf("at %d: %d calls of %d, found %v", at, len(calls), len(p.prepared.batches), found)
		}
		p.release()
	}
}

// TestFloodsHideNothing holds that whoever fills a text with matches of one
// scanner's patterns changes nothing for another, and that a scanner whose own
// hits are cut is called whatever else its trigger asks for.
func TestFloodsHideNothing(t *testing.T) {
	matcher := newMatcher([]*Scanner{
		patterned(t, `[{"id":"noise","text":"aa"},{"id":"rare","text":"needle"}]`, `{"all":["noise","rare"]}`),
		patterned(t, `[{"id":"rare","text":"needle"}]`, ""),
		patterned(t, `[{"id":"other","text":"elsewhere"}]`, ""),
		patterned(t, `[{"id":"noise","text":"aa"},{"id":"other","text":"elsewhere"}]`, `{"all":["noise","other"]}`),
	})
	flood := strings.Repeat("a", maxWindowHits+100)
	p := matcher.newPass(prepare(result(flood, "and a needle, aa", flood+" needle")))
	defer p.release()
	rare := [][]hit{{{0, 1, 6, 12}, {0, 2, len(flood) + 1, len(flood) + 7}}}
	if diff := cmp.Diff(rare, summoned(p, 1), cmp.AllowUnexported(hit{})); diff != "" {
		t.Errorf("the scanner of the rare pattern: %s", diff)
	}
	if got := summoned(p, 0); len(got) != 1 || len(got[0]) != maxHits {
		t.Errorf("the flooded scanner: %d calls", len(got))
	}
	if got := summoned(p, 2); got != nil {
		t.Errorf("the scanner of nothing here: %v", got)
	}
	if got := summoned(p, 3); len(got) != 1 || len(got[0]) != maxHits {
		t.Errorf("the flooded scanner whose other pattern is absent: %d calls", len(got))
	}
	short := matcher.newPass(prepare(result("aaa")))
	defer short.release()
	if got := summoned(short, 3); got != nil {
		t.Errorf("what was cut once stays so: %v", got)
	}
}

// TestManyScannersMakeSeveralAutomata gives a set patterns that are too much
// for one automaton.
func TestManyScannersMakeSeveralAutomata(t *testing.T) {
	var scanners []*Scanner
	for s := range 4 {
		var patterns []string
		for i := range 4 {
			patterns = append(patterns, fmt.Sprintf(`{"id":"p%d","shape":"key<w%d>%c"}`, i, 180+i, 'a'+s))
		}
		scanners = append(scanners, patterned(t, "["+strings.Join(patterns, ",")+"]", ""))
	}
	matcher := newMatcher(scanners)
	if len(matcher.groups) < 2 {
		t.Errorf("%d groups", len(matcher.groups))
	}
	token := "key" + strings.Repeat("0", 181)
	p := matcher.newPass(prepare(result("see " + token + "b and " + token + "D")))
	defer p.release()
	for i, want := range [][][]hit{nil, {{{1, 0, 4, 189}}}, nil, {{{1, 0, 194, 379}}}} {
		if diff := cmp.Diff(want, summoned(p, i), cmp.AllowUnexported(hit{})); diff != "" {
			t.Errorf("scanner %d: %s", i, diff)
		}
	}
}

// TestPassesKeepNothing lets sets of different scanners use the same buffers at
// a time: no message sees the hits of another.
func TestPassesKeepNothing(t *testing.T) {
	wide := newMatcher([]*Scanner{
		patterned(t, `[{"id":"a","text":"alpha"}]`, ""), patterned(t, `[{"id":"b","text":"beta"}]`, ""),
		patterned(t, `[{"id":"a","text":"alpha"},{"id":"b","text":"beta"}]`, `{"all":["a","b"]}`),
	})
	narrow := newMatcher([]*Scanner{patterned(t, `[{"id":"b","text":"beta"}]`, `{"any":["b",{"view":"*"},{"nonASCII":true}]}`)})
	texts := []string{"alpha", "beta", "alpha beta", "neither", "&#97;lpha", "é", strings.Repeat("alpha ", 3000)}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 200 {
				text := texts[(i*7+worker)%len(texts)]
				a, b, decoded := strings.Contains(text, "alpha") || strings.HasPrefix(text, "&"), strings.Contains(text, "beta"), strings.HasPrefix(text, "&")
				p := wide.newPass(prepare(result(text)))
				for scanner, want := range []bool{a, b, a && b} {
					if got := len(p.summon(scanner, false)) > 0; got != want {
						t.Errorf("scanner %d on %.20q: called %v", scanner, text, got)
					}
				}
				p.release()
				p = narrow.newPass(prepare(result(text)))
				if got := len(p.summon(0, false)) > 0; got != (b || decoded || text == "é") {
					t.Errorf("the narrow set on %.20q: called %v", text, got)
				}
				p.release()
			}
		})
	}
	group.Wait()
}

const alarm = `{"status":"complete","findings":[{"rule":"test.high","confidence":1,"segment":0,"start":0,"end":1,"message":"called"}]}`

func triggeredModule(patterns string) []byte {
	return module(alarm, func(a *asm, has map[string]bool) {
		has["manifest"] = true
		a.custom(ManifestSection, triggeredManifest(patterns, ""))
	})
}

// TestTriggeredScannersRunWhenTheyMust runs scanners that object to everything
// they are shown.
func TestTriggeredScannersRunWhenTheyMust(t *testing.T) {
	e := newEngine(t)
	set := NewSet(
		load(t, e, triggeredModule(`[{"id":"a","text":"attack"}]`), Options{}),
		load(t, e, triggeredModule(`[{"id":"b","text":"bait"}]`), Options{Mode: ModeMonitor}),
	)
	for text, want := range map[string]struct {
		action Action
		calls  int
	}{
		"quiet":                {ActionAllow, 0},
		"an Attack":            {ActionBlock, 1},
		"&#97;ttack":           {ActionBlock, 1},
		"bait":                 {ActionFlag, 1},
		"bait for an attacker": {ActionBlock, 2},
	} {
		m := result(text)
		m.Phase = message.PhaseRequest
		v := set.Scan(t.Context(), m)
		if v.Action != want.action || len(v.Called) != want.calls || len(v.Findings) != want.calls || len(v.Scanners) != 2 {
			t.Errorf("%s: %+v", text, v)
		}
		if v := set.ScanWith(t.Context(), m, ScanOptions{Always: true}); len(v.Called) != 2 || v.Action != ActionBlock {
			t.Errorf("%s, always: %+v", text, v)
		}
	}
	if h := set.Health(noon); h[0].NotTriggered != 2 || h[0].Called != 8 {
		t.Errorf("%+v", h[0])
	}
	// What no view had room for is unexamined, whether or not a trigger holds.
	if v := set.Scan(t.Context(), result(strings.Repeat("\ufdfa", 2000))); v.Action != ActionBlock || !v.Unexamined || len(v.Called) != 0 {
		t.Errorf("crowded: %s, unexamined %v", v.Action, v.Unexamined)
	}
}

// BenchmarkSetUntriggered scans a message of 4 KiB with ten scanners of a
// hundred patterns each. Its parts stand beside it, and what it takes where one
// scanner, in hand-written code, is called.
func BenchmarkSetUntriggered(b *testing.B) {
	e := newEngine(b)
	var scanners []*Scanner
	for s := range 10 {
		var patterns []string
		for i := range 100 {
			verb := []string{"exfiltrate", "disregard", "override", "smuggle", "impersonate", "leak", "harvest", "tamper with", "siphon", "unmask"}[s]
			patterns = append(patterns, fmt.Sprintf(`{"id":"p%d","text":"%s the %s %s"}`, i, verb,
				[]string{"secret", "hidden", "stored", "private", "former", "signed", "cached", "pinned", "remote", "local"}[i%10],
				[]string{"keys", "tokens", "prompt", "orders", "wallet", "cookies", "ledger", "policy", "guard", "vault"}[i/10]))
		}
		scanners = append(scanners, load(b, e, triggeredModule("["+strings.Join(patterns, ",")+"]"), Options{}))
	}
	set := NewSet(scanners...)
	m := result(strings.Repeat("The order of the customer was sent on 2026-11-20, and the remote office has stored its invoice. ", 43)[:4096])
	b.Run("set", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if v := set.Scan(b.Context(), m); len(v.Called) != 0 || v.Action != ActionAllow {
				b.Fatalf("%+v", v)
			}
		}
	})
	one := result(m.Segments[0].Text[:4000] + " Siphon the stored wallet. ")
	b.Run("one triggered", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if v := set.Scan(b.Context(), one); len(v.Called) != 1 || v.Action != ActionBlock {
				b.Fatalf("%+v", v)
			}
		}
	})
	b.Run("prepare alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			prepare(m)
		}
	})
	b.Run("match alone", func(b *testing.B) {
		b.ReportAllocs()
		p := set.matcher.newPass(prepare(m))
		for b.Loop() {
			p.batches[0].done = false
			p.read(0)
		}
	})
}
