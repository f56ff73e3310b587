package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/admission"
)

// outputFlag adds -o with the formats that a command can print.
func outputFlag(cmd *cobra.Command, formats ...string) *string {
	return cmd.Flags().StringP("output", "o", formats[0], "output format: "+strings.Join(formats, ", "))
}

func checkFormat(format string, formats ...string) error {
	for _, f := range formats {
		if f == format {
			return nil
		}
	}
	return usageError("-o %s: one of %s", format, strings.Join(formats, ", "))
}

// printJSON writes one indented JSON value and a newline.
func printJSON(w io.Writer, v any) error {
	body, err := json.Marshal(v, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	return writeJSON(w, body)
}

// writeJSON writes a value so that it is the same to a program and harmless to a
// terminal: names and texts of servers stand in it.
func writeJSON(w io.Writer, body []byte) error {
	_, err := fmt.Fprintf(w, "%s\n", admission.VisibleJSON(string(body)))
	return err
}

// printLine writes one JSON value on one line.
func printLine(w io.Writer, v any) error {
	body, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return err
	}
	return writeJSON(w, body)
}

// table prints rows under a header. Every cell is made safe for a terminal:
// names and texts of servers are other people's words.
func table(w io.Writer, header []string, rows [][]string) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, strings.Join(header, "\t"))
	for _, row := range rows {
		for i := range row {
			row[i] = admission.Visible(row[i])
		}
		fmt.Fprintln(tw, strings.Join(row, "\t"))
	}
	return tw.Flush()
}

// printable is admission.Visible line by line: messages may span lines, and
// nothing else in them may move a terminal's cursor or hide.
func printable(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = admission.Visible(lines[i])
	}
	return strings.Join(lines, "\n")
}
