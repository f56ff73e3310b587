package main

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/sarif"
)

// result is one finding.
func (r *sarifRun) result(f engine.Finding) sarif.Result {
	last := f.Pointer[strings.LastIndexByte(f.Pointer, '/')+1:]
	at := sarif.Location{LogicalLocations: []sarif.LogicalLocation{{Name: last, FullyQualifiedName: f.Pointer, Kind: "value"}}}
	if len(r.run.Artifacts) > 0 {
		at.PhysicalLocation = &sarif.PhysicalLocation{ArtifactLocation: r.run.Artifacts[0].Location, Region: r.region(f)}
	}
	properties := map[string]any{"action": f.Action, "severity": f.Severity, "confidence": f.Confidence, "family": f.Family, "scanner": f.Scanner}
	if f.Provenance != "" {
		properties["provenance"] = f.Provenance
	}
	if f.End > f.Start {
		properties["start"], properties["end"] = f.Start, f.End // in the decoded string
	}
	return sarif.Result{
		RuleID:    f.Rule,
		RuleIndex: r.rule(f.Scanner, engine.Rule{ID: f.Rule, Family: f.Family, Severity: f.Severity, Taxonomy: f.Taxonomy}),
		Kind:      "fail", Level: actionLevel(f.Action), Message: sarif.Text{Text: f.Message}, Locations: []sarif.Location{at},
		PartialFingerprints: map[string]string{"bartizanFinding/v1": findingKey(f)},
		Rank:                math.Round(1000*f.Confidence) / 10, Taxa: r.taxa.Refs(f.Taxonomy), Properties: properties,
	}
}

// findingKey stays the same while the text at the pointer does, as a waiver's
// does: it names rule, pointer and leaf.
func findingKey(f engine.Finding) string {
	sum := sha256.New()
	for _, part := range []string{f.Rule, f.Pointer, f.Leaf} {
		sum.Write(strconv.AppendInt(nil, int64(len(part)), 10))
		sum.Write([]byte{':'})
		sum.Write([]byte(part))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// region is where a finding stands in the file, nil where that is not known.
// Pointers start at the message that the document was read as; which value it is
// the leaf digest tells. A finding in a decoded view is the whole string.
func (r *sarifRun) region(f engine.Finding) *sarif.Region {
	var found []*sarif.Region
	for _, pointer := range pointersOf(f.Pointer) {
		value, start, end, err := jsonrpc.Get(r.raw, jsontext.Pointer(pointer))
		if err != nil || value.Kind() != '"' || !isLeaf(f, value) {
			continue
		}
		if f.Provenance == "" && f.End > f.Start {
			from, to := sarif.Within(value, f.Start, f.End)
			start, end = start+from, start+to
		}
		found = append(found, sarif.RegionOf(r.raw, start, end))
	}
	if len(found) == 0 {
		return nil
	}
	// A capture may hold the same listing twice, once for each protocol era.
	key := findingKey(f) + strconv.Itoa(f.Start) + ":" + strconv.Itoa(f.End)
	n := min(r.seen[key], len(found)-1)
	r.seen[key]++
	return found[n]
}

// maxListings is how many listings of a capture are looked through.
const maxListings = 8

// pointersOf are where in a document a message's pointer may lead: a message or
// a list itself, a response with a list, a recording, a single tool, the
// listings of a capture.
func pointersOf(pointer string) []string {
	all := []string{pointer, "/result" + pointer, "/initialize" + pointer}
	if rest, ok := strings.CutPrefix(pointer, "/tools/0"); ok {
		all = append(all, rest)
	}
	for i := range maxListings {
		all = append(all, "/listings/"+strconv.Itoa(i)+pointer)
	}
	return all
}

func isLeaf(f engine.Finding, value jsontext.Value) bool {
	text, err := jsontext.AppendUnquote(nil, value)
	if err != nil {
		return false
	}
	quoted, err := jsontext.AppendQuote(nil, text) // as RFC 8785 has it
	return err == nil && f.Leaf == "sha256:"+fingerprint.LeafDigest(f.Pointer, quoted).String()
}
