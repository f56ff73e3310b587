package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
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
		Action   engine.Action `json:"action"`
		Rules    []string      `json:"rules"`    // exactly these, in any order
		Findings []wantedSpan  `json:"findings"` // exactly these, in any order
	} `json:"want"`
}

// wantedSpan is a finding at its place: a range of bytes of the decoded string
// at a JSON Pointer.
type wantedSpan struct {
	Rule    string `json:"rule"`
	Pointer string `json:"pointer"`
	Start   int    `json:"start"`
	End     int    `json:"end"`
}

func (w wantedSpan) String() string {
	return fmt.Sprintf("%s %s %d-%d", w.Rule, w.Pointer, w.Start, w.End)
}

func (w wantedSpan) compare(o wantedSpan) int {
	return cmp.Or(cmp.Compare(w.Pointer, o.Pointer), cmp.Compare(w.Start, o.Start), cmp.Compare(w.End, o.End), cmp.Compare(w.Rule, o.Rule))
}

// tried is a case with what came of it. Problem is "" where that is as wanted.
type tried struct {
	Name    string  `json:"name"`
	Problem string  `json:"problem,omitzero"`
	Verdict scanned `json:"verdict"`
}

func newScannerTest() *cobra.Command {
	var cases string
	var conformance bool
	cmd := &cobra.Command{
		Use:   "test X.wasm (--cases FILE | --conformance)",
		Short: "Run a module's cases, or the conformance kit, on the production engine",
		Long: "FILE holds one JSON object a line: {\"name\", \"phase\", \"server\"?, \"input\",\n" +
			"\"want\": {\"action\", \"rules\"?, \"findings\"?: [{\"rule\", \"pointer\", \"start\", \"end\"}]}};\n" +
			"input is what `scanner run --input` reads, findings are at exact places. Also\n" +
			"names the rules that no case reaches. With -o json the verdicts are printed, one a\n" +
			"line. Exit code 3 when a case fails.\n\n" +
			"With --conformance the module is held to the scanner ABI instead, point by point\n" +
			"(sdk/tck/README.md); the texts of the cases, if there are any, are tried too. Exit\n" +
			"code 3 when a point fails.",
		Example: "  bartizan scanner test ticket.wasm --cases cases.jsonl\n" +
			"  bartizan scanner test ticket.wasm --conformance",
		Args: cobra.ExactArgs(1),
	}
	format, cache := outputFlag(cmd, "text", "json"), cacheFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkFormat(*format, "text", "json"); err != nil {
			return err
		}
		if cases == "" && !conformance {
			return usageError("want --cases FILE, --conformance or both")
		}
		m, err := readModule(cmd, args[0])
		if err != nil {
			return err
		}
		all, err := readCases(cmd, cases)
		switch {
		case err != nil:
			return err
		case conformance:
			return testConformance(cmd, *cache, m, all, *format)
		}
		return testScanner(cmd, *cache, m, all, *format)
	}
	cmd.Flags().StringVar(&cases, "cases", "", "file of cases")
	cmd.Flags().BoolVar(&conformance, "conformance", false, "hold the module to the scanner ABI, point by point")
	return cmd
}

// readCases reads a file of cases; "" is none.
func readCases(cmd *cobra.Command, name string) ([]scannerCase, error) {
	if name == "" {
		return nil, nil
	}
	body, err := readInput(cmd, name)
	if err != nil {
		return nil, err
	}
	all, err := parseCases(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return all, nil
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

func testScanner(cmd *cobra.Command, cache string, m module, cases []scannerCase, format string) error {
	ctx := cmd.Context()
	e, err := engine.New(ctx, engine.Config{CacheDir: cache})
	if err != nil {
		return err
	}
	defer e.Close(ctx)
	s, err := e.Load(ctx, m.wasm, engine.Options{}) // one over the limit, too, is refused
	if err != nil {
		return policyError("%s: %w", m.name, err)
	}
	set, out := engine.NewSet(s), cmd.OutOrStdout()
	failed, reached := 0, map[string]bool{}
	for _, c := range cases {
		t, err := tryCase(ctx, set, c)
		if err != nil {
			return fmt.Errorf("case %q: %w", c.Name, err)
		}
		for _, f := range t.Verdict.Findings {
			reached[f.Rule] = true
		}
		if t.Problem != "" {
			failed++
		}
		if err := t.print(out, format); err != nil {
			return err
		}
	}
	if format == "text" {
		for _, r := range s.Manifest().Rules {
			if !reached[r.ID] {
				fmt.Fprintf(out, "rule %s is reached by no case\n", r.ID)
			}
		}
		fmt.Fprintf(out, "%d of %d cases as wanted\n", len(cases)-failed, len(cases))
	}
	if failed > 0 {
		return &exitError{Code: exitPolicy}
	}
	return nil
}

func (t tried) print(w io.Writer, format string) (err error) {
	switch {
	case format == "json":
		err = printLine(w, t)
	case t.Problem != "":
		_, err = fmt.Fprintf(w, "FAIL %s: %s\n", printable(t.Name), printable(t.Problem))
	default:
		_, err = fmt.Fprintf(w, "ok   %s\n", printable(t.Name))
	}
	return err
}

// tryCase scans a case's document. What differs from what the case wants is
// said in one sentence.
func tryCase(ctx context.Context, set *engine.Set, c scannerCase) (tried, error) {
	t := tried{Name: c.Name, Verdict: scanned{Action: engine.ActionAllow, Findings: []engine.Finding{}, Failures: []engine.Failure{}}}
	messages, err := readMessages(c.Phase, c.Server, c.Input)
	if err != nil {
		return t, err
	}
	for _, m := range messages {
		t.Verdict.add(set.Scan(ctx, m))
	}
	var rules []string
	var spans []wantedSpan
	for _, f := range t.Verdict.Findings {
		rules = append(rules, f.Rule)
		spans = append(spans, wantedSpan{f.Rule, f.Pointer, f.Start, f.End})
	}
	slices.Sort(rules)
	rules = slices.Compact(rules)
	slices.SortFunc(spans, wantedSpan.compare)
	slices.Sort(c.Want.Rules)
	slices.SortFunc(c.Want.Findings, wantedSpan.compare)
	switch v := t.Verdict; {
	case len(v.Failures) > 0:
		t.Problem = fmt.Sprintf("the scanner failed: %s", v.Failures[0])
	case v.Action != c.Want.Action:
		t.Problem = fmt.Sprintf("action %s, wanted %s (rules %v)", v.Action, c.Want.Action, rules)
	case c.Want.Rules != nil && !slices.Equal(rules, c.Want.Rules):
		t.Problem = fmt.Sprintf("rules %v, wanted %v", rules, c.Want.Rules)
	case c.Want.Findings != nil && !slices.Equal(spans, c.Want.Findings):
		t.Problem = fmt.Sprintf("findings %v, wanted %v", spans, c.Want.Findings)
	}
	return t, nil
}
