package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/sbom"
)

func newSBOMDiff() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff OLD.json NEW.json",
		Short: "Compare two SBOMs: components, licences, MCP entries, scopes, endpoint, completeness",
		Long:  "Exit code 3 when they differ.",
		Args:  cobra.ExactArgs(2),
	}
	format := outputFlag(cmd, "table", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		var docs [2]*sbom.Document
		for i, name := range args {
			body, err := readInput(cmd, name)
			if err != nil {
				return err
			}
			if docs[i], err = sbom.Decode(body); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		changes := sbom.Diff(docs[0], docs[1])
		var err error
		if *format == "json" {
			err = printJSON(cmd.OutOrStdout(), changes)
		} else {
			err = table(cmd.OutOrStdout(), []string{"CHANGE", "WHAT", "BEFORE", "AFTER"}, sbomRows(changes))
		}
		if err == nil && !changes.Empty() {
			return &exitError{Code: exitPolicy}
		}
		return err
	}
	return cmd
}

// sbomRows has a row for everything that differs, and for each way in which it does.
func sbomRows(c sbom.Changes) [][]string {
	var rows [][]string
	for _, p := range c.Added {
		rows = append(rows, []string{"added", packageName(p), "", p.Version})
	}
	for _, p := range c.Removed {
		rows = append(rows, []string{"removed", packageName(p), p.Version, ""})
	}
	for _, p := range c.Changed {
		rows = append(rows, componentRows(p.Before, p.After)...)
	}
	for _, e := range c.EntriesAdded {
		rows = append(rows, []string{"added", e.Kind + " " + e.Key, "", e.Fingerprint})
	}
	for _, e := range c.EntriesRemoved {
		rows = append(rows, []string{"removed", e.Kind + " " + e.Key, e.Fingerprint, ""})
	}
	for _, e := range c.EntriesChanged {
		rows = append(rows, entryRows(e.Before, e.After)...)
	}
	for _, s := range c.ScopesAdded {
		rows = append(rows, []string{"added", "scope", "", s})
	}
	for _, s := range c.ScopesRemoved {
		rows = append(rows, []string{"removed", "scope", s, ""})
	}
	if len(c.Endpoint) == 2 {
		rows = append(rows, endpointRows(c.Endpoint[0], c.Endpoint[1])...)
	}
	if len(c.Completeness) == 2 {
		x, y := c.Completeness[0], c.Completeness[1]
		rows = append(rows, []string{"changed", "completeness", x.Level, y.Level})
		rows = append(rows, lists("completeness: reason", x.Reasons, y.Reasons)...)
	}
	return rows
}

func packageName(p sbom.Component) string {
	if p.Purl != "" {
		return p.Purl
	}
	return p.Name
}

func componentRows(before, after sbom.Component) (rows [][]string) {
	what := packageName(after)
	if before.Version != after.Version {
		rows = append(rows, []string{"changed", what, before.Version, after.Version})
	}
	if before.Scope != after.Scope {
		rows = append(rows, []string{"changed", what + ": scope", before.Scope, after.Scope})
	}
	if !slices.Equal(before.Licenses, after.Licenses) {
		rows = append(rows, []string{"changed", what + ": licence", strings.Join(before.Licenses, ", "), strings.Join(after.Licenses, ", ")})
	}
	if before.Version == after.Version { // other bytes under one version
		rows = append(rows, lists(what+": hash", before.Hashes, after.Hashes)...)
	}
	return rows
}

func entryRows(before, after sbom.EntryView) (rows [][]string) {
	what := after.Kind + " " + after.Key
	switch {
	case before.Fingerprint != after.Fingerprint:
		rows = append(rows, []string{"changed", what, before.Fingerprint, after.Fingerprint})
	case before.Whole != after.Whole:
		rows = append(rows, []string{"changed", what + ": whole", before.Whole, after.Whole})
	}
	rows = append(rows, lists(what+": scope", before.Scopes, after.Scopes)...)
	rows = append(rows, lists(what+": data", before.Data, after.Data)...)
	return append(rows, lists(what+": era", before.Eras, after.Eras)...)
}

func endpointRows(before, after sbom.EndpointView) (rows [][]string) {
	one := func(what, x, y string) {
		if x != y {
			rows = append(rows, []string{"changed", what, x, y})
		}
	}
	word := func(b *bool) string {
		if b == nil {
			return ""
		}
		return fmt.Sprint(*b)
	}
	one("endpoint", before.Endpoint, after.Endpoint)
	one("transport", before.Transport, after.Transport)
	one("authenticated", word(before.Authenticated), word(after.Authenticated))
	one("leaves the trust boundary", word(before.LeavesTrust), word(after.LeavesTrust))
	rows = append(rows, lists("data", before.Data, after.Data)...)
	return append(rows, lists("tls", before.TLS, after.TLS)...)
}

// lists has a row for each element that is on one side only.
func lists(what string, before, after []string) (rows [][]string) {
	for _, s := range before {
		if !slices.Contains(after, s) {
			rows = append(rows, []string{"removed", what, s, ""})
		}
	}
	for _, s := range after {
		if !slices.Contains(before, s) {
			rows = append(rows, []string{"added", what, "", s})
		}
	}
	return rows
}
