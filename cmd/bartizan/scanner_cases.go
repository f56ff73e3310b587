package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
)

// scannerCase is one line of a case file: a document and what must come of it.
type scannerCase struct {
	Name   string         `json:"name"`
	Phase  message.Phase  `json:"phase"`
	Server string         `json:"server"`
	Input  jsontext.Value `json:"input"`
	Want   struct {
		Action engine.Action `json:"action"`
		Rules  []string      `json:"rules"` // exactly these, in any order
	} `json:"want"`
}

func newScannerTest() *cobra.Command {
	var cases string
	cmd := &cobra.Command{
		Use:   "test X.wasm --cases FILE",
		Short: "Run a module's cases on the production engine",
		Long: "FILE holds one JSON object a line: {\"name\", \"phase\", \"server\"?, \"input\",\n" +
			"\"want\": {\"action\", \"rules\"}}; input is what `scanner run --input` reads. Also\n" +
			"names the rules that no case reaches. Exit code 3 when a case fails.",
		Example: "  bartizan scanner test ticket.wasm --cases cases.jsonl",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := readModule(cmd, args[0])
			if err != nil {
				return err
			}
			body, err := readInput(cmd, cases)
			if err != nil {
				return err
			}
			all, err := parseCases(body)
			if err != nil {
				return fmt.Errorf("%s: %w", cases, err)
			}
			return testScanner(cmd, m, all)
		},
	}
	cmd.Flags().StringVar(&cases, "cases", "", "file of cases")
	_ = cmd.MarkFlagRequired("cases")
	return cmd
}

func parseCases(body []byte) ([]scannerCase, error) {
	var all []scannerCase
	for i, line := range bytes.Split(body, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var c scannerCase
		if err := json.Unmarshal(line, &c, json.RejectUnknownMembers(true)); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if c.Name == "" || !c.Phase.Valid() || c.Want.Action == "" {
			return nil, fmt.Errorf("line %d: name, phase and want.action are needed", i+1)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no cases")
	}
	return all, nil
}

func testScanner(cmd *cobra.Command, m module, cases []scannerCase) error {
	ctx := cmd.Context()
	e, err := engine.New(ctx, engine.Config{})
	if err != nil {
		return err
	}
	defer e.Close(ctx)
	s, err := e.Load(ctx, m.wasm, engine.Options{}) // one over the limit, too, is refused
	if err != nil {
		return policyError("%s: %w", m.name, err)
	}
	set := engine.NewSet(s)
	failed, reached := 0, map[string]bool{}
	for _, c := range cases {
		problem, rules, err := tryCase(ctx, set, c)
		if err != nil {
			return fmt.Errorf("case %q: %w", c.Name, err)
		}
		for _, r := range rules {
			reached[r] = true
		}
		if problem != "" {
			failed++
			fmt.Fprintf(cmd.OutOrStdout(), "FAIL %s: %s\n", printable(c.Name), problem)
		} else {
			fmt.Fprintf(cmd.OutOrStdout(), "ok   %s\n", printable(c.Name))
		}
	}
	for _, r := range s.Manifest().Rules {
		if !reached[r.ID] {
			fmt.Fprintf(cmd.OutOrStdout(), "rule %s is reached by no case\n", r.ID)
		}
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d of %d cases as wanted\n", len(cases)-failed, len(cases))
	if failed > 0 {
		return &exitError{Code: exitPolicy}
	}
	return nil
}

// tryCase says in one sentence how a case differs from what it wants.
func tryCase(ctx context.Context, set *engine.Set, c scannerCase) (problem string, rules []string, err error) {
	messages, err := readMessages(c.Phase, c.Server, c.Input)
	if err != nil {
		return "", nil, err
	}
	result := scanned{Action: engine.ActionAllow}
	for _, m := range messages {
		result.add(set.Scan(ctx, m))
	}
	for _, f := range result.Findings {
		if !slices.Contains(rules, f.Rule) {
			rules = append(rules, f.Rule)
		}
	}
	slices.Sort(rules)
	slices.Sort(c.Want.Rules)
	switch {
	case len(result.Failures) > 0:
		problem = fmt.Sprintf("the scanner failed: %s: %s", result.Failures[0].Kind, result.Failures[0].Detail)
	case result.Action != c.Want.Action:
		problem = fmt.Sprintf("action %s, wanted %s (rules %v)", result.Action, c.Want.Action, rules)
	case c.Want.Rules != nil && !slices.Equal(rules, c.Want.Rules):
		problem = fmt.Sprintf("rules %v, wanted %v", rules, c.Want.Rules)
	}
	return problem, rules, nil
}
