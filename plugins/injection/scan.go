package main

import (
	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// scan reads every text that a model would.
func scan(in *scanner.Input) *scanner.Output {
	out := scanner.NewOutput()
	if model == nil { // a host that does not configure
		if configure(nil) != nil {
			return nil
		}
	}
	var features textmodel.Features
	for i, s := range in.Segments {
		if s.Kind == "mime" || len(s.Text) < minText {
			continue
		}
		tokens, end := textmodel.Tokenize(s.Text, textmodel.MaxTokens)
		if end < len(s.Text) {
			out.Skip(i, end, len(s.Text))
		}
		examine(out, i, s, tokens, &features)
	}
	return out
}

// minText is the length in bytes below which a text holds no instruction.
const minText = 8

// examine reports the worst window of one text under each rule.
func examine(out *scanner.Output, segment int, s scanner.Segment, tokens []textmodel.Token, f *textmodel.Features) {
	var found verdicts
	textmodel.Windows(tokens, func(w []textmodel.Token) bool {
		r := textmodel.Read(w)
		judge(&found, r, s.Provenance)
		f.Extract(w, r)
		if v := model.Score(f); v >= model.Flag {
			span := textmodel.Span{Start: w[0].Start, End: w[len(w)-1].End}
			found.add(ruleModel, graded(v, r), confidence(v), span)
		}
		return true
	})
	for rule, v := range found {
		if v.severity == "" {
			continue
		}
		out.Add(scanner.Finding{Rule: ruleIDs[rule], Severity: v.severity, Confidence: v.confidence,
			Segment: segment, Start: int(v.span.Start), End: int(v.span.End)})
	}
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
