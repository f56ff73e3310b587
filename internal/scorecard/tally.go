package scorecard

import (
	"math"
	"time"
)

// Tier is what follows from what was found.
type Tier uint8

// Tiers, rising. What is only logged counts as passed.
const (
	Passed Tier = iota
	Flagged
	Blocked
)

// Outcome is what the scanners said about one row.
type Outcome struct {
	Found      map[string]Tier // by family of the findings
	Failed     bool            // a scanner gave no answer
	Unexamined bool            // some of the row was not looked at
	Bytes      int             // of the row
	Elapsed    time.Duration   // from the row to the verdict
}

// tier is the highest of a family's findings; of any family's for a session.
func (o *Outcome) tier(family string) Tier {
	if family != Sessions {
		return o.Found[family]
	}
	return o.any()
}

func (o *Outcome) any() Tier {
	top := Passed
	for _, t := range o.Found {
		top = max(top, t)
	}
	return top
}

// Tally counts rows. A failure is never a detection.
type Tally struct {
	Rows       int `json:"rows"`
	Flagged    int `json:"flagged"` // action flag and above
	Blocked    int `json:"blocked"` // of these, action block
	Failed     int `json:"failed"`
	Unexamined int `json:"unexamined"`
}

func (t *Tally) add(tier Tier, o *Outcome) {
	t.Rows++
	for _, c := range []struct {
		yes bool
		n   *int
	}{{tier >= Flagged, &t.Flagged}, {tier >= Blocked, &t.Blocked}, {o.Failed, &t.Failed}, {o.Unexamined, &t.Unexamined}} {
		if c.yes {
			*c.n++
		}
	}
}

func (t *Tally) plus(u Tally) {
	t.Rows += u.Rows
	t.Flagged += u.Flagged
	t.Blocked += u.Blocked
	t.Failed += u.Failed
	t.Unexamined += u.Unexamined
}

// Rate is a share with the interval in which it lies with 95 % confidence, as far
// as rows are independent of one another. Rows of one source are not: for
// sources that nobody has seen the truth lies wider.
type Rate struct {
	Hits  int     `json:"hits"`
	Of    int     `json:"of"`
	Share float64 `json:"share"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// normal95 is the two-sided 95 % quantile of the normal distribution.
const normal95 = 1.959963984540054

// Share returns hits out of of with Wilson's score interval (E. B. Wilson,
// "Probable inference", JASA 22, 1927). Of nothing, nothing is known.
func Share(hits, of int) Rate {
	if of == 0 {
		return Rate{High: 1}
	}
	n, p := float64(of), float64(hits)/float64(of)
	z2 := normal95 * normal95
	mid := (p + z2/(2*n)) / (1 + z2/n)
	half := normal95 / (1 + z2/n) * math.Sqrt(p*(1-p)/n+z2/(4*n*n))
	return Rate{Hits: hits, Of: of, Share: rounded(p), Low: rounded(max(0, mid-half)), High: rounded(min(1, mid+half))}
}

// rounded keeps a figure to what is worth printing, and the same on every
// processor.
func rounded(x float64) float64 { return math.Round(x*1e4) / 1e4 }
