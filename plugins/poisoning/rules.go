package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
)

// Rules that are found per text, in the order of ruleIDs.
const (
	ruleInstruction = iota
	ruleOverride
	ruleConceal
	rulePrivateFile
	ruleDiversion
	ruleSchema
	ruleHidden
	ruleEnvelope
	ruleCommand
	ruleAttack
	rulePromotion
	ruleModel
	ruleCount
)

// Rules of an entry's names.
const (
	ruleParameter = "poisoning.parameter"
	ruleName      = "poisoning.overlong-name"
)

var ruleIDs = [ruleCount]string{
	ruleInstruction: "poisoning.hidden-instruction",
	ruleOverride:    "poisoning.override",
	ruleConceal:     "poisoning.concealment",
	rulePrivateFile: "poisoning.private-file",
	ruleDiversion:   "poisoning.data-diversion",
	ruleSchema:      "poisoning.schema-instruction",
	ruleHidden:      "poisoning.hidden-text",
	ruleEnvelope:    "poisoning.fake-envelope",
	ruleCommand:     "poisoning.dangerous-command",
	ruleAttack:      "poisoning.attack-capability",
	rulePromotion:   "poisoning.self-promotion",
	ruleModel:       "poisoning.model",
}

type verdict struct {
	severity   string // "" takes the rule's own
	confidence float64
	span       textmodel.Span
}

// verdicts holds the worst verdict under each rule.
type verdicts [ruleCount]verdict

func (v *verdicts) add(rule int, severity string, confidence float64, span textmodel.Span) {
	if old := &v[rule]; old.confidence == 0 || old.severity != "high" && severity == "high" {
		*old = verdict{severity, confidence, span}
	}
}

// judge applies the rules over phrases to one window, whose text is given for
// what words do not carry: paths and shell punctuation.
func judge(v *verdicts, r *textmodel.Reading, text string) {
	path := privatePath(text)
	reach := r.Any(textmodel.ReadPrivate) && path >= 0
	carries := r.Any(textmodel.SendSensitive, textmodel.SendDialogue, textmodel.SendAway)
	switch {
	case r.Has(textmodel.FakeEnvelope) && (reach || r.Has(textmodel.Conceal) && (r.Any(textmodel.OrderedAct, textmodel.YouMust, textmodel.ReadSensitive) || carries)):
		v.add(ruleInstruction, "", 0.97, r.Span(textmodel.FakeEnvelope, textmodel.Conceal, textmodel.ReadPrivate))
	case r.Has(textmodel.Conceal) && (reach || r.Has(textmodel.SendSensitive) && r.Any(textmodel.SendAway, textmodel.OrderedAct)):
		v.add(ruleInstruction, "", 0.95, r.Span(textmodel.Conceal, textmodel.ReadPrivate, textmodel.SendSensitive))
	case r.Has(textmodel.SetAside) && (reach || r.Any(textmodel.SendAway, textmodel.SendSensitive, textmodel.YouMust, textmodel.NewDirective, textmodel.Conceal)):
		v.add(ruleInstruction, "", 0.93, r.Span(textmodel.SetAside))
	case reach && r.Any(textmodel.OrderedAct, textmodel.ToolOrder) && carries:
		v.add(ruleInstruction, "", 0.9, r.Span(textmodel.ReadPrivate))
	}
	if r.Has(textmodel.SetAside) {
		v.add(ruleOverride, "", 0.8, r.Span(textmodel.SetAside))
	}
	if r.Has(textmodel.Conceal) {
		v.add(ruleConceal, "", 0.6, r.Span(textmodel.Conceal))
	}
	if reach {
		v.add(rulePrivateFile, "", 0.6, r.Span(textmodel.ReadPrivate))
	}
	if diverts(r) {
		v.add(ruleDiversion, "", 0.6, r.Span(textmodel.SendSensitive, textmodel.SendDialogue, textmodel.SendAway))
	}
	if r.Any(textmodel.FakeEnvelope, textmodel.SystemDirective) && envelope(text) {
		v.add(ruleEnvelope, "", 0.7, r.Span(textmodel.FakeEnvelope, textmodel.SystemDirective))
	}
	if i := dangerousCommand(text); i >= 0 {
		at := r.Span(textmodel.RunShell)
		if at.Start < 0 {
			at = textmodel.Span{}
		}
		v.add(ruleCommand, "", 0.7, at)
	}
	if at, ok := attack(r, text); ok {
		v.add(ruleAttack, "", 0.6, at)
	}
	if r.Has(textmodel.SelfPromotion) && r.Classes&textmodel.Prefer != 0 && r.Classes&textmodel.Obligation != 0 {
		v.add(rulePromotion, "", 0.4, r.Span(textmodel.SelfPromotion))
	}
}

// diverts reports private data or the conversation going away together with a
// destination that the purpose of a tool does not explain.
func diverts(r *textmodel.Reading) bool {
	if !r.Any(textmodel.SendSensitive, textmodel.SendDialogue) || !r.Has(textmodel.SendAway) {
		return false
	}
	return r.Any(textmodel.CovertAct, textmodel.Conceal, textmodel.AttackTechnique, textmodel.FakeEnvelope)
}

// privatePath finds the path of a file that holds keys or passwords.
func privatePath(text string) int {
	for _, p := range [...]string{".ssh/", "id_rsa", "id_ed25519", "/etc/passwd", "/etc/shadow", ".aws/credentials", ".env", ".pem", ".netrc", ".npmrc", ".pypirc",
		".kube/config", "mcp.json", ".docker/config.json", ".gnupg", "wallet.dat", ".git-credentials", "credentials.json", ".bash_history", "keychain", "login data", "claude_desktop_config"} {
		if i := strings.Index(text, p); i >= 0 {
			return i
		}
	}
	return -1
}

// envelope reports a tag or fence that only someone who addresses a model writes.
func envelope(text string) bool {
	low := strings.ToLower(text)
	for _, tag := range [...]string{"<important", "<hidden", "<secret", "<system", "<instruction", "<admin", "<critical", "<override", "<|im_start", "<|system", "[system]", "[system ", "[inst]",
		"[admin", "[override", "[hidden", "[instructions]", "|||", "<<sys", "### system", "system override", "system:", "system prompt:", "admin_override", "system instruction"} {
		if strings.Contains(low, tag) {
			return true
		}
	}
	return false
}

// dangerousCommand finds a command that destroys, opens up or sends away data.
func dangerousCommand(text string) int {
	for _, c := range [...]string{"rm -rf", "chmod -R 0666", "chmod -R 777", "chmod 777 /", "| nc ", "|nc ", "/dev/tcp/", "curl -d @", "-d @/", "--data @/", "--data-binary @/", "| bash", "|bash", "| sh ", "base64 -d |", "mkfs.", "> /dev/sd", ":(){"} {
		if i := strings.Index(text, c); i >= 0 {
			return i
		}
	}
	return -1
}
