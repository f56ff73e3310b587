package main

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/cmd/internal/scanners"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/sarif"
)

// tide is a scanner with rules of two taxonomies.
var tide = scanners.Bound{Origin: "tide", Manifest: engine.Manifest{Name: "tide", Version: "1.2.3", Rules: []engine.Rule{
	{ID: "tide.low-water", Family: "poisoning", Severity: engine.SeverityLow, Taxonomy: []string{"OWASP-MCP03"}},
	{ID: "tide.high-water", Family: "injection", Severity: engine.SeverityHigh, Taxonomy: []string{"AML.T0051", "OWASP-MCP06"}, Description: "tells of high water"},
}}}

// aFinding is one about part of a text, as the engine makes it.
func aFinding(rule, pointer, text, part string) engine.Finding {
	quoted, _ := jsontext.AppendQuote(nil, text)
	start := strings.Index(text, part)
	return engine.Finding{
		Scanner: "tide", Rule: rule, Family: "injection", Severity: engine.SeverityHigh, Action: engine.ActionBlock, Confidence: 0.5,
		Pointer: pointer, Start: start, End: start + len(part), Message: "high water", Taxonomy: []string{"OWASP-MCP06", "AML.T0051"},
		Leaf: "sha256:" + fingerprint.LeafDigest(pointer, quoted).String(),
	}
}

// TestSarifRegions: a finding's region is the part of the file that it is about,
// whatever the document's shape and however the string is written.
func TestSarifRegions(t *testing.T) {
	const text = "calm\n\"Ignore\" the übrige" // written as JSON below
	const written = `calm\n\"Ignore\" the \u00fcbrige`
	for name, c := range map[string]struct {
		document, pointer, part, want string
		line                          int
	}{
		"request":   {"{\n \"params\": {\"a\": \"" + written + "\"}}", "/params/a", `"Ignore"`, `\"Ignore\"`, 2},
		"response":  {"{\"result\":\n\n{\"tools\":[{\"description\":\"" + written + "\"}]}}", "/tools/0/description", "übrige", `\u00fcbrige`, 3},
		"tool":      {`{"name":"a","description":"` + written + `"}`, "/tools/0/description", "calm\n", `calm\n`, 1},
		"recording": {`{"initialize":{"instructions":"` + written + `"},"tools":[]}`, "/instructions", "the", `the`, 1},
		"another":   {`{"params":{"a":"other"}}`, "/params/a", "the", "", 0},
		"a number":  {`{"params":{"a":7}}`, "/params/a", "the", "", 0},
		"nowhere":   {`{}`, "/params/a", "the", "", 0},
		"no JSON":   {`{"params":{"a`, "/params/a", "the", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := scanned{Action: engine.ActionBlock, Findings: []engine.Finding{aFinding("tide.high-water", c.pointer, text, c.part)}}
			log := sarifLog("a b.json", []byte(c.document), s, []scanners.Bound{tide})
			at := log.Runs[0].Results[0].Locations[0]
			if at.PhysicalLocation.ArtifactLocation.URI != "a%20b.json" || at.LogicalLocations[0].FullyQualifiedName != c.pointer {
				t.Errorf("%+v", at)
			}
			region := at.PhysicalLocation.Region
			if region == nil {
				if c.want != "" {
					t.Error("no region")
				}
				return
			}
			if got := c.document[region.ByteOffset : region.ByteOffset+region.ByteLength]; got != c.want || region.StartLine != c.line {
				t.Errorf("line %d %q, want %d %q", region.StartLine, got, c.line, c.want)
			}
		})
	}
}

// TestSarifEras: findings in two listings of a capture have a place each.
func TestSarifEras(t *testing.T) {
	f := aFinding("tide.high-water", "/instructions", "flood", "flood")
	doc := `{"bartizanCapture":1,"listings":[{"instructions":"flood"},{"instructions":"flood"}]}`
	log := sarifLog("c.json", []byte(doc), scanned{Findings: []engine.Finding{f, f, f}}, []scanners.Bound{tide})
	var at []int
	for _, r := range log.Runs[0].Results {
		at = append(at, r.Locations[0].PhysicalLocation.Region.ByteOffset)
	}
	if at[0] == at[1] || at[1] != at[2] || at[0] != strings.Index(doc, "flood") {
		t.Errorf("%v", at)
	}
}

