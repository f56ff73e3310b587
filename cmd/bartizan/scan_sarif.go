package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bartizan-mcp/bartizan/cmd/internal/scanners"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/sarif"
)

const (
	informationURI = "https://github.com/bartizan-mcp/bartizan"
	detectionURI   = informationURI + "/blob/main/docs/detection.md"
)

// sarifRun builds the SARIF run of one document: a rule for each that a scanner
// has, a result for each finding, a notification for each scanner that failed.
type sarifRun struct {
	run   sarif.Run
	taxa  *sarif.Taxa
	rules map[string]int // by scanner and rule
	raw   []byte
	seen  map[string]int // findings with one place, so far
}

// sarifLog is a scan as SARIF. The document is a file's name, "-" for standard
// input, of which no physical location can be given.
func sarifLog(document string, raw []byte, s scanned, bound []scanners.Bound) sarif.Log {
	r := &sarifRun{rules: map[string]int{}, raw: raw, seen: map[string]int{}}
	r.taxa = taxaOf(s, bound)
	r.run = sarif.Run{ColumnKind: sarif.Columns, Taxonomies: r.taxa.Components, Results: []sarif.Result{}}
	r.describe(bound)
	if document != "-" {
		sum := sha256.Sum256(raw)
		r.run.Artifacts = []sarif.Artifact{{
			Location: sarif.ArtifactLocation{URI: fileURI(document)}, Roles: []string{"analysisTarget"},
			MIMEType: "application/json", Length: len(raw), Hashes: map[string]string{"sha-256": hex.EncodeToString(sum[:])},
		}}
	}
	for _, f := range s.Findings {
		r.run.Results = append(r.run.Results, r.result(f))
	}
	r.run.Invocations = []sarif.Invocation{invocation(s)}
	return sarif.New(r.run)
}

// fileURI is a file's name as a URI reference: relative ones stay relative.
func fileURI(name string) string {
	u := url.URL{Path: filepath.ToSlash(filepath.Clean(name))}
	if filepath.IsAbs(name) {
		u.Scheme = "file"
	}
	return u.String()
}

func taxaOf(s scanned, bound []scanners.Bound) *sarif.Taxa {
	var ids []string
	for _, b := range bound {
		for _, rule := range b.Manifest.Rules {
			ids = append(ids, rule.Taxonomy...)
		}
	}
	for _, f := range s.Findings {
		ids = append(ids, f.Taxonomy...)
	}
	return sarif.TaxaOf(ids)
}

// describe says what was run: the program with the rules of all scanners, each
// scanner as an extension, the kinds of failure as notifications.
func (r *sarifRun) describe(bound []scanners.Bound) {
	driver := &r.run.Tool.Driver
	*driver = sarif.Component{
		Name: "bartizan", FullName: "Bartizan " + version(), Version: version(), InformationURI: informationURI,
		ShortDescription:    &sarif.Text{Text: "Scans what passes between AI agents and MCP servers"},
		SupportedTaxonomies: r.taxa.Supported(), Notifications: failureKinds(),
	}
	for _, b := range bound {
		r.run.Tool.Extensions = append(r.run.Tool.Extensions, sarif.Component{
			Name: b.Manifest.Name, Version: b.Manifest.Version, Properties: map[string]string{"digest": engine.Digest(b.Wasm)},
		})
		for _, rule := range b.Manifest.Rules {
			r.rule(b.Manifest.Name, rule)
		}
	}
}

