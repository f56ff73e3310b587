package match

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func compile(t testing.TB, patterns []Pattern) *Automaton {
	t.Helper()
	a, err := Compile(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// agree holds an automaton to the naive matcher.
func agree(t *testing.T, a *Automaton, patterns []Pattern, text string) {
	t.Helper()
	got, complete := a.Append(nil, text, math.MaxInt32)
	if !complete {
		t.Fatal("not complete without a limit")
	}
	if diff := cmp.Diff(naive(patterns, text), sorted(got)); diff != "" {
		t.Fatalf("%+v in %q: (-naive +automaton)\n%s", patterns, text, diff)
	}
}

func TestAppend(t *testing.T) {
	for name, tc := range map[string]struct {
		patterns []Pattern
		text     string
		want     []Hit
	}{
		"either case":               {[]Pattern{{Text: "Ignore"}}, "iGNORE ignore", []Hit{{0, 0, 6}, {0, 7, 13}}},
		"its own case":              {[]Pattern{{Text: "AKIA", Exact: true}}, "akia AKIA Akia", []Hit{{0, 5, 9}}},
		"inside one another":        {[]Pattern{{Text: "hers"}, {Text: "he"}, {Text: "she"}, {Text: "ers"}}, "ushers", []Hit{{2, 1, 4}, {1, 2, 4}, {0, 2, 6}, {3, 3, 6}}},
		"overlapping itself":        {[]Pattern{{Text: "aa"}}, "aaaa", []Hit{{0, 0, 2}, {0, 1, 3}, {0, 2, 4}}},
		"one text in two patterns":  {[]Pattern{{Text: "same"}, {Text: "SAME"}}, "same", []Hit{{0, 0, 4}, {1, 0, 4}}},
		"beyond ASCII, as it is":    {[]Pattern{{Text: "é😀"}}, "É😀é😀", []Hit{{0, 6, 12}}},
		"no case but that of ASCII": {[]Pattern{{Text: "[x@"}}, "{x` [X@", []Hit{{0, 4, 7}}},
		"token":                     {[]Pattern{{Shape: "ghp_<w6>"}}, "ghp_12345 GHP_abcDEF7", []Hit{{0, 10, 20}}},
		"token in its own case":     {[]Pattern{{Shape: "AKIA<u2><d2>", Exact: true}}, "akiaAB12 AKIAab12 AKIAAB12 AKIAAKIAAB12", []Hit{{0, 18, 26}, {0, 31, 39}}},
		"card":                      {[]Pattern{{Shape: "<d4> <d4>"}}, "1234 5678 9012", []Hit{{0, 0, 9}, {0, 5, 14}}},
		"digits alone":              {[]Pattern{{Shape: "<d8>"}}, "123456789", []Hit{{0, 0, 8}, {0, 1, 9}}},
		"classes":                   {[]Pattern{{Shape: "<d><x><l><u><a><w><b><s><p>", Exact: true}}, "1faZq0_\t~", []Hit{{0, 0, 9}}},
		"escape":                    {[]Pattern{{Shape: "<<b>"}}, "a <B> b", []Hit{{0, 2, 5}}},
		"anchor in the middle":      {[]Pattern{{Shape: "<d3>-key-<d3>"}}, "1-key-222 333-key-44 555-KEY-666", []Hit{{0, 21, 32}}},
		"beginning alike":           {[]Pattern{{Text: "without cause"}, {Text: "within"}, {Text: "with"}, {Shape: "with<d2>"}}, "with without withing with42 x", []Hit{{2, 0, 4}, {2, 5, 9}, {1, 13, 19}, {2, 13, 17}, {2, 21, 25}, {3, 21, 27}}},
		"beginning alike, all long": {[]Pattern{{Text: "without cause"}, {Text: "withdrawal"}, {Shape: "with<d2>"}}, "without withdraw with42 withdrawal within", []Hit{{2, 17, 23}, {1, 24, 34}}},
		"at both ends":              {[]Pattern{{Text: "ab"}, {Shape: "<d>z"}}, "ab 1z", []Hit{{0, 0, 2}, {1, 3, 5}}},
		"bytes that are no UTF-8":   {[]Pattern{{Text: "\xff\x00"}}, "\xff\xff\x00", []Hit{{0, 1, 3}}},
		"nothing to find":           {nil, "text", nil},
		"nothing to read":           {[]Pattern{{Text: "ab"}}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := compile(t, tc.patterns)
			got, complete := a.Append(nil, tc.text, 100)
			if diff := cmp.Diff(sorted(tc.want), sorted(got)); diff != "" || !complete {
				t.Errorf("complete %v, (-want +got)\n%s", complete, diff)
			}
			agree(t, a, tc.patterns, tc.text)
		})
	}
}

func TestRefusals(t *testing.T) {
	many := make([]Pattern, MaxPatterns+1)
	for i := range many {
		many[i].Text = "ab"
	}
	var states, nested, work, wide []Pattern
	rng := rand.New(rand.NewPCG(1, 1))
	for range 4400 {
		long := make([]byte, MaxBytes)
		for i := range long {
			long[i] = byte('a' + rng.IntN(26))
		}
		states = append(states, Pattern{Text: string(long)})
	}
	for b := range 16 {
		for n := 2; n <= MaxBytes; n++ {
			nested = append(nested, Pattern{Text: strings.Repeat(string(rune('a'+b)), n)})
		}
	}
	for i := range 5 {
		work = append(work, Pattern{Shape: fmt.Sprintf("ab<w%d>", 250-i)})
	}
	for c := range 256 {
		wide = append(wide, Pattern{Text: string([]byte{byte(c), byte(c), byte(c)})})
	}
	for name, tc := range map[string]struct {
		patterns []Pattern
		says     string
	}{
		"none of both":   {[]Pattern{{}}, "either"},
		"both":           {[]Pattern{{Text: "ab"}, {Text: "ab", Shape: "ab"}}, "pattern 1: pattern: want either"},
		"short":          {[]Pattern{{Text: "a"}}, "at least 2"},
		"short shape":    {[]Pattern{{Shape: "<d>"}}, "at least 2"},
		"long":           {[]Pattern{{Text: strings.Repeat("a", MaxBytes+1)}}, "at most 256"},
		"long shape":     {[]Pattern{{Shape: "a<d256>"}}, "more than 256"},
		"many":           {many, "at most 65536"},
		"states":         {states, "more than 1048576 states"},
		"work":           {work, "more than 1024 bytes"},
		"rare nowhere":   {[]Pattern{{Shape: "<p20>"}}, "pairs or fewer"},
		"unknown class":  {[]Pattern{{Shape: "a<q2>"}}, "at byte 1"},
		"not closed":     {[]Pattern{{Shape: "a<d2"}}, "at byte 1"},
		"empty class":    {[]Pattern{{Shape: "ab<>"}}, "at byte 2"},
		"count of zero":  {[]Pattern{{Shape: "ab<d0>"}}, "want 1 to 256"},
		"leading zero":   {[]Pattern{{Shape: "ab<d02>"}}, "want 1 to 256"},
		"signed count":   {[]Pattern{{Shape: "ab<d+2>"}}, "want 1 to 256"},
		"huge count":     {[]Pattern{{Shape: "ab<d99999999999999999999>"}}, "want 1 to 256"},
		"count too high": {[]Pattern{{Shape: "ab<d257>"}}, "want 1 to 256"},
	} {
		if _, err := Compile(tc.patterns); !errors.Is(err, ErrPattern) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, patterns := range map[string][]Pattern{"nested": nested, "every byte": wide} {
		if _, err := Compile(patterns); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLimit(t *testing.T) {
	patterns := []Pattern{{Text: "aa"}, {Text: "bb"}}
	a := compile(t, patterns)
	text := strings.Repeat("a", 50) + "bb"
	before := []Hit{{9, 9, 9}}
	for limit, complete := range map[int]bool{0: false, 7: false, 49: false, 50: true, 51: true} {
		got, ok := a.Append(slices.Clone(before), text, limit)
		if ok != complete || len(got) != 1+min(limit, 50) || got[0] != before[0] {
			t.Errorf("limit %d: %d hits, complete %v", limit, len(got), ok)
		}
	}
	got, ok := a.AppendOnly(nil, text, 1, []uint64{2})
	if !ok || !slices.Equal(got, []Hit{{1, 50, 52}}) {
		t.Errorf("one pattern alone: %v, complete %v", got, ok)
	}
}

// TestRandom draws patterns and texts from few letters, so that they are
// prefixes, suffixes and parts of one another.
func TestRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	for range 1500 {
		patterns := make([]Pattern, 1+rng.IntN(12))
		for i := range patterns {
			patterns[i] = randomPattern(rng)
		}
		a, err := Compile(patterns)
		if err != nil {
			if !errors.Is(err, ErrPattern) {
				t.Fatal(err)
			}
			continue
		}
		agree(t, a, patterns, randomText(rng, patterns))
	}
}

const letters = "abAB1-é"

func randomPattern(rng *rand.Rand) Pattern {
	var b strings.Builder
	p := Pattern{Exact: rng.IntN(4) == 0}
	shaped := rng.IntN(3) == 0
	for range 2 + rng.IntN(7) {
		if shaped && rng.IntN(3) == 0 {
			fmt.Fprintf(&b, "<%c%d>", "dxluawbs"[rng.IntN(8)], 1+rng.IntN(5))
		} else {
			b.WriteByte(letters[rng.IntN(len(letters))])
		}
	}
	if shaped {
		p.Shape = b.String()
	} else {
		p.Text = b.String()
	}
	return p
}

func randomText(rng *rand.Rand, patterns []Pattern) string {
	var b strings.Builder
	for range rng.IntN(60) {
		if text := patterns[rng.IntN(len(patterns))].Text; text != "" && rng.IntN(5) == 0 {
			b.WriteString(text[rng.IntN(len(text)):])
		} else {
			b.WriteByte(letters[rng.IntN(len(letters))])
		}
	}
	return b.String()
}

// FuzzAppend takes patterns, one a line with = before a text, * before a shape
// and capitals for their own case, to be found in a text.
func FuzzAppend(f *testing.F) {
	f.Add("=he\n=she\n=hers\n=his", "ushers")
	f.Add("*<d4>-<d4>\n=4-5\n*<w3>-\n", "1234-5678-9012")
	f.Add("E=AKIA\n*AKIA<w4>\n=kiak", "AKIAKIAKIA0")
	f.Add("=aa\n=aaa\n=ab\n*<a2>a<d>", strings.Repeat("a", 40)+"1")
	f.Add("*<p>\x00\n=\xff\xfe", "a\x00\xff\xfe")
	f.Fuzz(func(t *testing.T, lines, text string) {
		if len(lines) > 400 || len(text) > 2000 {
			return
		}
		var patterns []Pattern
		for line := range strings.SplitSeq(lines, "\n") {
			rest, exact := strings.CutPrefix(line, "E")
			p := Pattern{Exact: exact}
			var ok bool
			if p.Text, ok = strings.CutPrefix(rest, "="); !ok {
				p.Text = ""
				p.Shape, _ = strings.CutPrefix(rest, "*")
			}
			if p.Check() == nil {
				patterns = append(patterns, p)
			}
		}
		a, err := Compile(patterns)
		if err != nil {
			if !errors.Is(err, ErrPattern) {
				t.Fatal(err)
			}
			return
		}
		agree(t, a, patterns, text)
	})
}
