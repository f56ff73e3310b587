package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/cmd/internal/scanners"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
)

// scanned is a verdict as `scan` prints it.
type scanned struct {
	ID         *string          `json:"id,omitzero"` // of a row
	Action     engine.Action    `json:"action"`
	Findings   []engine.Finding `json:"findings"`
	Failures   []engine.Failure `json:"failures"`
	Unexamined bool             `json:"unexamined"`
}

// add merges a verdict in: the highest action wins.
func (s *scanned) add(v engine.Verdict) {
	if s.Action == "" || s.Action.Less(v.Action) {
		s.Action = v.Action
	}
	s.Findings = append(s.Findings, v.Findings...)
	s.Failures = append(s.Failures, v.Failures...)
	s.Unexamined = s.Unexamined || v.Unexamined
}

func newScan() *cobra.Command {
	var rows, phase, server string
	var extra []string
	cmd := &cobra.Command{
		Use:   "scan [FILE|-]",
		Short: "Run every scanner over a listing, a call or a result",
		Long: "FILE is a capture, a tools/list response, one tool, a JSON-RPC request or a\n" +
			"JSON-RPC response. Exit code 3 from the action flag upwards. With --jsonl every\n" +
			"line is a labelled row and the exit code says only whether all were processed.",
		Example: "  bartizan scan listing.json\n  bartizan scan --jsonl rows.jsonl -o jsonl",
		Args:    cobra.MaximumNArgs(1),
	}
	format := outputFlag(cmd, "table", "json", "jsonl", "sarif")
	cmd.Flags().StringVar(&rows, "jsonl", "", "file of rows, one JSON object a line")
	cmd.Flags().StringVar(&phase, "phase", "", "listing, request, result, prompt or resource (default: by shape)")
	cmd.Flags().StringVar(&server, "server", "", "name of the server that the document is about")
	cmd.Flags().StringSliceVar(&extra, "scanner", nil, "further scanner modules, with a manifest")
	cache := cacheFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "table", "json", "jsonl", "sarif"); err != nil {
			return err
		}
		if (rows == "") == (len(args) == 0) {
			return usageError("either a document or --jsonl FILE")
		}
		if phase != "" && !message.Phase(phase).Valid() {
			return usageError("unknown phase %q", phase)
		}
		if rows != "" && cmd.Flags().Changed("output") && *format != "jsonl" {
			return usageError("-o %s: rows are answered as jsonl", *format)
		}
		chosen := config.Scanners{Extra: extra}
		loaded, err := scanners.Load(cmd.Context(), *cache, chosen, scanners.Unverified)
		if err != nil {
			return err
		}
		defer loaded.Close(cmd.Context())
		if rows != "" {
			return scanRows(cmd, loaded.Live, rows)
		}
		document, err := scanOne(cmd, loaded.Live, args[0], message.Phase(phase), server)
		if err != nil {
			return err
		}
		return document.print(cmd, chosen, *format)
	}
	return cmd
}

// document is a file and what was found in it.
type document struct {
	name string
	raw  []byte
	scanned
}

func scanOne(cmd *cobra.Command, set *engine.Live, name string, phase message.Phase, server string) (*document, error) {
	raw, err := readInput(cmd, name)
	if err != nil {
		return nil, err
	}
	if phase == "" {
		phase = phaseOf(raw)
	}
	messages, err := readMessages(phase, server, raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	result := scanned{Action: engine.ActionAllow, Findings: []engine.Finding{}, Failures: []engine.Failure{}}
	for _, m := range messages {
		result.add(set.Scan(cmd.Context(), m))
	}
	return &document{name, raw, result}, nil
}

// print writes the verdict, and returns it as an error from flag upwards.
func (d *document) print(cmd *cobra.Command, chosen config.Scanners, format string) error {
	var err error
	out := cmd.OutOrStdout()
	switch format {
	case "json":
		err = printJSON(out, d.scanned)
	case "jsonl":
		err = printLine(out, d.scanned)
	case "sarif":
		var bound []scanners.Bound
		if bound, err = scanners.Configured(chosen, scanners.Unverified); err == nil {
			err = printJSON(out, sarifLog(d.name, d.raw, d.scanned, bound))
		}
	default:
		err = d.table(out)
	}
	if err != nil || d.Action.Less(engine.ActionFlag) {
		return err
	}
	return &exitError{Code: exitPolicy}
}

func (s *scanned) table(out io.Writer) error {
	var rows [][]string
	for _, f := range s.Findings {
		rows = append(rows, []string{string(f.Action), string(f.Severity), f.Rule, f.Pointer, f.Message})
	}
	for _, f := range s.Failures {
		rows = append(rows, []string{"failure", f.Kind, f.Scanner, "", f.Detail})
	}
	if err := table(out, []string{"ACTION", "SEVERITY", "RULE", "POINTER", "MESSAGE"}, rows); err != nil {
		return err
	}
	if s.Unexamined {
		fmt.Fprintln(out, notExamined)
	}
	_, err := fmt.Fprintf(out, "verdict: %s\n", s.Action)
	return err
}

// notExamined explains a verdict for which there may be no finding.
const notExamined = "part of the message was not examined"
