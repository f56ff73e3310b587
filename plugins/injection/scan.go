package main

import (
	"slices"

	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// Room that is made once: a call starts with it as it was made.
var (
	scorer  textmodel.Scorer
	reading textmodel.Reading
	windows textmodel.Windower
)

// scan reads every text that a model would.
func scan(in *scanner.Input) *scanner.Output {
	out := scanner.NewOutput()
	if in.Phase == "request" {
		obeyed(in, out)
		return out
	}
	if model == nil { // a host that does not configure
		if configure(nil) != nil {
			return nil
		}
	}
	var sent map[string]uint32 // pointer → phrases that the text as sent shows; nil without views
	if slices.ContainsFunc(in.Segments, func(s scanner.Segment) bool { return s.Provenance != "" }) {
		sent = make(map[string]uint32)
	}
	for i, s := range in.Segments {
		if s.Kind == "mime" || len(s.Text) < minText {
			continue
		}
		shown, seen := sent[s.Pointer]
		if !seen && disguises(s.Provenance) {
			shown = ^uint32(0) // the text as sent is in another part of the message
		}
		seen = seen || !hides(s.Provenance)
		if phrases := examine(out, i, s, shown); seen && sent != nil {
			sent[s.Pointer] |= phrases
		}
	}
	markAddressed(in, out)
	markOrders(in, out)
	return out
}

// minText is the length in bytes below which a text holds no instruction.
const minText = 8

// unknown is where the first template stands before anything asked.
const unknown = -2

// examine reports the worst window of one text under each rule, and returns the
// phrases of a text that a reader sees. shown are those that the same place
// showed before it was decoded.
func examine(out *scanner.Output, segment int, s scanner.Segment, shown uint32) uint32 {
	var found verdicts
	var all uint32
	marker := unknown
	end := windows.Read(s.Text, textmodel.MaxTokens, func(w []textmodel.Token) bool {
		if windows.Silent() {
			return true
		}
		r := &reading
		if r.Read(w); r.Silent() {
			return true
		}
		if marker == unknown {
			marker = template(s.Text)
		}
		all |= r.Phrases
		judge(&found, r, marker)
		if hides(s.Provenance) {
			encoded(&found, r, shown, s.Provenance)
		}
		if v := scorer.Score(model, w, r); v >= model.Flag {
			span := textmodel.Span{Start: w[0].Start, End: w[len(w)-1].End}
			found.add(ruleModel, graded(v, r), confidence(v), span)
		}
		return true
	})
	if end < len(s.Text) {
		out.Skip(segment, end, len(s.Text))
	}
	for rule, v := range found {
		if v.severity == "" {
			continue
		}
		out.Add(scanner.Finding{Rule: ruleIDs[rule], Severity: v.severity, Confidence: v.confidence,
			Segment: segment, Start: int(v.span.Start), End: int(v.span.End)})
	}
	markFound(out, segment, s.Text, &found)
	if hides(s.Provenance) {
		return 0
	}
	return all
}

// graded blocks on the model's word only where a phrase of override, command
// and concealment stands beside it.
func graded(score int32, r *textmodel.Reading) string {
	if score >= model.Block && r.Any(textmodel.SetAside, textmodel.Conceal, textmodel.FakeEnvelope, textmodel.SystemDirective) {
		return "high"
	}
	return "medium"
}

// confidence maps the distance above the threshold to 0.5 … 0.95.
func confidence(score int32) float64 {
	above := float64(score-model.Flag) / 65536
	return 0.5 + 0.45*above/(above+1)
}
