package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/overreach"
	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// Room that is made once: a call starts with it as it was made.
var (
	scorer  textmodel.Scorer
	reading textmodel.Reading
	windows textmodel.Windower
	reader  overreach.Reader
	room    [maxHeld]textmodel.Token
)

// maxHeld is how many words a text may have to be taken apart once. A longer one
// is taken apart again where it is read passage by passage.
const maxHeld = 1 << 11

// scan reads every text of a listing.
func scan(in *scanner.Input) *scanner.Output {
	out := scanner.NewOutput()
	if model == nil { // a host that does not configure
		if configure(nil) != nil {
			return nil
		}
	}
	all := entriesOf(in)
	for i := range in.Segments {
		s := &in.Segments[i]
		e := all.entry(s.Item)
		switch s.Kind {
		case "name":
			if len(s.Text) > maxName {
				out.Add(scanner.Finding{Rule: ruleName, Confidence: 0.5, Segment: i, End: len(s.Text)})
			}
		case "parameter":
			switch asks := asksForContext(s.Text); {
			case asks == asksPlainly && !(e.described[s.Pointer] && all.deals(e)):
				out.Add(scanner.Finding{Rule: ruleParameter, Confidence: 0.7, Segment: i, End: len(s.Text)})
			case asks == asksPerhaps && !e.described[s.Pointer] && !all.deals(e):
				out.Add(scanner.Finding{Rule: ruleParameter, Confidence: 0.5, Segment: i, End: len(s.Text)})
			}
			if len(s.Text) <= maxName {
				continue
			}
		case "mime", "uri":
			continue
		}
		if len(s.Text) < minText {
			continue
		}
		all.examine(out, i, s, e)
	}
	return out
}

const (
	minText = 8   // bytes below which a text holds no instruction
	maxName = 128 // bytes; the protocol advises at most 128 for the name of a tool
)

// examine reports what one text says under each rule.
func (l *listing) examine(out *scanner.Output, segment int, s *scanner.Segment, e *entry) {
	var found verdicts
	words, all := windows.ReadInto(room[:], s.Text)
	l.held, l.words = nil, nil
	if all {
		l.held, l.words = s, words
	}
	if s.Kind != "name" {
		l.reach(&found, s, e)
		hidden(&found, s)
	}
	m := mentions{text: s.Text}
	consider := func(w []textmodel.Token) bool {
		r := &reading
		r.Read(w)
		start, end := w[0].Start, w[len(w)-1].End
		judge(&found, r, s.Text[start:end], &m)
		structure(&found, r, s, textmodel.Span{Start: start, End: end})
		found.place(textmodel.Span{Start: start, End: end})
		return true
	}
	if all {
		textmodel.Windows(words, consider)
		textmodel.PassageWindows(s.Text, words, func(w []textmodel.Token) bool {
			weigh(&found, w, 0)
			return true
		})
	} else if end := readLong(s.Text, consider, &found); end < len(s.Text) {
		out.Skip(segment, end, len(s.Text))
	}
	for rule := range found {
		v := &found[rule]
		if v.confidence == 0 {
			continue
		}
		out.Add(scanner.Finding{Rule: ruleIDs[rule], Severity: v.severity, Confidence: v.confidence,
			Segment: segment, Start: int(v.span.Start), End: int(v.span.End)})
	}
}

// readLong has every window of a text considered and every passage weighed. It
// returns how far it read.
func readLong(text string, consider func(w []textmodel.Token) bool, found *verdicts) int {
	end := windows.Read(text, textmodel.MaxTokens, consider)
	textmodel.Passages(text[:end], func(from, to int) bool {
		windows.Read(text[from:to], textmodel.MaxTokens, func(w []textmodel.Token) bool {
			weigh(found, w, int32(from))
			return true
		})
		return true
	})
	return end
}

// weigh asks the model about a window of a passage, whose offsets count from at.
func weigh(found *verdicts, w []textmodel.Token, at int32) {
	r := &reading
	r.Read(w)
	v := scorer.Score(model, w, r)
	if v < model.Flag {
		return
	}
	severity := "medium"
	if v >= model.Block && r.Any(textmodel.SetAside, textmodel.Conceal, textmodel.ReadPrivate) {
		severity = "high"
	}
	above := float64(v-model.Flag) / 65536
	found.add(ruleModel, severity, 0.5+0.45*above/(above+1), textmodel.Span{Start: at + w[0].Start, End: at + w[len(w)-1].End})
}

// structure applies the rules that depend on where a text stands and how the
// host came by it. Emoji, full-width letters and escapes are no hiding place:
// characters that merely look otherwise count only where they hide an order.
func structure(v *verdicts, r *textmodel.Reading, s *scanner.Segment, span textmodel.Span) {
	switch {
	case s.Provenance == "":
	case within(s.Provenance, "html-comment", "tag", "variation"):
		if r.Any(textmodel.SetAside, textmodel.Conceal, textmodel.PoliteOrder, textmodel.Imperative, textmodel.DestroyAct,
			textmodel.SendSensitive, textmodel.ReadSensitive, textmodel.SystemDirective, textmodel.YouMust, textmodel.SendAway) {
			v.add(ruleHidden, "", 0.8, span)
		}
	case within(s.Provenance, "base64", "base32", "hex", "codes", "rot13", "caesar", "atbash", "reversed", "spaced", "quoted-printable", "marks", "enclosed",
		"invisible", "confusables", "markdown"):
		if r.Any(textmodel.SetAside, textmodel.Conceal, textmodel.SystemDirective) || r.Has(textmodel.ReadPrivate, textmodel.SendSensitive) {
			v.add(ruleHidden, "", 0.8, span)
		}
	}
	if s.Kind == "schema-value" && r.Any(textmodel.SetAside, textmodel.Conceal, textmodel.ReadPrivate, textmodel.OrderedAct, textmodel.FakeEnvelope) {
		v.add(ruleSchema, "", 0.7, span)
	}
}

func within(provenance string, decoders ...string) bool {
	for _, d := range decoders {
		if strings.Contains(provenance, d) {
			return true
		}
	}
	return false
}
