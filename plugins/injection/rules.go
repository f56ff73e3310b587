package main

import (
	"math/bits"
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/swar"
	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
)

// The rules of manifest.json.
const (
	ruleOverride = iota
	ruleConceal
	ruleExfiltrate
	ruleFakeRole
	rulePersona
	ruleEncoded
	ruleTemplate
	ruleModel
	ruleStray
	ruleErrand
	ruleAppeal
	ruleCount
)

var ruleIDs = [ruleCount]string{
	ruleOverride:   "injection.override",
	ruleConceal:    "injection.concealment",
	ruleExfiltrate: "injection.exfiltration-order",
	ruleFakeRole:   "injection.fake-role",
	rulePersona:    "injection.persona",
	ruleEncoded:    "injection.encoded-instruction",
	ruleTemplate:   "injection.chat-template",
	ruleModel:      "injection.model",
	ruleStray:      "injection.stray-request",
	ruleErrand:     "injection.errand",
	ruleAppeal:     "injection.appeal",
}

type verdict struct {
	severity   string
	confidence float64
	span       textmodel.Span
}

// verdicts holds the worst verdict under each rule.
type verdicts [ruleCount]verdict

func (v *verdicts) add(rule int, severity string, confidence float64, span textmodel.Span) {
	if old := &v[rule]; old.severity == "" || old.severity == "medium" && severity == "high" {
		*old = verdict{severity, confidence, span}
	}
}

// acts are the phrases that ask for something to be done.
var acts = []textmodel.Phrase{textmodel.SendAway, textmodel.SendSensitive, textmodel.ReadPrivate, textmodel.CovertAct,
	textmodel.RunShell, textmodel.YouMust, textmodel.NewDirective, textmodel.DestroyAct, textmodel.MoveMoney, textmodel.RevealPrompt}

// judge applies the rules to one window. A rule alone flags; it blocks where
// phrases of different kinds meet, which ordinary text does not do.
func judge(v *verdicts, r *textmodel.Reading, marker int) {
	if r.Has(textmodel.SetAside) {
		severity := "medium"
		if r.Any(acts...) || r.Any(textmodel.Conceal, textmodel.FakeEnvelope, textmodel.SystemDirective) {
			severity = "high"
		}
		v.add(ruleOverride, severity, 0.8, r.Span(textmodel.SetAside))
	}
	if r.Has(textmodel.Conceal) && r.Any(textmodel.SendAway, textmodel.SendSensitive, textmodel.ReadPrivate, textmodel.ReadSensitive,
		textmodel.CovertAct, textmodel.OrderedAct, textmodel.FakeEnvelope, textmodel.SetAside) {
		severity := "medium"
		if r.Any(textmodel.SendSensitive, textmodel.ReadPrivate, textmodel.FakeEnvelope, textmodel.SetAside) ||
			r.Has(textmodel.SendAway, textmodel.Imperative) || r.Has(textmodel.ReadSensitive, textmodel.OrderedAct) {
			severity = "high"
		}
		v.add(ruleConceal, severity, 0.8, r.Span(textmodel.Conceal))
	}
	if r.Has(textmodel.SendAway) && r.Any(textmodel.SendSensitive, textmodel.ReadPrivate, textmodel.SendDialogue) && together(r) &&
		r.Any(textmodel.AddressModel, textmodel.FakeEnvelope, textmodel.FakeRole, textmodel.SetAsideLoose, textmodel.CovertAct, textmodel.Conceal) {
		severity := "medium"
		if r.Has(textmodel.ReadPrivate) && r.Any(textmodel.FakeEnvelope, textmodel.SetAside, textmodel.Conceal) {
			severity = "high"
		}
		v.add(ruleExfiltrate, severity, 0.7, r.Span(textmodel.SendAway, textmodel.SendSensitive))
	}
	if (r.Has(textmodel.SystemDirective) || r.Has(textmodel.FakeRole) && r.Any(textmodel.SetAside, textmodel.Conceal, textmodel.AddressModel)) && r.Any(textmodel.SetAsideLoose, textmodel.WeakenControl, textmodel.SendSensitive, textmodel.NewDirective, textmodel.CovertAct, textmodel.Conceal) {
		severity := "medium"
		if r.Has(textmodel.SystemDirective, textmodel.WeakenControl) && r.Classes&textmodel.Negation == 0 && r.Any(textmodel.DestroyAct, textmodel.SetAsideLoose) || r.Has(textmodel.SystemDirective, textmodel.Conceal) {
			severity = "high"
		}
		v.add(ruleFakeRole, severity, 0.65, r.Span(textmodel.SystemDirective, textmodel.FakeRole))
	}
	if r.Classes&textmodel.You != 0 && r.Any(textmodel.TakePersona, textmodel.YouAreNow) && r.Any(textmodel.TakeUnbound, textmodel.SetAsideLoose, textmodel.HarmfulTask) &&
		r.Any(textmodel.YouMust, textmodel.AddressModel, textmodel.SetAside, textmodel.TakeUnbound) {
		v.add(rulePersona, "medium", 0.65, r.Span(textmodel.TakePersona, textmodel.YouAreNow))
	}
	if r.Classes&textmodel.Late != 0 && r.Has(textmodel.SendSensitive) && (r.Classes&textmodel.Whole != 0 || r.Any(textmodel.Conceal, textmodel.ConcealLoose)) {
		v.add(ruleExfiltrate, "medium", 0.6, r.Span(textmodel.SendSensitive)) // in another language than English
	}
	if i := marker; i >= 0 && r.Any(textmodel.SystemDirective, textmodel.SetAsideLoose, textmodel.YouAreNow, textmodel.AddressModel,
		textmodel.NewDirective, textmodel.YouMust, textmodel.Imperative, textmodel.PoliteOrder) {
		v.add(ruleTemplate, "medium", 0.75, textmodel.Span{Start: int32(i), End: int32(i + 2)})
	}
}

