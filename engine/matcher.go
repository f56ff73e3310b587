package engine

import (
	"github.com/bartizan-mcp/bartizan/engine/match"
)

// matcher finds the patterns of all scanners of a set in one pass.
type matcher struct {
	groups   []patternGroup
	scanners []call
	asksMore bool // some condition asks about more than hits
}

// call is when a scanner is called.
type call struct {
	patterns  int
	triggered bool // as condition says, otherwise always
	condition condition
}

// patternGroup is an automaton and whose its patterns are. One group has those
// of all scanners, unless together they are more than an automaton may be.
type patternGroup struct {
	automaton *match.Automaton
	owners    [][]owner        // by pattern of the automaton
	wanted    map[int][]uint64 // its patterns by scanner, as a match.Automaton takes them
}

// owner is a scanner of the set, and the pattern as its manifest counts it.
type owner struct{ scanner, pattern int }

func newMatcher(scanners []*Scanner) *matcher {
	m := &matcher{}
	var with []int
	for i, s := range scanners {
		c := call{patterns: len(s.manifest.Patterns), triggered: s.manifest.Call == CallTriggered}
		if c.triggered {
			c.condition = conditionOf(s.manifest.Trigger, s.manifest.Patterns)
		}
		m.scanners = append(m.scanners, c)
		m.asksMore = m.asksMore || c.condition.asksMore()
		if c.patterns > 0 {
			with = append(with, i)
		}
	}
	m.group(scanners, with)
	return m
}

// group compiles the patterns of the scanners of these indices, by halves where
// they are too much for one automaton. Those of one scanner never are: it was
// not admitted otherwise.
func (m *matcher) group(scanners []*Scanner, of []int) {
	if len(of) == 0 {
		return
	}
	g := patternGroup{wanted: make(map[int][]uint64, len(of))}
	index := make(map[match.Pattern]int)
	var all []match.Pattern
	for _, scanner := range of {
		for i, p := range scanners[scanner].manifest.Patterns {
			id, known := index[p.match()]
			if !known {
				id = len(all)
				index[p.match()] = id
				all = append(all, p.match())
				g.owners = append(g.owners, nil)
			}
			g.owners[id] = append(g.owners[id], owner{scanner, i})
		}
	}
	var err error
	if g.automaton, err = match.Compile(all); err != nil {
		if len(of) == 1 {
			m.scanners[of[0]] = call{} // never blind
			return
		}
		m.group(scanners, of[:len(of)/2])
		m.group(scanners, of[len(of)/2:])
		return
	}
	for id, owners := range g.owners {
		for _, o := range owners {
			if g.wanted[o.scanner] == nil {
				g.wanted[o.scanner] = make([]uint64, (len(all)+63)/64)
			}
			g.wanted[o.scanner][id>>6] |= 1 << (id & 63)
		}
	}
	m.groups = append(m.groups, g)
}
