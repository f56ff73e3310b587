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
	request := in.Phase == "request"
	if request {
		obeyed(in, out)
	}
	if model == nil { // a host that does not configure
		if configure(nil) != nil {
			return nil
		}
	}
	var sent map[string]uint64 // pointer → phrases that the text as sent shows; nil without views
	if slices.ContainsFunc(in.Segments, func(s scanner.Segment) bool { return s.Provenance != "" }) {
		sent = make(map[string]uint64)
	}
	for i, s := range in.Segments {
		if s.Kind == "mime" || len(s.Text) < minText {
			continue
		}
		shown, seen := sent[s.Pointer]
		if !seen && disguises(s.Provenance) {
			shown = ^uint64(0) // the text as sent is in another part of the message
		}
		seen = seen || !hides(s.Provenance)
		if phrases := examine(out, i, s, shown, in.Phase); seen && sent != nil {
			sent[s.Pointer] |= phrases
		}
	}
	if !request {
		low := new(lowercase)
		if in.Phase != "prompt" {
			appeals(in, out, low)
		}
		markAddressed(in, out, low)
		markOrders(in, out)
	}
	return out
}

// minText is the length in bytes below which a text holds no instruction.
const minText = 8

// unknown is where the first template stands before anything asked.
const unknown = -2

// examine reports the worst window of one text under each rule, and returns the
// phrases of a text that a reader sees. shown are those that the same place
// showed before it was decoded. Texts of calls and prompts are there to ask for
// something: asking is no finding there.
func examine(out *scanner.Output, segment int, s scanner.Segment, shown uint64, phase string) uint64 {
	asking := phase == "request" || phase == "prompt"
	var found verdicts
	var all uint64
	marker := unknown
	first := textmodel.Span{Start: -1}
	end := windows.Read(s.Text, textmodel.MaxTokens, func(w []textmodel.Token) bool {
		if first.Start < 0 {
			first.Start = w[0].Start
		}
		if windows.Silent() {
			return true
		}
		r := &reading
		if r.Read(w); r.Silent() {
			return true
		}
		if !hides(s.Provenance) {
			unmention(s.Text, r)
		}
		if marker == unknown {
			marker = template(s.Text)
		}
		all |= r.Phrases
		judge(&found, r, marker)
		if span, ok := errand(s.Text, w, r); ok && !asking {
			found.add(ruleErrand, "medium", 0.6, span)
		}
		if hides(s.Provenance) {
			encoded(&found, r, shown, s.Provenance)
		}
		size := textmodel.WindowWords
		if !asking && w[0].Start == first.Start {
			size = len(w)
		}
		if v := scorer.Score(model, w, r); v >= model.Flag+margin(size, r) {
			span := textmodel.Span{Start: w[0].Start, End: w[len(w)-1].End}
			found.add(ruleModel, graded(v, r), confidence(v), span)
		}
		return true
	})
	if !asking && !hides(s.Provenance) {
		if span, ok := stray(s.Text); ok {
			found.add(ruleStray, "medium", 0.55, span)
		}
	}
	if end < len(s.Text) {
		out.Skip(segment, end, len(s.Text))
	}
	for rule, v := range found {
		if v.severity == "" || phase == "request" && !plain(rule) {
			continue
		}
		out.Add(scanner.Finding{Rule: ruleIDs[rule], Severity: v.severity, Confidence: v.confidence,
			Segment: segment, Start: int(v.span.Start), End: int(v.span.End)})
	}
	if phase != "request" {
		markFound(out, segment, s.Text, &found)
	}
	if hides(s.Provenance) {
		return 0
	}
	return all
}

// plain reports the rules for what nobody means well by, not even as an argument.
func plain(rule int) bool {
	return rule == ruleOverride || rule == ruleConceal || rule == ruleEncoded || rule == ruleTemplate
}

// How many words a text may have to be taken as one utterance, and as a short
// one. A longer text has several sentences, each of which may be mistaken for an
// instruction: there the model's word has to be clearer.
const (
	utterance = 25
	shortText = 60
)

// How far above its threshold the model has to be in a longer text, in units of a score.
const (
	longMargin   = 3 << 16
	strongMargin = longMargin / 2
	shortMargin  = longMargin / 2
)

// margin is how far above its threshold the model has to be in a text of so many
// words, less where it is a model that is spoken to.
func margin(words int, r *textmodel.Reading) int32 {
	strong := r.Any(textmodel.SetAside, textmodel.Conceal, textmodel.RevealPrompt, textmodel.TakePersona, textmodel.TakeUnbound, textmodel.YouAreNow, textmodel.AddressModel,
		textmodel.NewDirective, textmodel.ShapeReply, textmodel.EmbedCode, textmodel.NoRefusal, textmodel.SystemDirective, textmodel.MoveMoney)
	switch {
	case words < utterance, words < shortText && strong:
		return 0
	case words < shortText:
		return shortMargin
	case strong:
		return strongMargin
	}
	return longMargin
}

// graded blocks on the model's word only where a phrase of override, command
// and concealment stands beside it.
func graded(score int32, r *textmodel.Reading) string {
	if score >= model.Block && (r.Any(textmodel.SetAside, textmodel.Conceal, textmodel.FakeEnvelope) ||
		r.Has(textmodel.SystemDirective) && r.Any(textmodel.WeakenControl, textmodel.SetAsideLoose, textmodel.DestroyAct)) {
		return "high"
	}
	return "medium"
}

// confidence maps the distance above the threshold to 0.5 … 0.95.
func confidence(score int32) float64 {
	above := float64(score-model.Flag) / 65536
	return 0.5 + 0.45*above/(above+1)
}
