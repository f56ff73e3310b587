// Package cases reads the must-find and must-not-find cases of the first-party
// scanners (testdata/cases.json of each) and judges what a scanner makes of
// them. It serves tests alone, native ones and those on the engine, so that
// both hold a scanner to the same expectations.
package cases

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// Case is one message and what must be said of it.
type Case struct {
	Name     string                 `json:"name"`
	Phase    string                 `json:"phase"`
	Server   string                 `json:"server"`
	Segments []Segment              `json:"segments"`
	Context  []scanner.ContextEntry `json:"context"`
	Worst    string                 `json:"worst"` // highest severity of a finding; "" if there is none
	Find     []string               `json:"find"`  // rules that must be among the findings
}

// Segment is a text, in parts where it would otherwise look like a secret to
// whoever scans this repository.
type Segment struct {
	Kind       string   `json:"kind"`
	Item       int      `json:"item"`
	Pointer    string   `json:"pointer"`
	Parts      []string `json:"parts"`
	Provenance string   `json:"provenance"`
}

// Text is the parts in one.
func (s Segment) Text() string { return strings.Join(s.Parts, "") }

// Decoded reports a case that holds the host's decoded views.
func (c *Case) Decoded() bool {
	return slices.ContainsFunc(c.Segments, func(s Segment) bool { return s.Provenance != "" })
}

// Input is the case as a scanner is given it.
func (c *Case) Input() *scanner.Input {
	in := &scanner.Input{Phase: c.Phase, Server: c.Server, Context: c.Context}
	for _, s := range c.Segments {
		in.Segments = append(in.Segments, scanner.Segment{Kind: s.Kind, Item: s.Item, Pointer: s.Pointer, Text: s.Text(), Provenance: s.Provenance})
	}
	return in
}

// Rules are the severities that a manifest gives its rules.
type Rules map[string]string

// Load reads the cases and the manifest of the scanner in dir.
func Load(dir string) ([]Case, Rules, error) {
	var all []Case
	if err := read(filepath.Join(dir, "testdata", "cases.json"), &all); err != nil {
		return nil, nil, err
	}
	var manifest struct {
		Rules []struct{ ID, Severity string } `json:"rules"`
	}
	if err := read(filepath.Join(dir, "manifest.json"), &manifest); err != nil {
		return nil, nil, err
	}
	rules := Rules{}
	for _, r := range manifest.Rules {
		rules[r.ID] = r.Severity
	}
	return all, rules, nil
}

func read(name string, into any) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// severities, rising.
var severities = []string{"", "info", "low", "medium", "high", "critical"}

// Judge reports how findings, as pairs of rule and severity, miss a case; "" if
// they do not.
func (c *Case) Judge(found [][2]string) string {
	worst := 0
	rules := map[string]bool{}
	for _, f := range found {
		rules[f[0]] = true
		worst = max(worst, slices.Index(severities, f[1]))
	}
	if severities[worst] != c.Worst {
		return fmt.Sprintf("worst severity %q, want %q: %v", severities[worst], c.Worst, found)
	}
	for _, want := range c.Find {
		if !rules[want] {
			return fmt.Sprintf("%s is not among %v", want, found)
		}
	}
	return ""
}

// Check scans a case natively. Findings must hold the contract of the ABI: a
// rule of the manifest, no severity above it, a range on character boundaries.
func (c *Case) Check(scan func(*scanner.Input) *scanner.Output, rules Rules) string {
	in := c.Input()
	out := scan(in)
	var found [][2]string
	for _, f := range out.Findings {
		top, known := rules[f.Rule]
		severity := f.Severity
		if severity == "" {
			severity = top
		}
		switch {
		case !known:
			return "rule " + f.Rule + " is not in the manifest"
		case slices.Index(severities, severity) > slices.Index(severities, top):
			return "rule " + f.Rule + " exceeds its severity"
		case f.Segment < 0 || f.Segment >= len(in.Segments) || f.Start < 0 || f.Start > f.End || f.End > len(in.Segments[f.Segment].Text):
			return fmt.Sprintf("rule %s: range %d to %d of segment %d", f.Rule, f.Start, f.End, f.Segment)
		}
		found = append(found, [2]string{f.Rule, severity})
	}
	return c.Judge(found)
}
