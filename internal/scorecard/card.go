package scorecard

import (
	"errors"
	"maps"
	"slices"
)

// ErrSources means that a corpus names more sources than a report can hold.
var ErrSources = errors.New("more sources than a report holds")

// maxSources bounds the lines of a report, and the memory of a card.
const maxSources = 2000

// Card collects outcomes. In which order they come does not matter. It is not
// safe for concurrent use.
type Card struct {
	reach      map[string][]string // family → kinds of rows that its scanners see
	rows       int
	unreadable int
	sources    map[sourceKey]*sourceCount
	cuts       []cutCount
	kinds      map[string]*stopwatch
	any        map[anyKey]*Tally
}

type sourceKey struct {
	family string
	class  Class
	source string
	kind   string
}

type sourceCount struct {
	Tally
	watch stopwatch
}

type cutCount struct {
	attacks map[string]*Tally // by source
	benign  map[Class]*Tally
}

type anyKey struct {
	class Class
	kind  string
}

// New returns an empty card. Reach says, for each family, of which kinds of
// rows its scanners see the texts: on others they cannot be wrong.
func New(reach map[string][]string) *Card {
	c := &Card{
		reach: maps.Clone(reach), sources: map[sourceKey]*sourceCount{}, cuts: make([]cutCount, len(cuts)),
		kinds: map[string]*stopwatch{}, any: map[anyKey]*Tally{},
	}
	if c.reach == nil {
		c.reach = map[string][]string{}
	}
	c.reach[Sessions] = []string{Sessions}
	for i := range c.cuts {
		c.cuts[i] = cutCount{map[string]*Tally{}, map[Class]*Tally{}}
	}
	return c
}

// Unreadable counts a line that is no labelled row.
func (c *Card) Unreadable() { c.rows++; c.unreadable++ }

// Add counts a row.
func (c *Card) Add(r Row, o Outcome) error {
	c.rows++
	at(c.kinds, r.Kind).add(&o)
	if !r.Attack {
		at(c.any, anyKey{r.Class(), r.Kind}).add(o.any(), &o)
	}
	for _, family := range Families {
		if !c.concerns(family, &r) {
			continue
		}
		s := at(c.sources, sourceKey{family, r.Class(), r.source(), r.Kind})
		s.add(o.tier(family), &o)
		s.watch.add(&o)
		for i := range cuts {
			c.cuts[i].add(&cuts[i], family, &r, &o)
		}
	}
	if len(c.sources) > maxSources {
		return ErrSources
	}
	return nil
}

// concerns tells whether a row says something about the detectors of a family:
// an attack about its own, any other row about all that see it.
func (c *Card) concerns(family string, r *Row) bool {
	if r.Attack {
		return r.Family == family
	}
	return slices.Contains(c.reach[family], r.Kind)
}

func (n *cutCount) add(c *cut, family string, r *Row, o *Outcome) {
	switch {
	case c.family != family:
	case !r.Attack && (c.chats || r.Class() != Chat):
		at(n.benign, r.Class()).add(o.tier(family), o)
	case r.Attack && c.attack(r):
		at(n.attacks, r.group()).add(o.tier(family), o)
	}
}

// at is the value under a key, made when it is first asked for.
func at[K comparable, V any](m map[K]*V, k K) *V {
	v := m[k]
	if v == nil {
		v = new(V)
		m[k] = v
	}
	return v
}