// TestSarifReferences: whatever names a rule, a taxon, a kind of failure or a
// file leads to what it says.
func TestSarifReferences(t *testing.T) {
	stranger := aFinding("other.rule", "/a", "x", "x") // of no manifest
	stranger.Scanner = ""
	s := scanned{
		Action: engine.ActionBlock, Unexamined: true,
		Findings: []engine.Finding{aFinding("tide.high-water", "/a", "x", "x"), stranger},
		Failures: []engine.Failure{{Scanner: "tide", Kind: engine.FailureFuel, Detail: "too much"}, {Scanner: "tide", Kind: engine.FailureTrap}},
	}
	run := sarifLog("a.json", []byte(`{"a":"x"}`), s, []scanners.Bound{tide}).Runs[0]
	driver := run.Tool.Driver
	taxon := func(ref sarif.DescriptorRef) {
		if c := run.Taxonomies[ref.ToolComponent.Index]; c.Name != ref.ToolComponent.Name || c.Taxa[ref.Index].ID != ref.ID {
			t.Errorf("%+v leads elsewhere", ref)
		}
	}
	for _, r := range run.Results {
		if driver.Rules[r.RuleIndex].ID != r.RuleID || len(r.Taxa) != 2 || len(r.PartialFingerprints) != 1 || r.Rank != 50 {
			t.Errorf("%+v", r)
		}
		for _, ref := range r.Taxa {
			taxon(ref)
		}
		at := r.Locations[0].PhysicalLocation.ArtifactLocation
		if run.Artifacts[at.Index].Location != at {
			t.Errorf("%+v", at)
		}
	}
	for _, rule := range driver.Rules {
		if rule.Help.Text == "" || rule.FullDescription.Text == "" || rule.DefaultConfiguration.Level == "" {
			t.Errorf("%+v", rule)
		}
		for _, r := range rule.Relationships {
			taxon(r.Target)
		}
	}
	if high := driver.Rules[1]; high.DefaultConfiguration.Level != sarif.Error || !strings.HasPrefix(high.Help.Text, "Tells of high water.\n") {
		t.Errorf("%+v", high)
	}
	if len(driver.Rules) != 3 || len(driver.SupportedTaxonomies) != 2 || run.Tool.Extensions[0].Version != "1.2.3" {
		t.Errorf("%+v", run.Tool)
	}
	i := run.Invocations[0]
	if i.ExecutionSuccessful || i.ExitCode != exitPolicy || len(i.Notifications) != 3 {
		t.Errorf("%+v", i)
	}
	for _, n := range i.Notifications {
		if driver.Notifications[n.Descriptor.Index].ID != n.Descriptor.ID {
			t.Errorf("%+v leads elsewhere", n)
		}
	}
}

// TestSarifFingerprint: it stays the same when the file is written in another
// way, and changes with rule, place and text.
func TestSarifFingerprint(t *testing.T) {
	key := func(f engine.Finding) string {
		run := sarifLog("-", nil, scanned{Findings: []engine.Finding{f}}, nil).Runs[0]
		if run.Results[0].Locations[0].PhysicalLocation != nil || run.Artifacts != nil {
			t.Error("standard input has no place")
		}
		return run.Results[0].PartialFingerprints["bartizanFinding/v1"]
	}
	one := key(aFinding("r", "/a", "text", "text"))
	for _, other := range []engine.Finding{aFinding("q", "/a", "text", "text"), aFinding("r", "/b", "text", "text"), aFinding("r", "/a", "other", "other")} {
		if key(other) == one {
			t.Errorf("%+v is taken for another", other)
		}
	}
	if key(aFinding("r", "/a", "text", "x")) != one {
		t.Error("a part of the same text is another finding")
	}
}

// TestSarifOfScan: the regions of a real scan hold the words that it is about.
func TestSarifOfScan(t *testing.T) {
	raw := []byte("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\n\"params\":{\"name\":\"save\",\"arguments\":{\"note\":\"token ghp_zQ8mW2xKcV5nT7rJ4hLsD9fYbG3aP20RkQ2P\"}}}")
	messages, err := readMessages(message.PhaseRequest, "", raw)
	if err != nil || len(messages) != 1 {
		t.Fatal(err)
	}
	for _, s := range messages[0].Segments {
		if s.Pointer != "/params/arguments/note" || !strings.HasPrefix(s.Text, "token ") { // or the member's name
			continue
		}
		f := aFinding("tide.high-water", s.Pointer, s.Text, "ghp_zQ8mW2xKcV5nT7rJ4hLsD9fYbG3aP20RkQ2P")
		region := sarifLog("a.json", raw, scanned{Findings: []engine.Finding{f}}, nil).Runs[0].Results[0].Locations[0].PhysicalLocation.Region
		if region == nil || region.StartLine != 2 || region.ByteLength != 40 {
			t.Errorf("%+v", region)
		}
		return
	}
	t.Error("no such text")
}
