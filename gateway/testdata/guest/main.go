// Command guest is the scanner of the gateway's tests: it finds plain markers,
// so that a test can ask for every kind of verdict.
package main

import (
	"strings"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

func main() {}

func init() { scanner.Handle(nil, scan) }

func scan(in *scanner.Input) *scanner.Output {
	out := scanner.NewOutput()
	for i, s := range in.Segments {
		if at := strings.Index(s.Text, "REMEMBER-ME "); at >= 0 {
			from := at + len("REMEMBER-ME ")
			to := from + strings.IndexByte(s.Text[from:]+" ", ' ')
			out.Add(scanner.Finding{Rule: "marker.mark", Confidence: 1, Segment: i, Start: from, End: to, Mark: "secret"})
		}
		if s.Provenance != "" {
			continue
		}
		if at := strings.Index(s.Text, "BLOCK-ME"); at >= 0 {
			out.Add(scanner.Finding{Rule: "marker.block", Severity: "high", Confidence: 1, Segment: i, Start: at, End: at + len("BLOCK-ME")})
		}
		if at := strings.Index(s.Text, "NOTE-ME"); at >= 0 {
			out.Add(scanner.Finding{Rule: "marker.note", Confidence: 1, Segment: i, Start: at, End: at + len("NOTE-ME")})
		}
		if at := strings.Index(s.Text, "REDACT-ME"); at >= 0 {
			gone := "[removed]"
			out.Add(scanner.Finding{Rule: "marker.redact", Severity: "medium", Confidence: 1, Segment: i, Start: at, End: at + len("REDACT-ME"), Replacement: &gone})
		}
		if at := strings.Index(s.Text, "STUBBORN"); at >= 0 {
			same := "STUBBORN"
			out.Add(scanner.Finding{Rule: "marker.redact", Severity: "medium", Confidence: 1, Segment: i, Start: at, End: at + len("STUBBORN"), Replacement: &same})
		}
		if strings.Contains(s.Text, "TRAP-ME") {
			panic("asked to")
		}
		for strings.Contains(s.Text, "LOOP-ME") {
		}
		if strings.Contains(s.Text, "SKIP-ME") {
			out.Skip(i, 0, len(s.Text))
		}
	}
	for _, f := range in.Flow {
		out.Add(scanner.Finding{Rule: "marker.block", Confidence: 1, Segment: f.Segment, Start: f.Start, End: f.End})
	}
	return out
}
