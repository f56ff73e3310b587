package scorecard

import (
	"fmt"
	"strconv"
	"strings"
)

// Table is a piece of a report for people to read.
type Table struct {
	Title  string
	Header []string
	Rows   [][]string
}

// Tables are the parts of a report without what depends on the machine.
func (r *Report) Tables() []Table { return []Table{r.parts(), r.falseAlarms(), r.sources()} }

func (r *Report) parts() Table {
	t := Table{Title: "Families", Header: []string{
		"family", "attacks", "recall", "precision", "F1", "mean recall of sources", "blocked",
		"ordinary rows flagged", "hard negatives flagged", "chat prompts flagged"}}
	for _, p := range r.Parts {
		if p.Attacks.Rows == 0 {
			continue
		}
		t.Rows = append(t.Rows, []string{p.Name, strconv.Itoa(p.Attacks.Rows), p.Recall.ratio(), p.Precision.ratio(),
			fmt.Sprintf("%.2f", p.F1), fmt.Sprintf("%.2f", p.MeanRecall), p.BlockRate.percent(),
			p.Ordinary.String(), p.Hard.String(), p.Chat.String()})
	}
	return t
}

func (r *Report) falseAlarms() Table {
	t := Table{Title: "Rows without an attack, all families together", Header: []string{"class", "kind", "rows", "flagged", "95 %", "blocked"}}
	for _, f := range r.FalseAlarms {
		kind := f.Kind
		if kind == "" {
			kind = "all but sessions"
		}
		t.Rows = append(t.Rows, []string{string(f.Class), kind, strconv.Itoa(f.Rows), count(f.Flagged, f.Rows), f.FlagRate.interval(), count(f.Blocked, f.Rows)})
	}
	return t
}

func (r *Report) sources() Table {
	t := Table{Title: "Sources", Header: []string{"family", "class", "source", "kind", "rows", "flagged", "95 %", "blocked", "failed", "unexamined"}}
	for _, s := range r.Sources {
		t.Rows = append(t.Rows, []string{s.Family, string(s.Class), s.Source, s.Kind, strconv.Itoa(s.Rows),
			count(s.Flagged, s.Rows), s.FlagRate.interval(), strconv.Itoa(s.Blocked), strconv.Itoa(s.Failed), strconv.Itoa(s.Unexamined)})
	}
	return t
}

// CostTable is what rows cost on the machine at hand.
func (r *Report) CostTable() Table {
	t := Table{Title: "Cost, all scanners together", Header: []string{"kind", "rows", "p50", "p99", "p50 per 4 KB", "p99 per 4 KB"}}
	for _, k := range r.Costs {
		t.Rows = append(t.Rows, []string{k.Kind, strconv.Itoa(k.Rows), k.Cost.P50.String(), k.Cost.P99.String(), k.Cost.P50Per4.String(), k.Cost.P99Per4.String()})
	}
	return t
}

func (m Micros) String() string {
	if m < 1000 {
		return fmt.Sprintf("%.3g µs", float64(m))
	}
	return fmt.Sprintf("%.3g ms", float64(m)/1000)
}

// ratio is a share as .xx with its interval.
func (r Rate) ratio() string {
	if r.Of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f [%.2f, %.2f]", r.Share, r.Low, r.High)
}

func (r Rate) percent() string {
	if r.Of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*r.Share)
}

func (r Rate) interval() string {
	return fmt.Sprintf("%.1f-%.1f %%", 100*r.Low, 100*r.High)
}

func (f FalseRate) String() string {
	if f.Rows == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f %% (%d of %d; up to %.2f %%)", 100*f.FlagRate.Share, f.Flagged, f.Rows, 100*f.FlagRate.High)
}

func count(n, of int) string {
	return fmt.Sprintf("%d (%.1f %%)", n, 100*float64(n)/float64(max(of, 1)))
}

// Markdown writes a table as such. Names of sources are other people's words:
// what would end a cell or begin a tag is written as an entity.
func (t Table) Markdown() string {
	var b strings.Builder
	line := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + escape.Replace(c) + " ")
		}
		b.WriteString("|\n")
	}
	if t.Title != "" {
		fmt.Fprintf(&b, "### %s\n\n", t.Title)
	}
	line(t.Header)
	b.WriteString(strings.Repeat("|---", len(t.Header)) + "|\n")
	for _, row := range t.Rows {
		line(row)
	}
	return b.String()
}

var escape = strings.NewReplacer("|", "&#124;", "<", "&lt;", "&", "&amp;", "\n", " ", "\r", " ")
