package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// results are the metrics of the benchmarks inside the engine, by the name of
// the benchmark without its number of processors, and by unit.
type results map[string]map[string]float64

// readResults reads the output of go test -bench; no file is no results.
func readResults(file string) (results, error) {
	all := results{}
	if file == "" {
		return all, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for r := benchfmt.NewReader(f, file); r.Scan(); {
		b, ok := r.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		base, parts := b.Name.Parts()
		name := string(base)
		for _, p := range parts {
			if !strings.HasPrefix(string(p), "-") {
				name += string(p)
			}
		}
		units := map[string]float64{}
		for _, v := range b.Values {
			unit, value := v.Unit, v.Value
			if v.OrigUnit != "" {
				unit, value = v.OrigUnit, v.OrigValue
			}
			units[unit] = value
		}
		all[name] = units
	}
	return all, nil
}

// measured is a row of one metric inside the engine, in nanoseconds.
func (r results) measured(what, benchmark, unit string, bound float64, note string) row {
	target := ""
	if bound > 0 {
		target = "≤ " + duration(bound)
	}
	value, ok := r[benchmark][unit]
	if !ok {
		return absent(what, target, "Benchmark"+benchmark+" did not report "+unit)
	}
	verdict := nothing
	if bound > 0 {
		verdict = atMost(value, bound)
	}
	return line(what, duration(value), target, verdict, note)
}

func (r results) callRows() []row {
	return []row{
		r.measured("empty call, 0.5 KB copied in", "EmptyCall/enter", "ns/call", 150, "alloc and scan of an instance at hand"),
		r.measured("  with room, limits and reset", "EmptyCall/call", "ns/call", 0, "as the engine calls"),
		r.measured("reset, C guest", "Reset/c", "ns/reset", 20e3, r.identical("Reset/c")),
		r.measured("  of that the reset itself", "Reset/c", "ns/restore", 0, "the rest is what the next call is slower by"),
		r.measured("  new instance instead", "Reset/c", "ns/instance", 0, "instantiated and initialised"),
		r.measured("reset, Go guest", "Reset/go", "ns/reset", 30e3, r.identical("Reset/go")),
		r.measured("  of that the reset itself", "Reset/go", "ns/restore", 0, ""),
		r.measured("  new instance instead", "Reset/go", "ns/instance", 0, "instantiated and initialised"),
	}
}

// identical says what was compared after the resets of a benchmark.
func (r results) identical(benchmark string) string {
	u := r[benchmark]
	return fmt.Sprintf("%.0f pages written a call; %.0f comparisons of %.0f KB, all bit-identical", u["pages/call"], u["comparisons"], u["KB"])
}

func (all results) hostileRows() []row {
	admission := all["Hostile/admission"]
	rows := []row{
		all.worst("hostile module, worst return after its deadline", "Hostile/", "overrun-ns", 5e6,
			fmt.Sprintf("of %.0f modules that were admitted", admission["admitted"])),
		all.measured("  longest admission", "Hostile/admission", "longest-ns", 0, fmt.Sprintf("compilation included; %.0f were refused", admission["refused"])),
		all.worst("worst time between two yields", "BetweenYields/", "median-ns", 0.5e6, "longest in a run of 20 ms, median of the runs of each guest made for it"),
		all.worst("  in the worst of all runs", "BetweenYields/", "worst-ns", 0, "the machine's own pauses included"),
	}
	for _, beside := range []struct{ what, name string }{
		{"runtime.GC() while a guest loops", "GCWait/sandbox"},
		{"  while a goroutine loops instead", "GCWait/go"},
		{"  while the guest loops in bare wazero", "GCWait/wazero"},
		{"  while nothing runs", "GCWait/idle"},
	} {
		r := all.measured(beside.what, beside.name, "median-ns", 0, "")
		if r.Figure != missing {
			r.Note = "median; worst " + duration(all[beside.name]["worst-ns"])
		}
		rows = append(rows, r)
	}
	return rows
}

// worst is a row of the highest of what the benchmarks below a name report.
func (r results) worst(what, below, unit string, bound float64, note string) row {
	type one struct {
		name  string
		value float64
	}
	var all []one
	for name, units := range r {
		if v, ok := units[unit]; ok && strings.HasPrefix(name, below) {
			all = append(all, one{strings.TrimPrefix(name, below), v})
		}
	}
	target, verdict := "", nothing
	if bound > 0 {
		target, verdict = "≤ "+duration(bound), unknown
	}
	if len(all) == 0 {
		return line(what, missing, target, verdict, "no Benchmark"+below+" reported "+unit)
	}
	slices.SortFunc(all, func(a, b one) int { return cmp.Or(cmp.Compare(b.value, a.value), strings.Compare(a.name, b.name)) })
	note += ":"
	for _, o := range all[:min(4, len(all))] {
		note += fmt.Sprintf(" %s %s,", o.name, duration(o.value))
	}
	if bound > 0 {
		verdict = atMost(all[0].value, bound)
	}
	return line(what, duration(all[0].value), target, verdict, strings.TrimSuffix(note, ","))
}
