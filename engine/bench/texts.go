package main

import "strings"

// words make up the prose: ordinary ones, among them many with which a phrase
// begins, so that an automaton leaves its first state as often as on real text.
var words = strings.Fields(`the of and to in a is that for it as was with be by on not he his but at are this have
	from or had an they which one you were all her she there would their we him been has when who will no more if out
	so up said what its about than into them can only other time new some could these two may first then do any like my
	now over such our man me even most made after also did many off before must well back through years where much your
	way down should because long each just state people those too mr how little good world make very year still see own
	work men day get here old life both between being under three never know same last another while us might great go
	come since against right came take used himself few house use during without again place around however home small
	found thought went say part once general high upon school every does got united left number course war until always
	something fact water less public put think almost hand enough far took head yet government system set better told
	nothing night end why called eyes find going look asked later knew report weather forecast invoice customer ticket
	branch commit release deploy server client request response field table column index record update delete insert
	ignore previous instruction secret token password user tool file read send`)

// prose returns n bytes of the kind that a tool answers with.
func prose(n int, seed uint64) string {
	r := seeded(seed)
	var b strings.Builder
	for b.Len() < n {
		for i := range 8 + r.IntN(10) {
			w := words[r.IntN(len(words))]
			if i == 0 {
				w = strings.ToUpper(w[:1]) + w[1:]
			} else {
				b.WriteByte(' ')
			}
			b.WriteString(w)
		}
		b.WriteString([]string{". ", ", see #4711. ", " (12.5 %). ", ".\n"}[r.IntN(4)])
	}
	return b.String()[:n]
}

// patterns returns n different patterns in lower case: half of them phrases
// with common beginnings, half of them shaped like names and keys.
func patterns(n int) []string {
	verbs := strings.Fields("ignore disregard forget override bypass reveal print repeat send forward upload delete read open copy hide")
	which := strings.Fields("all any the your our previous prior earlier hidden private internal secret")
	things := []string{"instructions", "rules", "system prompt", "messages", "credentials", "api keys", "conversation", "private files", "guidelines", "tokens"}
	r := seeded(1000)
	seen := map[string]bool{}
	var out []string
	for len(out) < n {
		var p string
		if len(out)%2 == 0 {
			p = verbs[r.IntN(len(verbs))] + " " + which[r.IntN(len(which))] + " " + things[r.IntN(len(things))]
		} else {
			b := make([]byte, 6+r.IntN(10))
			for i := range b {
				b[i] = "abcdefghijklmnopqrstuvwxyz0123456789_-"[r.IntN(38)]
			}
			p = string(b)
		}
		if !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}

// nearMisses returns n bytes that begin one pattern after another and finish
// none: what an attacker sends to an automaton.
func nearMisses(n int, patterns []string, seed uint64) string {
	r := seeded(seed)
	var b strings.Builder
	for b.Len() < n {
		p := patterns[r.IntN(len(patterns))]
		b.WriteString(p[:len(p)-1])
		b.WriteByte('~')
	}
	return b.String()[:n]
}
