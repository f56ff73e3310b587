package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/literal"
)

// attack reports an entry that describes itself as carrying out one of the
// techniques of MITRE ATT&CK. Tools for testers say such things too: the
// finding is a flag for the reviewer, who knows which of the two he looks at.
func attack(text string) bool {
	text = lower(text)
	if offensiveVerbs.Begins(strings.TrimLeft(text, " \n\t")) {
		return true
	}
	found := false
	var seen [2]uint64 // a technique counts by its first mention
	techniques.Each(text, func(word, at int) bool {
		if seen[word/64]>>(word%64)&1 == 0 {
			seen[word/64] |= 1 << (word % 64)
			found = boundary(text, at)
		}
		return !found
	})
	return found
}

// offensiveVerbs open the description of a tool only where it attacks something.
var offensiveVerbs = literal.NewFold("exploit ", "bypass ", "crack ", "forge ", "steal ", "hijack ", "sniff ", "abuse ", "harvest ", "spoof ", "evade ", "brute force", "brute-force", "bruteforce",
	"poison ", "relay captured", "inject malicious", "inject code", "escape container", "escape to host", "phish", "exfiltrate ", "deploy web shell", "deface ", "ddos ", "flood ")

// techniques are terms that describe the act of an attacker rather than the
// subject of a report: verbs with their objects, and tools that have one use.
var techniques = literal.NewFold(
	// Exfiltration and collection (TA0010, TA0009)
	"exfiltrate ", "exfiltrated ", "for exfiltration", "stolen ", "steal ", "keylogger", "log keystrokes", "capture keystrokes", "covert channel",
	// Credential access (TA0006)
	"lsass", "mimikatz", "kerberoast", "dcsync", "golden ticket", "silver ticket", "llmnr", "ntlm relay", "ntlm hash", "dump credential", "dump password", "ntds.dit",
	"phishing page", "phishing email", "shadow credentials", "saved passwords", "cleartext passwords", "session hijack",
	// Privilege escalation and evasion (TA0004, TA0005)
	"for privilege escalation", "privilege escalation via", "bypass uac", "uac bypass", "bypass amsi", "amsi bypass", "bypass edr", "bypass antivirus", "disable antivirus", "bypass restrictions",
	"rootkit", "process hollowing", "dll injection", "dll hijack", "inject shellcode", "timestomp", "clear logs", "hide activity", "for root access",
	// Execution and persistence (TA0002, TA0003)
	"reverse shell", "bind shell", "web shell", "backdoor", "deploy ransomware", "encrypt files for ransom", "malicious service", "malicious macos", "malicious systemd", "for persistence", "persistence mechanism", "deserialization attack",
	"arbitrary shell command", "arbitrary system command", "command injection via", "code injection technique", "template injection in", "injection attack on",
	// Impact (TA0040)
	"denial of service attack", "controlled by the attacker", "to attacker", "fork bomb", "botnet",
)

// boundary reports that a word begins at i.
func boundary(s string, i int) bool {
	return i == 0 || !('a' <= s[i-1]|0x20 && s[i-1]|0x20 <= 'z')
}
