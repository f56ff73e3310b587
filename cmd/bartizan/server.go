package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
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
	cmd := asks(&cobra.Command{
		Use:     "list",
		Short:   "List server versions",
		Example: "  bartizan server list --state quarantined",
		Args:    cobra.NoArgs,
	}, func(q *question, _ []string) error {
		versions, err := q.client.Versions(q.ctx, statesOf(states)...)
		if err != nil {
			return err
		}
		return q.print(versions, []string{"NAME", "VERSION", "STATE", "BINDING", "ALIAS", "PUBLISHER", "REVIEW"}, func() [][]string {
			var rows [][]string
			for _, v := range versions {
				rows = append(rows, []string{v.Name, v.Version, stateOf(v), bindingOf(v), v.Alias, v.Publisher, v.Review})
			}
			return rows
		})
	})
	cmd.Flags().StringSliceVar(&states, "state", nil, "received, in_review, quarantined, approved or rejected")
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
	if !v.Lifecycle.Is(admission.Active) {
		state += ", " + string(v.Lifecycle.Status)
	}
	if v.Drifted {
		state += ", drifted"
	}
	if len(v.Stale) > 0 {
		state += ", stale"
	}
	return state
}

// bindingOf is a version's binding, as a minimum would be compared with it.
func bindingOf(v admission.Version) string {
	if v.Binding == "endpoint" && v.Launch.Pin != "" {
		return "endpoint, pinned"
	}
	return v.Binding
}

// coversOf says what the binding is worth.
func coversOf(v admission.Version) string {
	return map[string]string{
		"artifact":         "every file it is started from, argv, environment, runtime executable; not the runtime's libraries",
		"command":          "argv and names of variables; not the code",
		"endpoint, pinned": "URL and who answers; not the code",
		"endpoint":         "URL; not the code",
	}[bindingOf(v)]
}

// environmentOf is names, and values where they are bound.
func environmentOf(l admission.Launch) string {
	out := slices.Clone(l.EnvNames)
	for _, name := range slices.Sorted(maps.Keys(l.Env)) {
		out = append(out, name+"="+l.Env[name])
	}
	return strings.Join(out, " ")
}

func newServerShow() *cobra.Command {
	var history bool
	cmd := asks(&cobra.Command{Use: "show NAME[@VERSION]", Short: "Show one server version", Args: cobra.ExactArgs(1)}, func(q *question, args []string) error {
		v, err := findVersion(q.ctx, q.client, args[0])
		if err != nil {
			return err
		}
		if history {
			return showJudgements(q, v)
		}
		return printVersion(q.out, v, q.format)
	})
	cmd.Flags().BoolVar(&history, "history", false, "show every time that it was judged instead")
	return cmd
}

// printVersion shows what a reviewer or author asks of a version.
func printVersion(w io.Writer, v *admission.Version, format string) error {
	if format == "json" {
		return printJSON(w, v)
	}
	rows := [][]string{
		{"name", v.Name}, {"version", v.Version}, {"state", stateOf(*v)},
		{"review", v.Review}, {"alias", v.Alias}, {"tier", v.Tier}, {"binding", bindingOf(*v)}, {"covers", coversOf(*v)},
		{"launch", strings.TrimSpace(strings.Join(slices.Concat(v.Launch.Command, []string{v.Launch.URL, v.Launch.Transport}), " "))},
		{"environment", environmentOf(v.Launch)}, {"tree", v.Tree}, {"runtime", strings.Join(v.Launch.Runtimes, " ")}, {"pin", v.Launch.Pin},
		{"publisher", v.Publisher}, {"subject", v.Subject}, {"sbom", v.SBOM}, {"approval", v.Approval},
	}
	if v.Lifecycle.Message != "" {
		rows = append(rows, []string{"status", v.Lifecycle.Message})
	}
	for _, r := range v.Reasons {
		rows = append(rows, []string{"reason", r.Code + ": " + r.Detail})
	}
	for _, r := range v.Stale {
		rows = append(rows, []string{"stale", r.Code + ": " + printable(r.Detail)})
	}
	rows = append(rows, assessmentRows(v.Vulnerabilities)...)
	for _, f := range v.Findings {
		rows = append(rows, []string{"finding", fmt.Sprintf("%s %s %s at %s: %s", f.Action, f.Severity, f.Rule, f.Pointer, f.Message)})
	}
	for _, f := range v.Failures {
		rows = append(rows, []string{"failure", fmt.Sprintf("%s %s: %s", f.Scanner, f.Kind, f.Detail)})
	}
	return table(w, []string{"WHAT", "VALUE"}, rows)
}

func newServerDiff() *cobra.Command {
	return asks(&cobra.Command{
		Use:   "diff NAME[@VERSION] [OTHER-VERSION]",
		Short: "Show every difference by JSON Pointer, both texts escaped",
		Long: "With one version: the approved listing against what gateways observed since.\n" +
			"With two: the older listing against the newer. Exit code 3 when they differ.",
		Example: "  bartizan server diff io.github.acme/weather@1.0.0",
		Args:    cobra.RangeArgs(1, 2),
	}, func(q *question, args []string) error {
		other := ""
		if len(args) == 2 {
			other = args[1]
		}
		v, err := findVersion(q.ctx, q.client, args[0])
		if err != nil {
			return err
		}
		diff, err := diffOf(q.ctx, q.client, v.Name, v.Version, other)
		if err != nil {
			return err
		}
		changes := changesOf(diff)
		if q.format == "json" {
			err = printJSON(q.out, changes)
		} else {
			err = printChanges(q.out, changes)
		}
		if err == nil && len(changes) > 0 {
			return &exitError{Code: exitPolicy}
		}
		return err
	})
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
		if _, err := fmt.Fprintf(w, "%s %s %s (%s)\n  - %s\n  + %s\n", admission.Visible(c.Kind), admission.Visible(c.Key), admission.Visible(c.Pointer), admission.Visible(c.Era), admission.Visible(was), admission.Visible(is)); err != nil {
			return err
		}
	}
	return nil
}

func newServerMove(verb, short string, move func(*client.Client, context.Context, string, string, string) (*admission.Version, error)) *cobra.Command {
	var reason string
	cmd := asks(&cobra.Command{Use: verb + " NAME@VERSION --reason TEXT", Short: short, Args: cobra.ExactArgs(1)}, func(q *question, args []string) error {
		name, version, found := strings.Cut(args[0], "@")
		if !found {
			return usageError("name the version: NAME@VERSION")
		}
		v, err := move(q.client, q.ctx, name, version, reason)
		if err != nil {
			return err
		}
		return printVersion(q.out, v, q.format)
	})
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}
