package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/engine"
)

func newScannerInspect() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "inspect X.wasm",
		Short:   "Show a module's manifest, caps, exports, imports and what stands in its way",
		Long:    "Exit code 3 when the module would not load.",
		Example: "  bartizan scanner inspect ticket.wasm",
		Args:    cobra.ExactArgs(1),
	}
	format := outputFlag(cmd, "json", "table")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "json", "table"); err != nil {
			return err
		}
		m, err := readModule(cmd, args[0])
		if err != nil {
			return err
		}
		seen := m.inspect()
		if *format == "json" {
			err = printJSON(cmd.OutOrStdout(), seen)
		} else {
			err = printInspection(cmd, seen)
		}
		if err == nil && len(seen.Problems) > 0 {
			return &exitError{Code: exitPolicy}
		}
		return err
	}
	return cmd
}

// printInspection prints a module as a table: what it is, what it may cost, how
// it is reached, what is done to it, and what stands in its way.
func printInspection(cmd *cobra.Command, seen engine.Inspection) error {
	var rows [][]string
	row := func(what, format string, args ...any) {
		rows = append(rows, []string{what, fmt.Sprintf(format, args...)})
	}
	row("digest", "%s", seen.Digest)
	row("size", "%d bytes", seen.Bytes)
	if seen.Manifest == nil {
		row("manifest", "none that is valid; only scanner run takes the module")
	} else {
		inspectedManifest(row, seen.Manifest)
	}
	if m := seen.Memory; m != nil && m.Max != nil {
		row("memory", "%d KiB at first, %d at most", m.Min>>10, *m.Max>>10)
	} else if m != nil {
		row("memory", "%d KiB at first", m.Min>>10)
	}
	c := seen.Caps
	row("caps", "%d KiB of memory, %d units of fuel and %d for each byte, %d ms", c.MemoryBytes>>10, c.Fuel, c.FuelPerByte, c.DeadlineMs)
	row("caps", "%d findings, %d bytes of answer", c.Findings, c.OutputBytes)
	for _, e := range seen.Exports {
		row("export", "%s", e)
	}
	for _, i := range seen.Imports {
		row("import", "%s", i)
	}
	if in := seen.Injected; in != nil {
		row("injected", "%d functions; %d bytes are compiled", in.Functions, in.Bytes)
		row("injected", "imports %s", strings.Join(in.Imports, ", "))
		row("injected", "exports %s", strings.Join(in.Exports, ", "))
	}
	for _, p := range seen.Problems {
		row("problem", "%s", p)
	}
	return table(cmd.OutOrStdout(), []string{"WHAT", "VALUE"}, rows)
}

func inspectedManifest(row func(what, format string, args ...any), m *engine.Manifest) {
	row("name", "%s %s", m.Name, m.Version)
	row("phases", "%s", strings.Trim(fmt.Sprint(m.Phases), "[]"))
	row("called", "%s, as a %s, in %s", m.Call, m.Form, m.Encoding)
	if len(m.Patterns) > 0 {
		row("patterns", "%d", len(m.Patterns))
	}
	for _, r := range m.Rules {
		row("rule", "%s (%s, %s)", r.ID, r.Severity, r.Family)
	}
}
