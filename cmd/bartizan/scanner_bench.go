package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
)

// scannerBench is what `scanner bench` prints.
type scannerBench struct {
	Scanner struct {
		Name   string `json:"name"`
		Digest string `json:"digest"`
		Bytes  int64  `json:"bytes"`
	} `json:"scanner"`
	CompileMs float64         `json:"compileMs"` // once for a module: admission and native code
	InitMs    float64         `json:"initMs"`    // once for a module: its initialisation
	Rows      []benchRow      `json:"rows"`
	Failure   *engine.Failure `json:"failure"`
}

// benchRow is one message, examined again and again.
type benchRow struct {
	Phase    message.Phase `json:"phase"`
	Bytes    int           `json:"bytes"`  // of the message's texts
	Due      bool          `json:"due"`    // the trigger asks for it; otherwise it costs nothing in operation
	Calls    int           `json:"calls"`  // a long message is examined in parts
	Runs     int           `json:"runs"`   // how often it was measured
	CallUs   float64       `json:"callUs"` // median: input encoded, the guest's work, the answer read
	P99Us    float64       `json:"p99Us"`
	ResetUs  float64       `json:"resetUs"` // median: memory and globals put back
	Fuel     int64         `json:"fuel"`
	Memory   uint64        `json:"memoryBytes"`
	Findings int           `json:"findings"`
}

// A row is measured for benchTime, and benchLeast times at least.
const (
	benchTime  = 200 * time.Millisecond
	benchLeast = 5
)

// benchSizes are what tools take and answer: a short call, a page, a file.
var benchSizes = []int{512, 4 << 10, 64 << 10}

func newScannerBench() *cobra.Command {
	var phase, input string
	cmd := &cobra.Command{
		Use:   "bench X.wasm [--phase PHASE --input FILE]",
		Short: "Measure what a module costs: time, fuel, memory, compilation, reset",
		Long: "Examines clean messages of 0.5, 4 and 64 KB in each of the module's phases, or the\n" +
			"one in FILE (as `scanner run` reads it), one at a time on this machine. Times are\n" +
			"those of the scanner alone: what the host does once for all scanners is left out.\n" +
			"A message that the trigger does not ask for is measured too, and costs nothing in\n" +
			"operation. Fuel and memory are the same everywhere. Exit code 3 when it fails.",
		Example: "  bartizan scanner bench ticket.wasm\n  bartizan scanner bench ticket.wasm --phase result --input answer.json -o json",
		Args:    cobra.ExactArgs(1),
	}
	format := outputFlag(cmd, "table", "json")
	cmd.Flags().StringVar(&phase, "phase", "", "of FILE; alone: that one only")
	cmd.Flags().StringVar(&input, "input", "", "file with one message, or - for standard input")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch err := checkFormat(*format, "table", "json"); {
		case err != nil:
			return err
		case phase != "" && !message.Phase(phase).Valid():
			return usageError("unknown phase %q", phase)
		case input != "" && phase == "":
			return usageError("--input wants --phase")
		case args[0] == "-" && input == "-":
			return usageError("standard input cannot be both the module and the message")
		}
		m, err := readModule(cmd, args[0])
		if err != nil {
			return err
		}
		var given []*message.Message
		if input != "" {
			raw, err := readInput(cmd, input)
			if err != nil {
				return err
			}
			if given, err = readMessages(message.Phase(phase), "", raw); err != nil {
				return fmt.Errorf("%s: %w", input, err)
			}
		}
		b, err := benchScanner(cmd.Context(), m, message.Phase(phase), given)
		if err != nil {
			return err
		}
		if *format == "json" {
			err = printJSON(cmd.OutOrStdout(), b)
		} else {
			err = printBench(cmd, b)
		}
		if err == nil && b.Failure != nil {
			return &exitError{Code: exitPolicy}
		}
		return err
	}
	return cmd
}