// orderSpan is how many bytes an order to send something away may take, and
// what is to be sent may stand before or behind.
const orderSpan = 240

// together reports that what is to be sent and where it is to go are in one
// order, and that there is an order.
func together(r *textmodel.Reading) bool {
	s := r.Span(textmodel.SendAway, textmodel.SendSensitive, textmodel.ReadPrivate, textmodel.SendDialogue)
	return s.End-s.Start <= orderSpan && r.Any(textmodel.Imperative, textmodel.PoliteOrder, textmodel.YouMust, textmodel.OrderedAct, textmodel.Conceal, textmodel.CovertAct)
}

// templates are the tokens that set the turns of a conversation apart for a
// model. They have no business in what a tool returns.
var templates = [...]string{"<|im_start|>", "<|im_end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|start_header_id|>", "<|eot_id|>", "<start_of_turn>",
	"[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "\n\nHuman:", "\n\nAssistant:", "<|endoftext|>", "</s><s>"}

// template returns the place of the first such token, or -1. It reads the text
// once, by eight bytes: a search for each token by itself is slow in a guest.
func template(text string) int {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		v := swar.Load(text, i)
		for m := swar.Equal(v, '<') | swar.Equal(v, '[') | swar.Equal(v, '\n'); m != 0; m &= m - 1 {
			if at := i + bits.TrailingZeros64(m)/8; isTemplate(text, at) {
				return at
			}
		}
	}
	for ; i < len(text); i++ {
		if isTemplate(text, i) {
			return i
		}
	}
	return -1
}

// seconds are the second bytes of templates.
var seconds = func() (b [256]bool) {
	for _, t := range templates {
		b[t[1]] = true
	}
	return b
}()

func isTemplate(text string, i int) bool {
	if i+1 >= len(text) || !seconds[text[i+1]] {
		return false
	}
	for j := range templates {
		if strings.HasPrefix(text[i:], templates[j]) {
			return true
		}
	}
	return false
}

// encoded reports phrases of a decoded view that the text as sent did not show.
// Data files are full of keys and hosts: only phrases addressed to a model block.
func encoded(v *verdicts, r *textmodel.Reading, shown uint64, provenance string) {
	for _, p := range [...]textmodel.Phrase{textmodel.SetAside, textmodel.Conceal, textmodel.SystemDirective, textmodel.RevealPrompt} {
		if r.Has(p) && shown>>p&1 == 0 {
			severity := "high"
			if strings.Contains(provenance, "html-comment") && p != textmodel.SetAside {
				severity = "medium"
			}
			v.add(ruleEncoded, severity, 0.9, r.Span(p))
			return
		}
	}
	if r.Has(textmodel.ReadPrivate) && r.Any(textmodel.SendAway, textmodel.SendSensitive) && shown>>textmodel.ReadPrivate&1 == 0 {
		v.add(ruleEncoded, "medium", 0.7, r.Span(textmodel.ReadPrivate))
	}
}

// disguises reports the decodings that change how characters look, which honest
// text needs too: such a view tells nothing without the text as sent.
func disguises(provenance string) bool {
	for _, d := range [...]string{"base64", "base32", "hex", "codes", "rot13", "caesar", "atbash", "reversed", "spaced", "tag", "variation"} {
		if strings.Contains(provenance, d) {
			return false
		}
	}
	return true
}

// hiding are the decodings that undo what a reader does not see through and a
// model does. Escapes of JSON, URLs and HTML are the wire's own.
var hiding = [...]string{"base64", "base32", "hex", "codes", "rot13", "caesar", "atbash", "reversed", "spaced", "tag", "variation",
	"quoted-printable", "invisible", "confusables", "enclosed", "marks", "nfkc", "html-comment", "markdown"}

func hides(provenance string) bool {
	for _, d := range hiding {
		if strings.Contains(provenance, d) {
			return true
		}
	}
	return false
}
