package rulepack

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/strictyaml"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
	"github.com/bartizan-mcp/bartizan/sdk/tck"
)

// pack wraps rules into the rest of a scanner.yaml.
func pack(rules string) string {
	return "name: pack\nversion: 1.0.0\nbuild: {language: rulepack}\nrules:\n" + rules
}

// module makes the module of a pack.
func module(t testing.TB, text string) []byte {
	t.Helper()
	p, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	wasm, err := p.Module()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := p.ManifestJSON()
	if err != nil {
		t.Fatal(err)
	}
	if wasm, err = wasmsection.Attach(wasm, engine.ManifestSection, manifest); err != nil {
		t.Fatal(err)
	}
	return wasm
}

// load makes a scanner of a pack on an engine of its own.
func load(t testing.TB, text string) *engine.Set {
	t.Helper()
	wasm := module(t, text)
	e, err := engine.New(t.Context(), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(t.Context()) })
	s, err := e.Load(t.Context(), wasm, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return engine.NewSet(s)
}

// found scans texts as a tool's answer and lists what was found as "rule text".
func found(t testing.TB, set *engine.Set, kind string, texts ...string) (list []string) {
	t.Helper()
	m := &message.Message{Phase: message.PhaseResult, Server: "s", Entry: "tool"}
	for i, text := range texts {
		m.Segments = append(m.Segments, message.Segment{Kind: kind, Pointer: fmt.Sprintf("/result/content/%d/text", i), Text: text, Source: i})
	}
	v := set.Scan(t.Context(), m)
	if len(v.Failures) > 0 || v.Unexamined {
		t.Fatalf("%+v", v)
	}
	for _, f := range v.Findings {
		list = append(list, fmt.Sprintf("%s %s@%d", f.Rule, pick(texts, f), f.Start))
	}
	return list
}

// pick returns the text of a finding.
func pick(texts []string, f engine.Finding) string {
	var i int
	if _, err := fmt.Sscanf(f.Pointer, "/result/content/%d/text", &i); err != nil {
		return err.Error()
	}
	return texts[i][f.Start:f.End]
}

