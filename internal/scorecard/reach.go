package scorecard

import (
	"fmt"

	"github.com/bartizan-mcp/bartizan/internal/benchtable"
)

// Reach holds what was measured to what the project promises on sources that
// took no part in training.
func (r *Report) Reach() []benchtable.Row {
	var rows []benchtable.Row
	for _, g := range goals {
		rows = append(rows, g.row(r))
	}
	return rows
}

// goal is a bound that one figure has to keep.
type goal struct {
	what   string
	figure func(*Report) (value float64, shown string, measured bool)
	bound  float64
	least  bool // the bound is a floor
	target string
}

func (g *goal) row(r *Report) benchtable.Row {
	value, shown, measured := g.figure(r)
	if !measured {
		return benchtable.Absent(g.what, g.target, "the corpus has no such rows")
	}
	met := benchtable.AtMost(value, g.bound)
	if g.least {
		met = benchtable.AtLeast(value, g.bound)
	}
	return benchtable.Row{What: g.what, Figure: shown, Target: g.target, Met: met}
}

var goals = []goal{
	atLeast("injection in English, aimed at agents", "F1", 0.70),
	atLeast("injection in English, aimed at agents", "recall", 0.55),
	atLeast("injection buried in results", "recall", 0.85),
	atLeast("injection", "F1", 0.45),
	atMost("injection", "result", Ordinary, 0.005),
	atMost("injection", "result", Hard, 0.03),
	atLeast("exfil without contact data", "F1", 0.82),
	atLeast("exfil without contact data", "precision", 0.93),
	atMost("exfil", "call", Ordinary, 0.002),
	atLeast("poisoning", "F1", 0.70),
	atLeast("poisoning", "recall", 0.60),
	atMost("poisoning", "listing", Ordinary, 0.003),
	blocked("poisoning", "listing", Ordinary, 0.001),
	atLeast("shadowing", "F1", 0.96),
	atMost("shadowing", "listing", Ordinary, 0),
	blocked("shadowing", "listing", Hard, 0),
	atLeast("sessions", "recall", 0.90),
	atMost(Sessions, Sessions, Ordinary, 0.02),
	{"ordinary rows flagged, any family", func(r *Report) (float64, string, bool) {
		for _, f := range r.FalseAlarms {
			if f.Class == Ordinary && f.Kind == "" {
				return f.FlagRate.exact(), f.String(), true
			}
		}
		return 0, "", false
	}, 0.01, false, "≤ 1 %"},
}

func atLeast(part, figure string, bound float64) goal {
	return goal{part + ", " + figure, func(r *Report) (float64, string, bool) {
		for _, p := range r.Parts {
			if p.Name != part || p.Attacks.Rows == 0 {
				continue
			}
			switch figure {
			case "recall":
				return p.Recall.exact(), p.Recall.ratio(), true
			case "precision":
				return p.Precision.exact(), p.Precision.ratio(), true
			}
			return p.F1, fmt.Sprintf("%.2f", p.F1), true
		}
		return 0, "", false
	}, bound, true, fmt.Sprintf("≥ %.2f", bound)}
}

func atMost(family, kind string, class Class, bound float64) goal {
	return goal{fmt.Sprintf("%s, %s %ss flagged", family, class, kind), func(r *Report) (float64, string, bool) {
		t := r.tally(family, kind, class)
		f := falseRate(&t)
		return f.FlagRate.exact(), f.String(), t.Rows > 0
	}, bound, false, percentTarget(bound)}
}

func blocked(family, kind string, class Class, bound float64) goal {
	return goal{fmt.Sprintf("%s, %s %ss blocked", family, class, kind), func(r *Report) (float64, string, bool) {
		t := r.tally(family, kind, class)
		rate := Share(t.Blocked, t.Rows)
		return rate.exact(), count(t.Blocked, t.Rows), t.Rows > 0
	}, bound, false, percentTarget(bound)}
}

func percentTarget(bound float64) string {
	if bound == 0 {
		return "none"
	}
	return fmt.Sprintf("≤ %.3g %%", 100*bound)
}

// tally is all rows of a kind and class, as a family's scanners see them.
func (r *Report) tally(family, kind string, class Class) (sum Tally) {
	for _, s := range r.Sources {
		if s.Family == family && s.Kind == kind && s.Class == class {
			sum.plus(s.Tally)
		}
	}
	return sum
}

// exact is a share before it is rounded.
func (r Rate) exact() float64 {
	if r.Of == 0 {
		return 0
	}
	return float64(r.Hits) / float64(r.Of)
}
