package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/scorecard"
)

// noCorpus is said where there is nothing to measure on: labelled rows are other
// people's words and not part of the program.
const noCorpus = "no corpus to measure on: give --corpus PATH (a .jsonl file or a folder of them) or set BARTIZAN_CORPORA"

func newEval() *cobra.Command {
	var corpus []string
	var listings string
	var leaveOneOut bool
	cmd := &cobra.Command{
		Use:   "eval --corpus PATH...",
		Short: "Measure the scanners on labelled rows",
		Long: "Scans every labelled row as `bartizan scan --jsonl` does and prints, by family\n" +
			"and source, recall, precision, F1 and false alarms with 95 % intervals, and what\n" +
			"a row costs. A row is detected when a finding of its family has the action flag\n" +
			"or a higher one. Rows and their labels: docs/detection.md.",
		Example: "  bartizan eval --corpus rows.jsonl\n  bartizan eval --corpus corpora -o json\n  bartizan eval --corpus corpora --leave-one-out",
		Args:    cobra.ArbitraryArgs,
	}
	format := outputFlag(cmd, "table", "json")
	cmd.Flags().StringArrayVar(&corpus, "corpus", nil, "file of rows or folder of such files; more may follow as arguments (default BARTIZAN_CORPORA)")
	cmd.Flags().BoolVar(&leaveOneOut, "leave-one-out", false, "measure each source with weights that were trained without it")
	cmd.Flags().StringVar(&listings, "listings", "", "folder of captures of real servers: findings in them are counted")
	cache := cacheFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		paths := append(corpus, args...)
		if env := os.Getenv("BARTIZAN_CORPORA"); len(paths) == 0 && env != "" {
			paths = []string{env}
		}
		if len(paths) == 0 {
			return usageError(noCorpus)
		}
		files, err := corpusFiles(paths)
		if err != nil {
			return err
		}
		e, err := newEvaluation(*cache, cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		if leaveOneOut {
			err = e.leftOut(cmd.Context(), files)
		} else {
			err = e.asShipped(cmd.Context(), files)
		}
		if err == nil && listings != "" {
			err = e.scanListings(cmd.Context(), listings)
		}
		if err != nil {
			return err
		}
		return printEval(cmd, e.document(), *format)
	}
	return cmd
}

func printEval(cmd *cobra.Command, d scorecard.Document, format string) error {
	out := cmd.OutOrStdout()
	if format == "json" {
		return printJSON(out, d)
	}
	tables := append(d.Tables(), d.CostTable())
	if len(d.Listings) > 0 {
		tables = append(tables, d.ListingTable())
	}
	for _, t := range tables {
		fmt.Fprintln(out, t.Title)
		if err := table(out, t.Header, t.Rows); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	_, err := fmt.Fprintf(out, "%d lines, %d of them no labelled row\n", d.Rows, d.Unreadable)
	return err
}
