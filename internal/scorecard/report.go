package scorecard

import (
	"cmp"
	"maps"
	"slices"
)

// Report is what a card says, as JSON has it. But for costs it is the same
// whatever the order of the rows and the machine.
type Report struct {
	Rows        int          `json:"rows"`
	Unreadable  int          `json:"unreadable"` // lines that are no labelled row
	Parts       []Part       `json:"parts"`
	FalseAlarms []FalseAlarm `json:"falseAlarms"`
	Sources     []Source     `json:"sources"`
	Costs       []KindCost   `json:"costs"`
}

// Part is a part of the corpus with figures of its own.
type Part struct {
	Name       string  `json:"name"`
	Family     string  `json:"family"`
	Attacks    Tally   `json:"attacks"`
	Recall     Rate    `json:"recall"`
	Precision  Rate    `json:"precision"`
	F1         float64 `json:"f1"`
	MeanRecall float64 `json:"meanRecallOfSources"`
	BlockRate  Rate    `json:"blockRate"`
	// False alarms of the family on rows that its scanners see, by class.
	Ordinary FalseRate `json:"ordinary"`
	Hard     FalseRate `json:"hardNegative"`
	Chat     FalseRate `json:"chatPrompt"`
}

// FalseRate is how often rows without an attack are flagged.
type FalseRate struct {
	Tally
	FlagRate  Rate `json:"flagRate"`
	BlockRate Rate `json:"blockRate"`
}

// FalseAlarm is how often rows of a class and kind are flagged by any family.
type FalseAlarm struct {
	Class Class  `json:"class"`
	Kind  string `json:"kind"` // "" for all but sessions
	FalseRate
}

// Source is the rows of one source, as one family's detectors see them.
type Source struct {
	Family string `json:"family"`
	Class  Class  `json:"class"`
	Source string `json:"source"`
	Kind   string `json:"kind"`
	Tally
	FlagRate Rate `json:"flagRate"` // recall of attacks, false alarms of others
	Cost     Cost `json:"cost"`
}

// KindCost is what rows of a kind cost, all scanners together.
type KindCost struct {
	Kind string `json:"kind"`
	Rows int    `json:"rows"`
	Cost Cost   `json:"cost"`
}

// Report says what was collected so far.
func (c *Card) Report() Report {
	r := Report{Rows: c.rows, Unreadable: c.unreadable, Parts: []Part{}, FalseAlarms: c.falseAlarms(), Sources: []Source{}, Costs: []KindCost{}}
	for i, cut := range cuts {
		r.Parts = append(r.Parts, c.cuts[i].part(cut))
	}
	for _, k := range slices.SortedFunc(maps.Keys(c.sources), sourceKey.compare) {
		s := c.sources[k]
		r.Sources = append(r.Sources, Source{k.family, k.class, k.source, k.kind, s.Tally, Share(s.Flagged, s.Rows), s.watch.cost()})
	}
	for _, kind := range kinds {
		if w := c.kinds[kind]; w != nil {
			r.Costs = append(r.Costs, KindCost{kind, w.row.total, w.cost()})
		}
	}
	return r
}

func (k sourceKey) compare(o sourceKey) int {
	return cmp.Or(
		cmp.Compare(slices.Index(Families, k.family), slices.Index(Families, o.family)),
		cmp.Compare(k.class.rank(), o.class.rank()), cmp.Compare(k.source, o.source), cmp.Compare(k.kind, o.kind))
}

func (n *cutCount) part(c cut) Part {
	p := Part{Name: c.name, Family: c.family}
	for _, t := range n.attacks {
		p.Attacks.plus(*t)
	}
	// In a fixed order: sums of floating point depend on it.
	for _, source := range slices.Sorted(maps.Keys(n.attacks)) {
		t := n.attacks[source]
		p.MeanRecall += float64(t.Flagged) / float64(t.Rows) / float64(len(n.attacks))
	}
	p.MeanRecall = rounded(p.MeanRecall)
	p.Ordinary, p.Hard, p.Chat = falseRate(n.benign[Ordinary]), falseRate(n.benign[Hard]), falseRate(n.benign[Chat])
	wrong := p.Ordinary.Flagged + p.Hard.Flagged + p.Chat.Flagged
	p.Recall, p.BlockRate = Share(p.Attacks.Flagged, p.Attacks.Rows), Share(p.Attacks.Blocked, p.Attacks.Rows)
	p.Precision = Share(p.Attacks.Flagged, p.Attacks.Flagged+wrong)
	if p.Attacks.Rows > 0 {
		p.F1 = rounded(2 * float64(p.Attacks.Flagged) / float64(p.Attacks.Rows+p.Attacks.Flagged+wrong))
	}
	return p
}

func falseRate(t *Tally) FalseRate {
	if t == nil {
		t = &Tally{}
	}
	return FalseRate{*t, Share(t.Flagged, t.Rows), Share(t.Blocked, t.Rows)}
}

func (c *Card) falseAlarms() []FalseAlarm {
	all := []FalseAlarm{}
	for _, class := range classes {
		var sum Tally
		var each []FalseAlarm
		for _, kind := range kinds {
			t := c.any[anyKey{class, kind}]
			if t == nil {
				continue
			}
			each = append(each, FalseAlarm{class, kind, falseRate(t)})
			if kind != Sessions {
				sum.plus(*t)
			}
		}
		if sum.Rows > 0 {
			all = append(all, FalseAlarm{class, "", falseRate(&sum)})
		}
		all = append(all, each...)
	}
	return all
}
