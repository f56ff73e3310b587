package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/sdk/tck"
)

// testConformance runs the conformance kit over a module. The texts of its cases
// are what it is most likely to find something in.
func testConformance(cmd *cobra.Command, cache string, m module, cases []scannerCase, format string) error {
	if m.size > int64(len(m.wasm)) {
		return policyError("%s: %w", m.name, m.tooLong())
	}
	texts, err := caseTexts(cases)
	if err != nil {
		return err
	}
	report, err := tck.RunWith(cmd.Context(), m.wasm, tck.Options{Texts: texts, CacheDir: cache})
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if format == "json" {
		err = printJSON(out, report)
	} else {
		err = printConformance(out, report)
	}
	if err == nil && !report.OK() {
		return &exitError{Code: exitPolicy}
	}
	return err
}

// caseTexts are the texts of all cases.
func caseTexts(cases []scannerCase) ([]string, error) {
	var texts []string
	for _, c := range cases {
		messages, err := readMessages(c.Phase, c.Server, c.Input)
		if err != nil {
			return nil, fmt.Errorf("case %q: %w", c.Name, err)
		}
		for _, m := range messages {
			for _, s := range m.Segments {
				texts = append(texts, s.Text)
			}
		}
	}
	return texts, nil
}

func printConformance(w io.Writer, r tck.Report) error {
	var rows [][]string
	passed := 0
	for _, p := range r.Points {
		what := p.Title
		if p.Detail != "" {
			what += ": " + p.Detail
		}
		if p.Outcome == tck.Pass {
			passed++
		}
		rows = append(rows, []string{p.ID, string(p.Outcome), what})
	}
	if err := table(w, []string{"POINT", "OUTCOME", "WHAT THE ABI DEMANDS"}, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d passed, %d failed, %d skipped\n", passed, len(r.Failed()), len(r.Skipped()))
	return err
}