// rule adds a rule once and returns its index.
func (r *sarifRun) rule(scanner string, rule engine.Rule) int {
	key := scanner + "\x00" + rule.ID
	if i, ok := r.rules[key]; ok {
		return i
	}
	_, name, _ := strings.Cut(rule.ID, ".")
	short := rule.Family + ": " + strings.ReplaceAll(cmp.Or(name, rule.ID), "-", " ")
	full := sentence(cmp.Or(rule.Description, short))
	d := sarif.Descriptor{
		ID: rule.ID, Name: rule.ID, ShortDescription: &sarif.Text{Text: short}, FullDescription: &sarif.Text{Text: full},
		Help: &sarif.Text{Text: strings.TrimSpace(full + "\n\n" + advice[rule.Family])}, HelpURI: detectionURI,
		DefaultConfiguration: &sarif.Configuration{Level: severityLevel(rule.Severity)},
		Properties: map[string]any{
			"family": rule.Family, "severity": rule.Severity, "security-severity": securitySeverity[rule.Severity],
			"scanner": scanner, "tags": slices.Concat([]string{"security", rule.Family}, rule.Taxonomy),
		},
	}
	for _, ref := range r.taxa.Refs(rule.Taxonomy) {
		d.Relationships = append(d.Relationships, sarif.Relationship{Target: ref, Kinds: []string{"relevant"}})
	}
	r.rules[key] = len(r.run.Tool.Driver.Rules)
	r.run.Tool.Driver.Rules = append(r.run.Tool.Driver.Rules, d)
	return r.rules[key]
}

// sentence makes one of a manifest's description.
func sentence(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[size:]
	if strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// advice is what a reader can do about findings of a family.
var advice = map[string]string{
	"injection": "The text addresses the model that reads it. Do not act on it; find out who wrote it, and let it pass only by a waiver.",
	"exfil":     "The text carries a secret or personal data. Revoke the secret if it was real, and keep such values out of calls and results.",
	"poisoning": "The listing steers the model instead of describing the tool. Ask the server's author, and do not approve it as it is.",
	"shadowing": "The entry can be taken for one of another server, or gives orders about it. Compare both and approve one of them, or rename it.",
	"integrity": "What was scanned differs from what it claims to be. Compare it with its source.",
}

// securitySeverity are scores as viewers of SARIF sort by them, of ten.
var securitySeverity = map[engine.Severity]string{
	engine.SeverityCritical: "9.5", engine.SeverityHigh: "8.0", engine.SeverityMedium: "5.5", engine.SeverityLow: "2.5", engine.SeverityInfo: "0.5",
}

func severityLevel(s engine.Severity) string {
	switch {
	case s.AtLeast(engine.SeverityHigh):
		return sarif.Error
	case s.AtLeast(engine.SeverityMedium):
		return sarif.Warning
	}
	return sarif.Note
}

func actionLevel(a engine.Action) string {
	switch a {
	case engine.ActionBlock, engine.ActionRedact:
		return sarif.Error
	case engine.ActionFlag:
		return sarif.Warning
	}
	return sarif.Note
}

// notices are what keeps a run from being complete, in the order of their
// descriptors.
var notices = []struct{ id, text string }{
	{engine.FailureRefused, "The document or the module was refused before it was examined."},
	{engine.FailureTrap, "A scanner stopped by a fault of its own."},
	{engine.FailureFuel, "A scanner used up the work that one call may cost."},
	{engine.FailureDeadline, "A scanner did not answer in time."},
	{engine.FailureMemory, "A scanner asked for more memory than it may have."},
	{engine.FailureDepth, "A scanner called itself too deeply."},
	{engine.FailureOutput, "A scanner's answer was not valid."},
	{"unexamined", "Part of the document was not examined."},
}

func failureKinds() (all []sarif.Descriptor) {
	for _, n := range notices {
		all = append(all, sarif.Descriptor{ID: n.id, ShortDescription: &sarif.Text{Text: n.text}})
	}
	return all
}

func invocation(s scanned) sarif.Invocation {
	i := sarif.Invocation{
		ExecutionSuccessful: len(s.Failures) == 0 && !s.Unexamined, Notifications: []sarif.Notification{},
		Properties: map[string]any{"action": s.Action, "unexamined": s.Unexamined},
	}
	if !s.Action.Less(engine.ActionFlag) {
		i.ExitCode = exitPolicy
	}
	add := func(kind, text string) {
		for at, n := range notices {
			if n.id == kind {
				i.Notifications = append(i.Notifications, sarif.Notification{
					Level: sarif.Error, Descriptor: sarif.DescriptorRef{ID: kind, Index: at}, Message: sarif.Text{Text: text},
				})
			}
		}
	}
	for _, f := range s.Failures {
		add(f.Kind, fmt.Sprintf("%s: %s: %s", f.Scanner, f.Kind, f.Detail))
	}
	if s.Unexamined {
		add("unexamined", notExamined)
	}
	return i
}
