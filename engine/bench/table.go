package main

import "github.com/bartizan-mcp/bartizan/internal/benchtable"

// The table's words, which every row of this program is written in.
type (
	row     = benchtable.Row
	verdict = benchtable.Verdict
)

const (
	nothing = benchtable.NoTarget
	unknown = benchtable.Unknown
	missing = benchtable.Missing
)

var (
	judge    = benchtable.Judge
	atMost   = benchtable.AtMost
	atLeast  = benchtable.AtLeast
	absent   = benchtable.Absent
	duration = benchtable.Duration
)

// line is a row in the order in which it is read.
func line(what, figure, target string, met verdict, note string) row {
	return row{What: what, Figure: figure, Target: target, Met: met, Note: note}
}
