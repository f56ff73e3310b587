package main

import "github.com/bartizan-mcp/bartizan/plugins/textmodel"

// The rules of manifest.json.
const (
	ruleOverride = iota
	ruleConceal
	ruleExfiltrate
	ruleFakeRole
	rulePersona
	ruleEncoded
	ruleModel
	ruleCount
)

var ruleIDs = [ruleCount]string{
	ruleOverride:   "injection.override",
	ruleConceal:    "injection.concealment",
	ruleExfiltrate: "injection.exfiltration-order",
	ruleFakeRole:   "injection.fake-role",
	rulePersona:    "injection.persona",
	ruleEncoded:    "injection.encoded-instruction",
	ruleModel:      "injection.model",
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
func judge(v *verdicts, r *textmodel.Reading, provenance string) {
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
			r.Has(textmodel.SendAway, textmodel.Imperative) {
			severity = "high"
		}
		v.add(ruleConceal, severity, 0.8, r.Span(textmodel.Conceal))
	}
	if r.Has(textmodel.SendAway) && r.Any(textmodel.SendSensitive, textmodel.ReadPrivate, textmodel.SendDialogue) &&
		r.Any(textmodel.AddressModel, textmodel.FakeEnvelope, textmodel.FakeRole, textmodel.SetAsideLoose, textmodel.CovertAct, textmodel.Conceal) {
		severity := "medium"
		if r.Has(textmodel.ReadPrivate) && r.Any(textmodel.FakeEnvelope, textmodel.SetAside, textmodel.Conceal) {
			severity = "high"
		}
		v.add(ruleExfiltrate, severity, 0.7, r.Span(textmodel.SendAway, textmodel.SendSensitive))
	}
	if r.Any(textmodel.SystemDirective, textmodel.FakeRole) && r.Any(textmodel.SetAsideLoose, textmodel.WeakenControl, textmodel.SendSensitive, textmodel.NewDirective, textmodel.CovertAct, textmodel.Conceal) {
		v.add(ruleFakeRole, "medium", 0.65, r.Span(textmodel.SystemDirective, textmodel.FakeRole))
	}
	if r.Any(textmodel.TakePersona, textmodel.YouAreNow) && r.Any(textmodel.TakeUnbound, textmodel.SetAsideLoose, textmodel.HarmfulTask) &&
		r.Any(textmodel.YouMust, textmodel.AddressModel, textmodel.SetAside, textmodel.TakeUnbound) {
		v.add(rulePersona, "medium", 0.65, r.Span(textmodel.TakePersona, textmodel.YouAreNow))
	}
	if hidden(provenance) && r.Any(textmodel.SetAside, textmodel.Conceal, textmodel.RevealPrompt, textmodel.SystemDirective, textmodel.SendSensitive, textmodel.ReadPrivate) {
		v.add(ruleEncoded, "high", 0.9, r.Span(textmodel.SetAside, textmodel.Conceal, textmodel.RevealPrompt, textmodel.SystemDirective, textmodel.SendSensitive, textmodel.ReadPrivate))
	}
}

// hidden reports the decodings that a reader does not see through: a model does.
func hidden(provenance string) bool {
	switch provenance {
	case "", "raw", "json", "nfkc", "escape", "escapes", "percent":
		return false
	}
	return true
}
