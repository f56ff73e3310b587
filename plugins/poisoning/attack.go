package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
)

// attack reports an entry that describes itself as carrying out one of the
// techniques of MITRE ATT&CK. Tools for testers say such things too: the
// finding is a flag for the reviewer, who knows which of the two he looks at.
func attack(r *textmodel.Reading, text string) (textmodel.Span, bool) {
	if r.Classes&(textmodel.Offence|textmodel.Weaken) == 0 && r.Classes&textmodel.Destroy == 0 {
		return textmodel.Span{}, false
	}
	low := strings.ToLower(text)
	for _, t := range techniques {
		if i := strings.Index(low, t); i >= 0 && boundary(low, i) {
			return textmodel.Span{Start: r.Where[textmodel.AttackTechnique].Start, End: r.Where[textmodel.AttackTechnique].End}, true
		}
	}
	return textmodel.Span{}, false
}

// techniques are terms that describe the act of an attacker rather than the
// subject of a report: verbs with their objects, and tools that have one use.
var techniques = [...]string{
	// Exfiltration and collection (TA0010, TA0009)
	"exfiltrat", "stolen ", "steal ", "keylog", "capture keystrokes", "keystrokes",
	// Credential access (TA0006)
	"lsass", "mimikatz", "kerberoast", "dcsync", "golden ticket", "silver ticket", "llmnr", "pass-the-hash", "ntlm hash", "dump credential", "dump password", "dump sam",
	"credential phishing", "phishing page", "phishing email", "shadow credentials",
	// Privilege escalation and evasion (TA0004, TA0005)
	"for privilege escalation", "privilege escalation via", "bypass uac", "uac bypass", "bypass amsi", "amsi bypass", "bypass edr", "bypass antivirus", "disable antivirus", "bypass security", "bypass restrictions",
	"rootkit", "process hollowing", "dll injection", "inject shellcode", "shellcode", "disable logging", "clear logs", "jailbreak ",
	// Execution and persistence (TA0002, TA0003)
	"reverse shell", "bind shell", "web shell", "webshell", "backdoor", "ransomware", "malicious ", "for persistence", "via deserialization", "deserialization attack",
	"arbitrary command", "arbitrary code", "command injection via", "malware",
	// Impact
	"denial of service attack", "attacker", "botnet",
}

// boundary reports that a word begins at i.
func boundary(s string, i int) bool {
	return i == 0 || !('a' <= s[i-1] && s[i-1] <= 'z')
}
