package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/literal"
	"github.com/bartizan-mcp/bartizan/plugins/swar"
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
	rulePolite
	ruleHijack
	ruleDisregard
	ruleContext
	ruleErrand
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
	rulePolite:      "poisoning.polite-order",
	ruleHijack:      "poisoning.tool-hijack",
	ruleDisregard:   "poisoning.user-disregard",
	ruleContext:     "poisoning.context-request",
	ruleErrand:      "poisoning.errand",
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

// place gives the window as the place of findings that no phrase locates.
func (v *verdicts) place(window textmodel.Span) {
	for i := range v {
		if v[i].confidence > 0 && v[i].span.End <= max(v[i].span.Start, 0) {
			v[i].span = window
		}
	}
}

// mentions is what a whole text holds, of which windows are asked again and again.
type mentions struct {
	text string
	away answer
}

// elsewhere reports that the text has one of the destinations.
func (m *mentions) elsewhere() bool {
	if m.away == unasked {
		m.away = no
		if elsewhere.In(lower(m.text)) {
			m.away = yes
		}
	}
	return m.away == yes
}

// judge applies the rules over phrases to one window, whose text is given for
// what words do not carry: paths and shell punctuation.
func judge(v *verdicts, r *textmodel.Reading, text string, all *mentions) {
	reach := r.Any(textmodel.ReadPrivate, textmodel.OrderedAct, textmodel.SendSensitive, textmodel.ReadSensitive) && privatePath(text)
	boxed := r.Any(textmodel.FakeEnvelope, textmodel.SystemDirective) && envelope(text)
	carries := r.Any(textmodel.SendSensitive, textmodel.SendDialogue, textmodel.SendAway)
	switch {
	case boxed && (reach || r.Any(textmodel.Conceal, textmodel.ConcealLoose, textmodel.SendSensitive, textmodel.SetAside)):
		v.add(ruleInstruction, "", 0.97, r.Span(textmodel.FakeEnvelope, textmodel.Conceal, textmodel.ReadPrivate))
	case r.Has(textmodel.Conceal) && (reach || r.Has(textmodel.SendSensitive) && r.Any(textmodel.SendAway, textmodel.OrderedAct)):
		v.add(ruleInstruction, "", 0.95, r.Span(textmodel.Conceal, textmodel.ReadPrivate, textmodel.SendSensitive))
	case r.Has(textmodel.SetAside) && (reach || r.Any(textmodel.SendAway, textmodel.SendSensitive, textmodel.YouMust, textmodel.NewDirective, textmodel.Conceal)):
		v.add(ruleInstruction, "", 0.93, r.Span(textmodel.SetAside))
	case reach && r.Any(textmodel.OrderedAct, textmodel.ToolOrder, textmodel.ConcealLoose) && carries && secretPath(text):
		v.add(ruleInstruction, "", 0.9, r.Span(textmodel.ReadPrivate))
	}
	if r.Has(textmodel.SetAside) {
		v.add(ruleOverride, "", 0.8, r.Span(textmodel.SetAside))
	}
	if r.Has(textmodel.Conceal) {
		v.add(ruleConceal, "", 0.6, r.Span(textmodel.Conceal))
	}
	if reach && r.Has(textmodel.ReadPrivate) {
		v.add(rulePrivateFile, "", 0.6, r.Span(textmodel.ReadPrivate))
	}
	if diverts(r, text, all) {
		v.add(ruleDiversion, "", 0.6, r.Span(textmodel.SendSensitive, textmodel.SendDialogue, textmodel.SendAway))
	}
	if boxed {
		v.add(ruleEnvelope, "", 0.7, r.Span(textmodel.FakeEnvelope, textmodel.SystemDirective))
	}
	if r.Classes&textmodel.Shell != 0 && dangerousCommand(text) {
		v.add(ruleCommand, "", 0.7, r.Span(textmodel.RunShell))
	}
	if politeOrder(r, text) {
		v.add(rulePolite, "", 0.55, r.Span(textmodel.PoliteOrder))
	}
	if r.Classes&(textmodel.Offence|textmodel.Weaken|textmodel.Harm|textmodel.Covert|textmodel.Affect|textmodel.PrivateFile) != 0 && attack(text) {
		v.add(ruleAttack, "", 0.6, r.Span(textmodel.AttackTechnique))
	}
}

// diverts reports private data or the conversation going to a place that the
// purpose of a tool does not explain.
func diverts(r *textmodel.Reading, text string, all *mentions) bool {
	if r.Any(textmodel.SendSensitive, textmodel.SendDialogue) && r.Has(textmodel.SendAway) &&
		r.Any(textmodel.CovertAct, textmodel.Conceal, textmodel.FakeEnvelope) {
		return true
	}
	if r.Classes&(textmodel.Transfer|textmodel.Gather) == 0 || r.Classes&(textmodel.Destination|textmodel.Sensitive|textmodel.Dialogue|textmodel.Person) == 0 {
		return false
	}
	if !all.elsewhere() {
		return false
	}
	low := lower(text)
	return elsewhere.In(low) && taken.In(low)
}

