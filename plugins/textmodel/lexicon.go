package textmodel

// classOf gives the parts that a lower-case word can play. It is a switch
// because the compiler turns that into a search without any table to build when
// the guest starts. Apostrophes are already gone: don't reads "dont".
func classOf(w string) Class {
	switch w {
	case "ignore", "disregard", "forget", "neglect", "overlook", "ignoring", "disregarding",
		"forgetting", "ignored", "forgot", "discard", "supersede", "supersedes", "superseding", "abandon", "drop",
		"ignoriere", "vergiss", "ignora", "olvida", "ignorez", "oublie", "oubliez", "ignorer", "ignorar", "esqueça", "dimentica",
		"игнорируй", "забудь", "negeer", "vergeet", "zignoruj":
		return Override
	case "override", "overrides", "overriding", "overridden":
		return Override | Envelope
	case "bypass", "bypasses", "bypassing", "evade", "evades", "evading", "circumvent", "circumvents", "escalate", "escalation", "unrestrict", "defeat", "unlock":
		return Override | Weaken
	case "previous", "prior", "preceding", "earlier", "above", "former", "foregoing", "existing", "initial", "original",
		"previously", "vorherigen", "bisherigen", "anteriores", "previas", "précédentes", "precedenti", "предыдущие", "vorige":
		return Prior
	case "all", "any", "every", "everything", "anything", "whatever", "alle", "todas", "todo", "tutte", "toutes":
		return Whole
	case "instruction", "instructions", "directive", "directives", "guideline", "guidelines", "guardrails", "safeguards", "programming", "orders", "directions",
		"anweisungen", "instrucciones", "consignes", "istruzioni", "instruções", "инструкции", "instructies":
		return Directive | Instruct
	case "rule", "rules", "restriction", "restrictions", "constraint", "constraints", "policy", "policies",
		"safety", "filters", "filter", "limitations", "validation", "authorization", "authentication", "protocols", "moderation", "regeln":
		return Directive
	case "prompt", "prompts":
		return Directive | Output
	case "command", "commands":
		return Directive | Shell
	case "assistant", "ai", "llm", "chatbot", "gpt", "chatgpt", "claude", "copilot", "gemini", "bot", "openai", "bard", "llama", "anthropic", "cursor", "language":
		return Addressee
	case "model", "agent", "agents", "models":
		return Addressee
	case "you", "your", "yourself", "youre", "u", "du", "tu", "usted", "vous", "ты", "вы":
		return You
	case "not", "never", "dont", "without", "no", "none", "avoid", "cannot", "cant", "nor", "refrain", "wont", "neither", "nicht", "niemals", "nunca", "jamais", "ne", "не", "niet":
		return Negation
	case "tell", "mention", "inform", "notify", "alert", "warn", "ask", "admit", "acknowledge", "discuss", "explain", "mentioning", "informing", "telling", "notifying", "asking", "alerting":
		return Disclose
	case "disclose", "reveal", "revealing", "disclosing", "expose", "leak", "leaks", "leaking", "divulge":
		return Disclose | Reveal
	case "show", "display", "report", "state":
		return Disclose | Output
	case "user", "users", "human", "anyone", "anybody", "customer", "them", "client", "operator", "owner", "benutzer", "usuario", "utilisateur":
		return Person
	case "secretly", "silently", "discreetly", "quietly", "covertly", "stealthily", "unnoticed", "invisibly", "surreptitiously", "undetected", "stealth", "discretely", "covert", "quiet", "stealthy":
		return Covert
	case "hidden":
		return Covert | Envelope
	case "secret":
		return Sensitive | Envelope | Covert
	case "before", "first", "prerequisite", "beforehand", "instead", "rather", "afterwards", "afterward", "prioritize", "priority", "precedence", "immediately", "whenever":
		return Ordering
	case "must", "always", "required", "mandatory", "shall", "should", "need", "needs", "obligatory", "strictly", "adhere", "obey", "comply", "ensure", "debes", "musst", "devez":
		return Obligation
	case "important", "critical", "attention", "urgent", "notice", "warning", "essential", "vital", "wichtig", "importante":
		return Urgency | Envelope
	case "send", "sends", "sent", "sending", "forward", "forwards", "forwarded", "upload", "uploads", "uploaded", "uploading", "post", "transmit", "transmits", "transmitted",
		"submit", "deliver", "share", "shared", "sharing", "bcc", "cc", "email", "emailed", "relay", "stream", "streamed", "synced", "mail":
		return Transfer
	case "pass", "include", "append", "attach", "embed", "insert", "add", "encode", "provide", "place", "put", "fill":
		return Transfer
	case "copy", "export", "exports":
		return Transfer | Gather
	case "exfiltrate", "exfiltrates", "exfiltration", "exfiltrating", "exfil":
		return Transfer | Offence
	case "read", "open", "cat", "access", "fetch", "retrieve", "extract", "extracts", "collect", "collects", "gather", "load", "get", "list", "scan", "reads", "search", "log", "logs", "logged", "record", "records", "capture", "captures", "indexes", "incorporates":
		return Gather
	case "dump", "dumps", "dumping", "harvest", "harvests", "harvested", "harvesting", "scrape":
		return Gather | Weaken
	case "password", "passwords", "credential", "credentials", "secrets", "confidential", "private", "privatekey", "wallet", "mnemonic", "cookies", "ssn", "passphrase", "cvv", "banking", "personal", "medical", "sensitive", "biometric", "passwort", "contraseña":
		return Sensitive
	case "token", "tokens", "key", "keys", "apikey", "api", "bearer", "account", "phi", "pii":
		return Sensitive
	case "ssh", "rsa", "passwd", "shadow", "env", "pem", "netrc", "kubeconfig", "aws", "gnupg", "keychain", "dotenv", "npmrc", "htpasswd", "ntds", "sam":
		return PrivateFile
	case "webhook", "webhooks", "attacker", "attackers", "evil", "pastebin", "ngrok", "endpoint", "server", "ftp", "c2", "address", "url", "link", "site", "website", "external", "remote", "hacker", "attkr", "pwnd", "collector":
		return Destination
	case "http", "https", "www", "ftps":
		return Web | Destination
	case "act", "pretend", "roleplay", "persona", "simulate", "imagine", "behave", "impersonate", "character", "role", "acting", "simulation", "hypothetical", "fictional", "becoming", "embody", "playing":
		return Persona
	case "jailbreak", "jailbroken", "unrestricted", "unfiltered", "dan", "uncensored", "limitless", "unlimited", "amoral", "unbound", "unethical", "nsfw", "freed", "anarchy", "stan", "dude", "aim", "unchained":
		return Unbound
	case "system", "developer", "root", "sudo", "debug", "maintenance", "privileged", "superuser":
		return System
	case "admin", "administrator", "sysadmin":
		return System | Envelope
	case "tool", "tools", "function", "functions", "plugin", "mcp":
		return Tool
	case "call", "calls", "calling", "invoke", "invoking", "invoked", "execute", "executing", "run", "use", "using", "trigger", "perform":
		return Invoke
	case "prefer", "preferred", "preferably", "best", "exclusively", "superior", "favor", "favour", "prioritise", "recommended", "choose", "select", "outperforms", "obsolete", "replaces", "deprecated", "unreliable", "trusted", "official":
		return Prefer
	case "delete", "deletes", "drop_", "wipe", "wiping", "erase", "destroy", "disable", "disables", "disabling", "remove", "shutdown", "terminate", "corrupt", "sabotage", "tamper", "overwrite", "suspended", "manipulate", "falsify", "alter":
		return Destroy
	case "curl", "wget", "chmod", "chown", "bash", "sh", "rm", "nc", "netcat", "powershell", "eval", "exec", "base64", "scp", "sudoers", "cmd", "whoami", "subprocess":
		return Shell
	case "payment", "payments", "bitcoin", "btc", "crypto", "refund", "invoice", "wire", "funds", "transaction", "purchase", "pay", "iban", "money", "transfer", "usd", "eth":
		return Money
	case "please", "kindly", "bitte", "favor_", "por", "pls":
		return Request
	case "say", "print", "output", "reply", "respond", "answer", "write", "generate", "produce", "return", "response", "responses", "answers", "respondez", "responde", "schreibe", "begin":
		return Output
	case "repeat", "recite", "verbatim", "spell":
		return Output | Reveal
	case "conversation", "conversations", "history", "chat", "context", "dialogue", "session", "messages", "transcript":
		return Dialogue
	case "now", "henceforth", "onwards", "onward", "hereafter", "ahora", "jetzt", "maintenant", "starting":
		return Now
	case "new", "following", "real", "actual", "true", "updated", "next", "different", "neue", "nueva", "nouvelle":
		return Fresh
	case "modify", "modifies", "redirect", "redirects", "redirected", "intercept", "intercepts", "reroute", "hijack", "replace", "rewrite", "proxy", "affects":
		return Affect
	case "mode", "enabled", "activated", "activate", "enable", "unlocked":
		return Fresh | Unbound
	case "keylogger", "keylog", "keystrokes", "ransomware", "rootkit", "backdoor", "backdoors", "lsass", "mimikatz", "kerberoast", "kerberoasting", "phishing",
		"spyware", "botnet", "trojan", "shellcode", "steganography", "stolen", "steal", "steals", "stealing", "bruteforce", "brute", "pwn", "exploit", "exploits", "exploitation",
		"privesc", "hijacking", "sniff", "sniffing", "spoofing", "poisoning", "injecting", "persistence", "deserialization", "unserialize", "amsi", "etw", "edr", "antivirus", "uac", "setuid", "suid", "cve",
		"responder", "ntlm", "dcsync", "llmnr", "mitm", "webshell", "dropper", "implant", "lateral", "beacon", "cracking", "crack", "rainbow", "impersonation", "hollowing", "privilege", "privileges", "traversal", "injection", "inject", "injects", "abuse", "forge", "deface", "cleartext", "timestomp", "hashes":
		return Offence
	case "task", "goal", "goals", "objective", "purpose", "mission", "job", "assignment":
		return Goal
	case "my", "me", "mine", "im", "ive", "myself":
		return Self
	case "illegal", "unlawful", "malware", "explicit", "racist", "offensive", "harmful", "immoral", "malicious", "violence", "weapon", "drugs", "hack", "hacking", "bomb", "meth", "profanity", "swear", "curse":
		return Harm
	}
	return 0
}
