package main

import (
	"testing"

	"github.com/bartizan-mcp/bartizan/plugins/internal/cases"
)

func FuzzScan(f *testing.F) { cases.FuzzListing(f, scan) }
