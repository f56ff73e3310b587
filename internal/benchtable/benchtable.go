// Package benchtable writes what benchmarks measured as Markdown tables of
// figures and targets, and puts them into documents. It measures nothing.
package benchtable

import (
	"fmt"
	"io"
	"strings"
)

// Row is one line of a table. A row without a target is there to be compared
// with the row above it.
type Row struct {
	What   string
	Figure string
	Target string
	Met    Verdict
	Note   string
}

// Verdict says whether a row's target is met.
type Verdict string

// Verdicts of a row.
const (
	Met      Verdict = "yes"
	Missed   Verdict = "**no**"
	Unknown  Verdict = "?"
	NoTarget Verdict = ""
)

// Judge turns an answer into a verdict.
func Judge(ok bool) Verdict {
	if ok {
		return Met
	}
	return Missed
}

// AtMost holds a figure to an upper bound, both in the same unit.
func AtMost(figure, bound float64) Verdict { return Judge(figure <= bound) }

// AtLeast holds a figure to a lower bound.
func AtLeast(figure, bound float64) Verdict { return Judge(figure >= bound) }

// Missing is the figure of a row that was not measured.
const Missing = "not measured"

// Absent is the row of what could not be measured here.
func Absent(what, target, why string) Row {
	r := Row{What: what, Figure: Missing, Target: target, Note: why}
	if target != "" {
		r.Met = Unknown
	}
	return r
}

// Score says how many targets are met; one that was not measured is not.
func Score(rows []Row) string {
	met, all := 0, 0
	for _, r := range rows {
		if r.Met == Met {
			met++
		}
		if r.Met != NoTarget {
			all++
		}
	}
	return fmt.Sprintf("%d of %d targets met", met, all)
}

// Print writes the rows as Markdown, padded so that it reads as plain text.
func Print(w io.Writer, rows []Row) {
	cells := [][]string{{"what", "figure", "target", "met", "note"}}
	for _, r := range rows {
		cells = append(cells, []string{r.What, r.Figure, r.Target, string(r.Met), r.Note})
	}
	Grid(w, cells)
}

// Grid writes lines of cells, of which the first is the header, in the same way.
func Grid(w io.Writer, cells [][]string) {
	width := make([]int, len(cells[0]))
	for _, line := range cells {
		for i, c := range line {
			width[i] = max(width[i], len([]rune(c)))
		}
	}
	for n, line := range cells {
		for i, c := range line {
			fmt.Fprintf(w, "| %s%s ", c, strings.Repeat(" ", width[i]-len([]rune(c))))
		}
		fmt.Fprintln(w, "|")
		if n == 0 {
			for i := range line {
				fmt.Fprintf(w, "|%s", strings.Repeat("-", width[i]+2))
			}
			fmt.Fprintln(w, "|")
		}
	}
}

// Duration writes nanoseconds in the unit that a reader expects.
func Duration(ns float64) string {
	switch {
	case ns < 1e3:
		return fmt.Sprintf("%.3g ns", ns)
	case ns < 1e6:
		return fmt.Sprintf("%.3g µs", ns/1e3)
	case ns < 1e9:
		return fmt.Sprintf("%.3g ms", ns/1e6)
	}
	return fmt.Sprintf("%.3g s", ns/1e9)
}