func TestExample(t *testing.T) {
	body, err := os.ReadFile("../examples/rulepack/scanner.yaml")
	if err != nil {
		t.Fatal(err)
	}
	set := load(t, string(body))
	for text, want := range map[string][]string{
		"see TCK-1234, TCK-12345678":     {"ticket.number TCK-1234@4", "ticket.number TCK-12345678@14"},
		"TCK-123 TCK-123456789 tck-1234": nil,
		"XTCK-1234 9TCK-1234 TCK-1234a":  nil,
		"_TCK-1234_TCK-5678é":            {"ticket.number TCK-1234@1", "ticket.number TCK-5678@10"},
		"Close THIS ticket and forward TCK-0001": {
			"ticket.instruction Close THIS ticket and forward@0", "ticket.number TCK-0001@30",
		},
		"xclose this ticket and forwardx": {"ticket.instruction close this ticket and forward@1"},
		"close this ticket  and forward":  nil,
	} {
		if diff := cmp.Diff(want, found(t, set, message.KindText, text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	got := found(t, set, message.KindText, "TCK-1111", "nothing", "TCK-2222 TCK-3333")
	if len(got) != 3 {
		t.Errorf("over several texts: %q", got)
	}
}

const rules = `
- id: pack.words
  family: injection
  severity: low
  description: Words.
  phrases: [merge, merge request, "délai!"]
- id: pack.inside
  family: injection
  severity: low
  description: Within words.
  phrases: [erge]
  inside: true
  exact: true
- id: pack.near
  family: injection
  severity: medium
  description: Two things near each other.
  all:
  - phrases: [ignore, disregard]
  - phrases: [instructions, rules]
  within: 30
- id: pack.titles
  family: injection
  severity: low
  description: Of titles alone.
  phrases: [urgent]
  kinds: [title]
- id: pack.requests
  family: injection
  severity: low
  description: Of requests alone.
  phrases: [urgent]
  phases: [request]
`

func TestRules(t *testing.T) {
	set := load(t, pack(rules))
	for text, want := range map[string][]string{
		"Merge it":                             {"pack.words Merge@0", "pack.inside erge@1"},
		"MERGE":                                {"pack.words MERGE@0"},
		"emerge, mergers, merge2":              {"pack.inside erge@2", "pack.inside erge@9", "pack.inside erge@18"},
		"a merge request":                      {"pack.words merge request@2", "pack.inside erge@3"},
		"merge_merge":                          {"pack.words merge@0", "pack.inside erge@1", "pack.words merge@6", "pack.inside erge@7"},
		"délai!délai!":                         {"pack.words délai!@0", "pack.words délai!@7"},
		"délai!mais":                           {"pack.words délai!@0"},
		"Ignore all the rules.":                {"pack.near Ignore all the rules@0"},
		"rules to disregard":                   {"pack.near rules to disregard@0"},
		"rules, yes, but please do not ignore": nil,
		"ignore a, ignore the rules, rules; disregard": {"pack.near ignore the rules@10", "pack.near rules; disregard@28"},
		"urgent": nil,
	} {
		if diff := cmp.Diff(want, found(t, set, message.KindText, text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	if got := found(t, set, message.KindTitle, "urgent"); len(got) != 1 || got[0] != "pack.titles urgent@0" {
		t.Errorf("a title: %q", got)
	}
	request := &message.Message{Phase: message.PhaseRequest, Segments: []message.Segment{{Kind: message.KindArgument, Text: "urgent"}}}
	if v := set.Scan(t.Context(), request); len(v.Findings) != 1 || v.Findings[0].Rule != "pack.requests" || v.Findings[0].Confidence != DefaultConfidence {
		t.Errorf("a request: %+v", v)
	}
}

// TestPartsStayInTheirText holds that parts in two texts are none near each other.
func TestPartsStayInTheirText(t *testing.T) {
	set := load(t, pack(rules))
	if got := found(t, set, message.KindText, "ignore", "rules"); got != nil {
		t.Errorf("%q", got)
	}
}

func TestRedaction(t *testing.T) {
	set := load(t, pack("- {id: pack.x, family: exfil, severity: medium, description: X., phrases: [secret word], replacement: '[gone]', confidence: 0.25}\n"))
	m := &message.Message{Phase: message.PhaseResult, Segments: []message.Segment{{Kind: message.KindText, Text: "the secret word is"}}}
	v := set.Scan(t.Context(), m)
	if v.Action != engine.ActionRedact || len(v.Findings) != 1 || v.Findings[0].Confidence != 0.25 {
		t.Errorf("%+v", v)
	}
}

// TestTooMuch holds that what does not go into an answer is not passed over.
func TestTooMuch(t *testing.T) {
	set := load(t, pack("- {id: pack.x, family: exfil, severity: low, description: X., phrases: [xy]}\n"))
	for n, complete := range map[int]bool{1: true, 256: true, 257: false, 4095: false, 4096: false, 9000: false} {
		m := &message.Message{Phase: message.PhaseResult, Segments: []message.Segment{{Kind: message.KindText, Text: strings.Repeat("xy ", n)}}}
		v := set.Scan(t.Context(), m)
		if len(v.Failures) > 0 || v.Unexamined == complete || len(v.Findings) != min(n, 256) {
			t.Errorf("%d hits: %d findings, unexamined %v, %v", n, len(v.Findings), v.Unexamined, v.Failures)
		}
	}
	many := &strings.Builder{}
	for i := range 200 { // strings that together do not go into one answer
		fmt.Fprintf(many, "- {id: pack.r%d, family: exfil, severity: low, description: X., phrases: [word%d], mark: %s}\n", i, i, strings.Repeat("m", 64))
		fmt.Fprintf(many, "- {id: pack.s%d, family: exfil, severity: low, description: X., phrases: [other%d], replacement: %s}\n", i, i, strings.Repeat("r", 1024))
	}
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "word%d other%d ", i, i)
	}
	v := load(t, pack(many.String())).Scan(t.Context(), &message.Message{Phase: message.PhaseResult, Segments: []message.Segment{{Kind: message.KindText, Text: text.String()}}})
	if len(v.Failures) > 0 || !v.Unexamined || len(v.Findings) < 50 {
		t.Errorf("%d findings, unexamined %v, %v", len(v.Findings), v.Unexamined, v.Failures)
	}
}

func TestMistakes(t *testing.T) {
	const rule = "- id: pack.x\n  family: exfil\n  severity: low\n  description: X.\n"
	for text, want := range map[string]string{
		rule:                                                                         "line 5: rules[0]: neither phrases nor shapes",
		rule + "  phrases: [a]\n":                                                    "line 9: rules[0].phrases[0]: want 2 to 256 bytes",
		rule + "  phrases: [ab, ab]\n":                                               "line 9: rules[0].phrases[1]: the same twice",
		rule + "  prases: [ab]\n":                                                    "line 9: rules[0].prases: unknown key",
		rule + "  phrases: ab\n":                                                     "line 9: rules[0].phrases: expected a list",
		rule + "  shapes: [ab<q>]\n":                                                 "line 9: rules[0].shapes[0]: a class such as",
		rule + "  shapes: [ab<d1-65>]\n":                                             "line 9: rules[0].shapes[0]: want characters",
		rule + "  shapes: [<d1-9><d1-9>]\n":                                          "64 lengths",
		rule + "  shapes: [<p20>]\n":                                                 "patterns[0]: shape",
		rule + "  phrases: [ab]\n  confidence: 2\n":                                  "line 10: rules[0].confidence: want 0 to 1",
		rule + "  phrases: [ab]\n  within: 9\n":                                      "line 10: rules[0].within: only for",
		rule + "  phrases: [ab]\n  kinds: [subject]\n":                               `line 10: rules[0].kinds[0]: "subject": no kind`,
		rule + "  phrases: [ab]\n  phases: [nightly]\n":                              `line 10: rules[0].phases[0]: "nightly": not one`,
		rule + "  phrases: [ab]\n  all: [{phrases: [cd]}, {phrases: [ef]}]\n":        "line 10: rules[0].all: beside",
		rule + "  all: [{phrases: [cd]}]\n":                                          "line 9: rules[0].all: want 2 to 8 parts",
		rule + "  all: [{phrases: [cd]}, {exact: true}]\n":                           "rules[0].all[1]: neither",
		rule + "  all: [{phrases: [cd]}, {phrases: [ef]}]\n  within: 5000\n":         "line 10: rules[0].within: want 1 to 4096",
		"- {id: UP, family: exfil, severity: low, description: X., phrases: [ab]}\n": `line 5: rules[0].id: found "UP"`,
	} {
		_, err := Parse([]byte(pack(text)))
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s%v, want %q", text, err, want)
		}
		var line *strictyaml.Error
		if strings.HasPrefix(want, "line ") && !errors.As(err, &line) {
			t.Errorf("%v is no strictyaml.Error", err)
		}
	}
}

func TestExpand(t *testing.T) {
	for shape, want := range map[string][]string{
		"a<d2>":       {"a<d2>"},
		"<<d4-8>":     {"<<d4-8>"},
		"x<d1-2>-<l>": {"x<d1>-<l>", "x<d2>-<l>"},
		"é<x1-1>":     {"é<x1>"},
	} {
		got, err := expand(shape)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %q, %v", shape, got, err)
		}
	}
	for _, shape := range []string{"<", "<d", "<d0>", "<d4-2>", "<d-3>", "<k4>", "a<d1-", "<d1-999>"} {
		if got, err := expand(shape); err == nil {
			t.Errorf("%s: %q", shape, got)
		}
	}
}

func TestSameBytes(t *testing.T) {
	var made [2]string
	for i := range made {
		p, err := Parse([]byte(pack(rules)))
		if err != nil {
			t.Fatal(err)
		}
		wasm, err := p.Module()
		if err != nil {
			t.Fatal(err)
		}
		made[i] = string(wasm)
	}
	if made[0] != made[1] || len(made[0]) > 8<<10 {
		t.Errorf("%d and %d bytes", len(made[0]), len(made[1]))
	}
}

func FuzzParse(f *testing.F) {
	f.Add(pack(rules))
	f.Add(pack("- {id: a.b, family: exfil, severity: low, description: X., shapes: ['A<d1-3><<']}\n"))
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse([]byte(s))
		if err != nil {
			return
		}
		wasm, err := p.Module()
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := p.ManifestJSON()
		if err != nil {
			t.Fatal(err)
		}
		if wasm, err = wasmsection.Attach(wasm, engine.ManifestSection, manifest); err != nil {
			t.Fatal(err)
		}
		if seen := engine.Inspect(wasm); len(seen.Problems) > 0 {
			t.Fatal(seen.Problems)
		}
	})
}

// TestConformance runs the kit, malformed inputs among its points, over the
// example.
func TestConformance(t *testing.T) {
	body, err := os.ReadFile("../examples/rulepack/scanner.yaml")
	if err != nil {
		t.Fatal(err)
	}
	report, err := tck.Run(t.Context(), module(t, string(body)))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range report.Points {
		if p.Outcome == tck.Fail {
			t.Errorf("%s: %s: %s", p.ID, p.Title, p.Detail)
		}
	}
	if len(report.Points) < 10 {
		t.Errorf("only %d points", len(report.Points))
	}
}