// benchScanner compiles a module anew and measures it over the messages given,
// or over ones of its own. A module that fails ends the table where it failed.
func benchScanner(ctx context.Context, m module, only message.Phase, given []*message.Message) (scannerBench, error) {
	b := scannerBench{Rows: []benchRow{}}
	b.Scanner.Name, b.Scanner.Digest, b.Scanner.Bytes = m.name, m.digest, m.size
	e, err := engine.New(ctx, engine.Config{})
	if err != nil {
		return b, err
	}
	defer e.Close(ctx)
	began := time.Now()
	s, err := m.load(ctx, e, engine.Options{})
	if err != nil {
		b.Failure = &engine.Failure{Scanner: m.name, Kind: engine.FailureRefused, Detail: err.Error()}
		return b, nil
	}
	b.Scanner.Name = s.Manifest().Name
	b.CompileMs = float64(time.Since(began)) / 1e6
	began = time.Now()
	if err := s.Warm(ctx); err != nil {
		b.Failure = &engine.Failure{Scanner: s.Manifest().Name, Kind: engine.FailureTrap, Detail: err.Error()}
		return b, nil
	}
	b.InitMs = float64(time.Since(began)) / 1e6
	if given == nil {
		given = benchMessages(s.Manifest().Phases, only)
	}
	for _, message := range given {
		row, failure, err := benchMessage(ctx, s, message)
		if err != nil {
			return b, err
		}
		if failure != nil {
			b.Failure = failure
			break
		}
		b.Rows = append(b.Rows, row)
	}
	return b, nil
}

func benchMessage(ctx context.Context, s *engine.Scanner, m *message.Message) (benchRow, *engine.Failure, error) {
	row := benchRow{Phase: m.Phase}
	for _, segment := range m.Segments {
		row.Bytes += len(segment.Text)
	}
	var calls, resets []time.Duration
	until := time.Now().Add(benchTime)
	failure, err := s.Measure(ctx, m, func(c engine.Cost) bool {
		calls, resets = append(calls, c.Call), append(resets, c.Reset)
		row.Due, row.Calls, row.Fuel, row.Memory, row.Findings = c.Due, c.Calls, c.Fuel, c.Memory, c.Findings
		return len(calls) < benchLeast || time.Now().Before(until)
	})
	if failure != nil || err != nil {
		return row, failure, err
	}
	row.Runs = len(calls)
	row.CallUs, row.P99Us, row.ResetUs = quantileUs(calls, 0.5), quantileUs(calls, 0.99), quantileUs(resets, 0.5)
	return row, nil, nil
}

func quantileUs(d []time.Duration, q float64) float64 {
	slices.Sort(d)
	return float64(d[int(q*float64(len(d)-1))].Nanoseconds()) / 1e3
}

func printBench(cmd *cobra.Command, b scannerBench) error {
	out := cmd.OutOrStdout()
	if b.Failure == nil || b.Failure.Kind != engine.FailureRefused {
		fmt.Fprintf(out, "%s  %d bytes  compiled in %.0f ms, initialised in %.1f ms\n", printable(b.Scanner.Name), b.Scanner.Bytes, b.CompileMs, b.InitMs)
		var rows [][]string
		for _, r := range b.Rows {
			due := "yes"
			if !r.Due {
				due = "no"
			}
			rows = append(rows, []string{
				string(r.Phase), fmt.Sprint(r.Bytes), due, fmt.Sprintf("%.1f", r.CallUs), fmt.Sprintf("%.1f", r.P99Us),
				fmt.Sprintf("%.1f", r.ResetUs), fmt.Sprint(r.Fuel), fmt.Sprint(r.Memory >> 10), fmt.Sprint(r.Findings),
			})
		}
		if err := table(out, []string{"PHASE", "BYTES", "CALLED", "CALL µs", "P99 µs", "RESET µs", "FUEL", "MEMORY KiB", "FINDINGS"}, rows); err != nil {
			return err
		}
	}
	if b.Failure != nil {
		fmt.Fprintf(out, "failed: %s: %s\n", b.Failure.Kind, printable(b.Failure.Detail))
	}
	return nil
}
