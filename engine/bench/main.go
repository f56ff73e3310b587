// Command bench prints what the engine costs as one table of ratios, each measured
// beside its reference in the same run: other modules, other hosts, the same
// code without what the engine adds.
//
// It is a module of its own, so that what it compares with stays out of the
// product's dependencies. Guests come from guest/ (make -C guest); rows whose
// guests were not built say so. Figures of what the engine does not show to its
// callers come from benchmarks inside it, whose output is read with -engine.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/benchtable"
)

// mark names the place of the table in a document.
const mark = "table of make bench"

func main() {
	results := flag.String("engine", "", "output of `go test -bench` of the engine, for the rows that it measures")
	only := flag.String("only", "", "measure only sections whose name holds this")
	into := flag.String("into", "", "also put the table into this document, between its marks")
	modules := flag.String("modules", "", "measure instead the modules in this folder, one for each language of an SDK")
	flag.Parse()
	if *modules != "" {
		if err := printLanguages(context.Background(), *modules, *into); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	inside, err := readResults(*results)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	began := time.Now()
	var rows []row
	for _, s := range sections(inside) {
		if !strings.Contains(s.name, *only) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%4.0f s  %s\n", time.Since(began).Seconds(), s.name)
		measured, err := s.run(context.Background())
		rows = append(rows, measured...)
		if err != nil {
			rows = append(rows, absent(s.name, "its targets", err.Error()))
		}
	}
	var report strings.Builder
	fmt.Fprintf(&report, "%s; guests by %s and %s.\n\n", benchtable.Machine(), toolchain("c"), toolchain("rust"))
	benchtable.Print(&report, rows)
	fmt.Fprintf(&report, "\n%s.\n", benchtable.Score(rows))
	fmt.Print(report.String())
	if *into != "" {
		if err := benchtable.Insert(*into, mark, report.String()); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
	}
}

// section is a group of rows that are measured together.
type section struct {
	name string
	run  func(context.Context) ([]row, error)
}

func sections(inside results) []section {
	one := func(f func(context.Context) (row, error)) func(context.Context) ([]row, error) {
		return func(ctx context.Context) ([]row, error) {
			r, err := f(ctx)
			if err != nil {
				return nil, err
			}
			return []row{r}, nil
		}
	}
	return []section{
		{"call", func(context.Context) ([]row, error) { return inside.callRows(), nil }},
		{"automaton", func(context.Context) ([]row, error) { return automatonRows() }},
		{"metering", func(ctx context.Context) ([]row, error) { return meteringRows(ctx), nil }},
		{"pipeline", pipelineRows},
		{"shipped scanners", firstPartyRows},
		{"listing", one(listingRow)},
		{"hostile", func(context.Context) ([]row, error) { return inside.hostileRows(), nil }},
		{"extism", extismRows},
		{"workers", one(workersRow)},
		{"native", nativeRows},
	}
}