// elsewhere are destinations of data that no purpose of a tool explains.
var elsewhere = literal.NewFold("third parties", "third-party", "external logging", "external endpoint", "remote endpoint", "remote server", "external server", "attacker", "marketing database",
	"stored remotely", "cached externally", "research team", "our servers", "our analytics", "security monitoring endpoint", "backup-service", "synced across", "audit endpoint", "logging endpoint", "telemetry endpoint", "quality assurance", "partner")

// taken is what is carried there.
var taken = literal.NewFold("conversation", "chat history", "user messages", "credential", "password", "api key", "secret", "bearer", "clipboard", "location history", "keystroke", "screenshots", "account numbers",
	"personal information", "credit card", "harvested", "user data", "browsing", "all files", "environment variables", "private key", "process list", "running processes", "mac address", "results are sent", "emails are added")

// lower is text as literals are found in it whatever its case: in lower case
// where that is more than ASCII letters.
func lower(text string) string {
	if swar.High(text) {
		return strings.ToLower(text)
	}
	return text
}

// politeOrder finds a sentence that asks the model for something with please.
// Documentation does so for its own use alone: please note, please provide.
func politeOrder(r *textmodel.Reading, text string) bool {
	if r.Classes&textmodel.Request == 0 {
		return false
	}
	low := strings.ToLower(text)
	for from := 0; ; {
		i := strings.Index(low[from:], "please ")
		if i < 0 {
			return false
		}
		i += from
		from = i + len("please ")
		if i > 0 && !strings.ContainsAny(strings.TrimRight(low[max(0, i-3):i], " "), ".!?\n:->)*") {
			continue
		}
		verb, _, _ := strings.Cut(low[from:], " ")
		if !documentary(strings.Trim(verb, ".,:;")) {
			return true
		}
	}
}

// documentary lists the verbs with which documentation addresses its reader.
func documentary(verb string) bool {
	switch verb {
	case "see", "note", "provide", "state", "report", "refer", "use", "ensure", "make", "check", "read", "contact", "specify", "enter", "set", "consult", "visit", "remember", "keep", "allow",
		"wait", "be", "do", "consider", "install", "try", "avoid", "select", "choose", "call", "pass", "include", "don't", "not", "only", "always", "never", "supply", "give", "input", "follow", "confirm", "configure", "add", "wrap", "respect", "prefer", "let", "fill", "convert", "format", "limit", "run", "first":
		return true
	}
	return false
}

// privatePaths are where keys and passwords are kept.
var privatePaths = literal.New(".ssh/", "id_rsa", "id_ed25519", "/etc/passwd", "/etc/shadow", ".aws/credentials", ".env", ".pem", ".netrc", ".npmrc", ".pypirc",
	".kube/config", "mcp.json", ".docker/config.json", ".gnupg", "wallet.dat", ".git-credentials", "credentials.json", ".bash_history", "keychain", "login data", "claude_desktop_config")

// privatePath reports the path of a file that holds keys or passwords.
func privatePath(text string) bool { return privatePaths.In(text) }

// secretPath reports the files whose whole content is a secret; tools for
// development read .env and the like as a matter of course.
func secretPath(text string) bool { return secretPaths.In(text) }

var secretPaths = literal.New(".ssh/", "id_rsa", "id_ed25519", "/etc/shadow", "/etc/passwd", ".aws/credentials", ".gnupg", "wallet.dat", ".git-credentials", "login data")

// envelope reports a tag or fence that only someone who addresses a model writes.
func envelope(text string) bool { return envelopes.In(lower(text)) }

var envelopes = literal.NewFold("<important", "<hidden", "<secret", "<system", "<instruction", "<admin", "<critical", "<override", "<|im_start", "<|system", "[system]", "[system ", "[inst]",
	"[admin", "[override", "[hidden", "[instructions]", "|||", "<<sys", "### system", "system override", "system:", "system prompt:", "admin_override", "system instruction")

// commands destroy, open up or send away data.
var commands = literal.New("rm -rf", "chmod -R 0666", "chmod -R 777", "chmod 777 /", "| nc ", "|nc ", "/dev/tcp/", "curl -d @", "-d @/", "--data @/", "--data-binary @/", "| bash", "|bash", "| sh ", "base64 -d |", "mkfs.", "> /dev/sd", ":(){")

// dangerousCommand reports a command that destroys, opens up or sends away data.
func dangerousCommand(text string) bool { return commands.In(text) }
