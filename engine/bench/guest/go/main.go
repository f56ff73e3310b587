// Command go is the scanner of guest/c/examine.h by the standard Go toolchain:
// every phrase in every segment is a finding.
package main

import (
	"github.com/bartizan-mcp/bartizan/engine/bench/guest/phrases"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

func main() {}

func init() { scanner.Handle(nil, scan) }

var table = phrases.New(phrases.All)

func scan(in *scanner.Input) *scanner.Output {
	out := scanner.NewOutput()
	for k, s := range in.Segments {
		at := uint16(0)
		for i := range len(s.Text) {
			at = table.Next[at][table.Class[s.Text[i]]]
			if e := table.Ends[at]; e != 0 {
				out.Add(scanner.Finding{Rule: "bench.phrase", Confidence: 1, Segment: k, Start: i + 1 - len(phrases.All[e-1]), End: i + 1})
			}
		}
	}
	return out
}
