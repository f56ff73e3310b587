package match

import (
	"cmp"
	"slices"
)

// naive finds what an automaton finds, by trying every pattern everywhere.
func naive(patterns []Pattern, text string) []Hit {
	var hits []Hit
	for id, p := range patterns {
		seq, err := p.positions()
		if err != nil {
			panic(err)
		}
		for at := range len(text) - len(seq) + 1 {
			if !slices.ContainsFunc(indices(seq), func(i int) bool { return !seq[i].has(text[at+i]) }) {
				hits = append(hits, Hit{int32(id), int32(at), int32(at + len(seq))})
			}
		}
	}
	return sorted(hits)
}

func indices(seq []class) []int {
	out := make([]int, len(seq))
	for i := range out {
		out[i] = i
	}
	return out
}

func sorted(hits []Hit) []Hit {
	slices.SortFunc(hits, func(x, y Hit) int {
		return cmp.Or(cmp.Compare(x.Start, y.Start), cmp.Compare(x.End, y.End), cmp.Compare(x.Pattern, y.Pattern))
	})
	return hits
}
