package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/policy"
)

func newPolicy() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Check, test and explain the gateway's Cedar policies",
		Long:  "What policies may speak of, with examples: docs/policy.md.",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newPolicyCheck(), newPolicyTest(), newPolicyExplain())
	return cmd
}

func newPolicyCheck() *cobra.Command {
	return &cobra.Command{
		Use:     "check PATH",
		Short:   "Read policies and hold them to the schema; every problem at once",
		Example: "  bartizan policy check policies/",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := loadPolicies(args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d policies\n", set.Len())
			return err
		},
	}
}

// loadPolicies reports each problem on a line of its own.
func loadPolicies(path string) (*policy.Set, error) {
	set, err := policy.Load(path)
	var problems policy.Problems
	if errors.As(err, &problems) {
		return nil, fmt.Errorf("%d problems:\n  %s", len(problems), strings.Join(problems, "\n  "))
	}
	return set, err
}

func newPolicyTest() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "test FILE",
		Short:   "Run the cases of a YAML file against the policies that it names",
		Example: "  bartizan policy test policies/office.test.yaml",
		Args:    cobra.ExactArgs(1),
	}
	format := outputFlag(cmd, "table", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		outcomes, err := runPolicyTest(args[0])
		if err != nil {
			return err
		}
		if err := printOutcomes(cmd.OutOrStdout(), *format, outcomes); err != nil {
			return err
		}
		failed := 0
		for _, o := range outcomes {
			if o.Problem != "" {
				failed++
			}
		}
		if failed > 0 {
			return fmt.Errorf("%d of %d cases failed", failed, len(outcomes))
		}
		return nil
	}
	return cmd
}

// policyOutcome is what became of one case.
type policyOutcome struct {
	Case     string   `json:"case"`
	Decision string   `json:"decision"`
	By       []string `json:"by"`
	Problem  string   `json:"problem,omitzero"`
}

func printOutcomes(w io.Writer, format string, outcomes []policyOutcome) error {
	if format == "json" {
		return printJSON(w, outcomes)
	}
	var rows [][]string
	for _, o := range outcomes {
		result := "ok"
		if o.Problem != "" {
			result = "FAILED: " + o.Problem
		}
		rows = append(rows, []string{o.Case, o.Decision, strings.Join(o.By, " "), result})
	}
	return table(w, []string{"CASE", "DECISION", "BY", "RESULT"}, rows)
}

func newPolicyExplain() *cobra.Command {
	var c policyCase
	var path, zone string
	cmd := &cobra.Command{
		Use:   "explain --policies PATH --principal NAME --server NAME [--tool NAME]",
		Short: "Say what the policies decide about one request, and which of them",
		Long:  "Exits with 0 where the request is allowed, with 3 where it is not.",
		Example: "  bartizan policy explain --policies policies/ --principal ann --group engineers --role agent \\\n" +
			"    --server io.github.acme/tracker --tool close_issue --client Cursor --source 10.20.3.4 --at 2026-03-02T09:30",
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.StringVar(&path, "policies", "", "file or folder of policies")
	flags.StringVar(&zone, "time-zone", "UTC", "of hours and weekdays")
	c.flags(flags)
	format := outputFlag(cmd, "table", "json")
	_ = cmd.MarkFlagRequired("policies")
	_ = cmd.MarkFlagRequired("principal")
	_ = cmd.MarkFlagRequired("server")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkFormat(*format, "table", "json"); err != nil {
			return err
		}
		set, err := loadPolicies(path)
		if err != nil {
			return err
		}
		outcome, err := c.run(set, zone)
		if err != nil {
			return usageError("%w", err)
		}
		if err := printOutcomes(cmd.OutOrStdout(), *format, []policyOutcome{outcome}); err != nil {
			return err
		}
		if outcome.Decision != allowed {
			return &exitError{Code: exitPolicy} // what there is to say was printed
		}
		return nil
	}
	return cmd
}
