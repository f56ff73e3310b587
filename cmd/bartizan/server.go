package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/admission"
	"github.com/bartizan-mcp/bartizan/internal/registryapi"
	"github.com/bartizan-mcp/bartizan/registry/client"
)

func newServer() *cobra.Command {
	cmd := &cobra.Command{Use: "server", Short: "List, show, compare, quarantine and release servers", Args: cobra.NoArgs}
	cmd.AddCommand(newServerList(), newServerShow(), newServerDiff(),
		newServerMove("quarantine", "Take a version out of circulation", (*client.Client).Quarantine),
		newServerMove("release", "Let a quarantined version go on", (*client.Client).Release))
	return cmd
}

func newServerList() *cobra.Command {
	var states []string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List server versions",
		Example: "  bartizan server list --state quarantined",
		Args:    cobra.NoArgs,
	}
	format := outputFlag(cmd, "table", "json")
	connect := registryFlags(cmd)
	cmd.Flags().StringSliceVar(&states, "state", nil, "received, in_review, quarantined, approved or rejected")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		c, err := connect()
		if err != nil {
			return err
		}
		versions, err := c.Versions(cmd.Context(), statesOf(states)...)
		if err != nil {
			return err
		}
		if *format == "json" {
			return printJSON(cmd.OutOrStdout(), versions)
		}
		var rows [][]string
		for _, v := range versions {
			rows = append(rows, []string{v.Name, v.Version, stateOf(v), v.Alias, v.Publisher, v.Review})
		}
		return table(cmd.OutOrStdout(), []string{"NAME", "VERSION", "STATE", "ALIAS", "PUBLISHER", "REVIEW"}, rows)
	}
	return cmd
}

func statesOf(names []string) []admission.State {
	var states []admission.State
	for _, n := range names {
		states = append(states, admission.State(n))
	}
	return states
}

func stateOf(v admission.Version) string {
	state := string(v.State)
	if v.Drifted {
		state += ", drifted"
	}
	return state
}

func newServerShow() *cobra.Command {
	cmd := &cobra.Command{Use: "show NAME[@VERSION]", Short: "Show one server version", Args: cobra.ExactArgs(1)}
	format := outputFlag(cmd, "table", "json")
	connect := registryFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		c, err := connect()
		if err != nil {
			return err
		}
		v, err := findVersion(cmd.Context(), c, args[0])
		if err != nil {
			return err
		}
		return printVersion(cmd.OutOrStdout(), v, *format)
	}
	return cmd
}

// printVersion shows what a reviewer or author asks of a version.
func printVersion(w io.Writer, v *admission.Version, format string) error {
	if format == "json" {
		return printJSON(w, v)
	}
	rows := [][]string{
		{"name", v.Name}, {"version", v.Version}, {"state", stateOf(*v)},
		{"review", v.Review}, {"alias", v.Alias}, {"tier", v.Tier}, {"binding", v.Binding},
		{"launch", strings.TrimSpace(v.Launch.URL + " " + strings.Join(v.Launch.Command, " "))},
		{"publisher", v.Publisher}, {"subject", v.Subject}, {"sbom", v.SBOM}, {"approval", v.Approval},
	}
	for _, r := range v.Reasons {
		rows = append(rows, []string{"reason", r.Code + ": " + r.Detail})
	}
	for _, f := range v.Findings {
		rows = append(rows, []string{"finding", fmt.Sprintf("%s %s %s at %s: %s", f.Action, f.Severity, f.Rule, f.Pointer, f.Message)})
	}
	for _, f := range v.Failures {
		rows = append(rows, []string{"failure", fmt.Sprintf("%s %s: %s", f.Scanner, f.Kind, f.Detail)})
	}
	return table(w, []string{"WHAT", "VALUE"}, rows)
}

func newServerDiff() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff NAME@VERSION [OTHER-VERSION]",
		Short: "Show every difference by JSON Pointer, both texts escaped",
		Long: "With one version: the approved listing against what gateways observed since.\n" +
			"With two: the older listing against the newer. Exit code 3 when they differ.",
		Example: "  bartizan server diff io.github.acme/weather@1.0.0",
		Args:    cobra.RangeArgs(1, 2),
	}
	format := outputFlag(cmd, "table", "json")
	connect := registryFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		c, err := connect()
		if err != nil {
			return err
		}
		other := ""
		if len(args) == 2 {
			other = args[1]
		}
		name, version := splitVersion(args[0])
		diff, err := diffOf(cmd.Context(), c, name, version, other)
		if err != nil {
			return err
		}
		changes := changesOf(diff)
		if *format == "json" {
			err = printJSON(cmd.OutOrStdout(), changes)
		} else {
			err = printChanges(cmd.OutOrStdout(), changes)
		}
		if err == nil && len(changes) > 0 {
			return &exitError{Code: exitPolicy}
		}
		return err
	}
	return cmd
}

// diffOf asks for one version's drift or, with two, for what lies between.
func diffOf(ctx context.Context, c *client.Client, name, version, other string) (*registryapi.Diff, error) {
	if other == "" {
		v, err := c.Version(ctx, name, version)
		if err != nil {
			return nil, err
		}
		return c.Diff(ctx, name, "", v.Version)
	}
	return c.Diff(ctx, name, version, other)
}

// changesOf lists what differs between two versions, or else what gateways
// observed.
func changesOf(d *registryapi.Diff) []admission.Change {
	changes := []admission.Change{}
	if d.From != "" {
		return append(changes, d.Changes...)
	}
	for _, drift := range d.Drifts {
		changes = append(changes, drift.Changes...)
	}
	return changes
}

// printChanges shows each change on lines of its own: texts are long. They
// arrive escaped.
func printChanges(w io.Writer, changes []admission.Change) error {
	for _, c := range changes {
		was, is := c.Old, c.New
		if was == "" {
			was = "(absent)"
		}
		if is == "" {
			is = "(absent)"
		}
		if _, err := fmt.Fprintf(w, "%s %s %s (%s)\n  - %s\n  + %s\n", c.Kind, printable(c.Key), printable(c.Pointer), c.Era, printable(was), printable(is)); err != nil {
			return err
		}
	}
	return nil
}

func newServerMove(verb, short string, move func(*client.Client, context.Context, string, string, string) (*admission.Version, error)) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   verb + " NAME@VERSION --reason TEXT",
		Short: short,
		Args:  cobra.ExactArgs(1),
	}
	format := outputFlag(cmd, "table", "json")
	connect := registryFlags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	_ = cmd.MarkFlagRequired("reason")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		name, version := splitVersion(args[0])
		if version == "latest" {
			return usageError("name the version: NAME@VERSION")
		}
		c, err := connect()
		if err != nil {
			return err
		}
		v, err := move(c, cmd.Context(), name, version, reason)
		if err != nil {
			return err
		}
		return printVersion(cmd.OutOrStdout(), v, *format)
	}
	return cmd
}
