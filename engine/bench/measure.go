package main

import "github.com/bartizan-mcp/bartizan/internal/benchtime"

// How every row of this program takes its times.
type arm = benchtime.Arm

var (
	interleave = benchtime.Interleave
	each       = benchtime.Each
	median     = benchtime.Median
	geomean    = benchtime.Geomean
	percentile = benchtime.Percentile
)
