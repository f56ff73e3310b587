package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	bobusumisu "github.com/BobuSumisu/aho-corasick"
	"github.com/cloudflare/ahocorasick"
	petar "github.com/petar-dambovaliev/aho-corasick"
	"github.com/wasilibs/go-re2"

	"github.com/bartizan-mcp/bartizan/engine/match"
)

const patternCount = 1000

// automatonRows runs every matcher over the same 64 KiB. Matchers that know no
// case get text and patterns in lower case beforehand, at no charge; ours and
// petar's fold case as they go.
func automatonRows() ([]row, error) {
	const what = "automaton, 1,000 patterns"
	list := patterns(patternCount)
	text := prose(64<<10, 2)
	for i := range 16 { // a hit every 4 KiB
		at := i*(4<<10) + 100
		text = text[:at] + list[i*61] + text[at+len(list[i*61]):]
	}
	matchers, err := matchersFor(list)
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, over := range []struct{ name, text string }{{"", text}, {", over near misses", nearMisses(64<<10, list, 3)}} {
		folded := strings.ToLower(over.text)
		var arms []arm
		for _, m := range matchers {
			arms = append(arms, arm{Name: m.name, Run: func() error { m.hits(folded); return nil }})
		}
		s, err := interleave(9, 10*time.Millisecond, arms...)
		if err != nil {
			return nil, err
		}
		perByte := s.Median(0) / float64(len(folded))
		fastest, by := s.Ratio(1, 0), matchers[1].name
		for i := range matchers[1:] {
			if r := s.Ratio(i+1, 0); r < fastest {
				fastest, by = r, matchers[i+1].name
			}
		}
		ours := line(what+over.name, fmt.Sprintf("%.2f ns/byte", perByte), "≤ 2.5 ns/byte", atMost(perByte, 2.5), fmt.Sprint(matchers[0].hits(folded), " hits in 64 KiB"))
		ahead := line("  ahead of the next ("+by+")", fmt.Sprintf("%.2f×", fastest), "> 1×", judge(fastest > 1), "")
		if over.name != "" { // for comparison: the target names ordinary text
			ours.Target, ours.Met, ahead.Target, ahead.Met = "", nothing, "", nothing
		}
		rows = append(rows, ours, ahead)
		for i, m := range matchers[1:] {
			rows = append(rows, line("  "+m.name, fmt.Sprintf("%.2f ns/byte", s.Median(i+1)/float64(len(folded))), "", nothing,
				fmt.Sprintf("%.1f× ours, %d hits%s", s.Ratio(i+1, 0), m.hits(folded), m.note)))
		}
	}
	return rows, nil
}

// matcher counts hits; some report each pattern once, or only leftmost ones.
type matcher struct {
	name string
	hits func(text string) int
	note string
}

// matchersFor returns ours first.
func matchersFor(list []string) ([]matcher, error) {
	var own []match.Pattern
	for _, p := range list {
		own = append(own, match.Pattern{Text: p})
	}
	ours, err := match.Compile(own)
	if err != nil {
		return nil, err
	}
	var hits []match.Hit
	trie := bobusumisu.NewTrieBuilder().AddStrings(list).Build()
	cloudflare := ahocorasick.NewStringMatcher(list)
	builder := petar.NewAhoCorasickBuilder(petar.Opts{AsciiCaseInsensitive: true, MatchKind: petar.StandardMatch, DFA: true})
	dfa := builder.Build(list)
	quoted := make([]string, len(list))
	for i, p := range list {
		quoted[i] = regexp.QuoteMeta(p)
	}
	re, err := re2.Compile("(?i)(?:" + strings.Join(quoted, "|") + ")")
	if err != nil {
		return nil, err
	}
	return []matcher{
		{"bartizan", func(text string) int {
			hits, _ = ours.Append(hits[:0], text, 1<<20)
			return len(hits)
		}, ""},
		{"BobuSumisu/aho-corasick", func(text string) (n int) {
			trie.Walk([]byte(text), func(_, _, _ int64) bool { n++; return true })
			return n
		}, ""},
		{"cloudflare/ahocorasick", func(text string) int { return len(cloudflare.Match([]byte(text))) }, ", each pattern once"},
		{"petar-dambovaliev/aho-corasick", func(text string) (n int) {
			for it := dfa.IterOverlapping(text); it.Next() != nil; n++ {
			}
			return n
		}, ""},
		{"wasilibs/go-re2", func(text string) int { return len(re.FindAllStringIndex(text, -1)) }, ", leftmost only"},
	}, nil
}
