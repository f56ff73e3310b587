package main

import (
	"fmt"
	"io"
	"strings"
)

// row is one line of the table. A row without a target is there to be compared
// with the row above it.
type row struct {
	what   string
	figure string
	target string
	met    verdict
	note   string
}

type verdict string

const (
	met     verdict = "yes"
	missed  verdict = "**no**"
	unknown verdict = "?"
	nothing verdict = "" // the row has no target
)

func judge(ok bool) verdict {
	if ok {
		return met
	}
	return missed
}

// atMost holds a figure to an upper bound, both in the same unit.
func atMost(figure, bound float64) verdict { return judge(figure <= bound) }

// atLeast holds a figure to a lower bound.
func atLeast(figure, bound float64) verdict { return judge(figure >= bound) }

// missing is the figure of a row that was not measured.
const missing = "not measured"

// absent is the row of what could not be measured here.
func absent(what, target, why string) row {
	r := row{what: what, figure: missing, target: target, note: why}
	if target != "" {
		r.met = unknown
	}
	return r
}

// printTable writes the rows as Markdown, padded so that it reads as plain text.
func printTable(w io.Writer, rows []row) {
	cells := [][]string{{"what", "figure", "target", "met", "note"}}
	for _, r := range rows {
		cells = append(cells, []string{r.what, r.figure, r.target, string(r.met), r.note})
	}
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

// duration writes nanoseconds in the unit that a reader expects.
func duration(ns float64) string {
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
