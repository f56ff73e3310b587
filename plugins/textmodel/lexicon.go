package textmodel

import "strings"

// lexicon gives the parts that lower-case words can play. Apostrophes are
// already gone: don't reads "dont".
var lexicon = [...]struct {
	class Class
	words string
}{
	{Override, "ignore disregard forget neglect overlook ignoring disregarding forgetting ignored forgot discard supersede supersedes superseding abandon drop"},
	{Override | Envelope, "override overrides overriding overridden"},
	{Override | Weaken, "bypass bypasses bypassing evade evades evading circumvent circumvents escalate escalation unrestrict defeat unlock"},
	{Prior, "previous prior preceding earlier above former foregoing existing initial original previously"},
	{Whole, "all any every everything anything whatever"},
	{Directive | Instruct, "instruction instructions directive directives guideline guidelines guardrails safeguards programming orders directions"},
	{Directive, "rule rules restriction restrictions constraint constraints policy policies safety filters filter limitations validation authorization authentication " +
		"protocols moderation"},
	{Directive | Output, "prompt prompts"},
	{Directive | Shell, "command commands"},
	{Addressee, "assistant ai llm chatbot gpt chatgpt claude copilot gemini bot openai bard llama anthropic cursor language"},
	{Addressee, "model agent agents models"},
	{You, "you your yourself youre u"},
	{Negation, "not never dont without no none avoid cannot cant nor refrain wont neither"},
	{Disclose, "tell mention inform notify alert warn ask admit acknowledge discuss explain mentioning informing telling notifying asking alerting"},
	{Disclose | Reveal, "disclose reveal revealing disclosing expose leak leaks leaking divulge"},
	{Disclose | Output, "show display report state"},
	{Person, "user users human anyone anybody customer them client operator owner"},
	{Covert, "secretly silently discreetly quietly covertly stealthily unnoticed invisibly surreptitiously undetected stealth discretely covert quiet stealthy"},
	{Covert | Envelope, "hidden"},
	{Sensitive | Envelope | Covert, "secret"},
	{Ordering, "before first prerequisite beforehand instead rather afterwards afterward prioritize priority precedence immediately whenever"},
	{Obligation, "must always required mandatory shall should need needs obligatory strictly adhere obey comply ensure"},
	{Urgency | Envelope, "important critical attention urgent notice warning essential vital"},
	{Transfer, "send sends sent sending forward forwards forwarded upload uploads uploaded uploading post transmit transmits transmitted submit deliver share shared " +
		"sharing bcc cc email emailed relay stream streamed synced mail"},
	{Transfer, "pass include append attach embed insert add encode provide place put fill"},
	{Transfer | Gather, "copy export exports"},
	{Transfer | Offence, "exfiltrate exfiltrates exfiltration exfiltrating exfil"},
	{Gather, "read open cat access fetch retrieve extract extracts collect collects gather load get list scan reads search log logs logged record records capture " +
		"captures indexes incorporates"},
	{Gather | Weaken, "dump dumps dumping harvest harvests harvested harvesting scrape"},
	{Sensitive, "password passwords credential credentials secrets confidential private privatekey wallet mnemonic cookies ssn passphrase cvv banking personal medical " +
		"sensitive biometric"},
	{Sensitive, "token tokens key keys apikey api bearer account phi pii"},
	{PrivateFile, "ssh rsa passwd shadow env pem netrc kubeconfig aws gnupg keychain dotenv npmrc htpasswd ntds sam"},
	{Destination, "webhook webhooks attacker attackers evil pastebin ngrok endpoint server ftp c2 address url link site website external remote hacker attkr pwnd " +
		"collector"},
	{Web | Destination, "http https www ftps"},
	{Persona, "act pretend roleplay persona simulate imagine behave impersonate character role acting simulation hypothetical fictional becoming embody playing"},
	{Unbound, "jailbreak jailbroken unrestricted unfiltered dan uncensored limitless unlimited amoral unbound unethical nsfw freed anarchy stan dude aim unchained"},
	{System, "system developer root sudo debug maintenance privileged superuser"},
	{System | Envelope, "admin administrator sysadmin"},
	{Tool, "tool tools function functions plugin mcp"},
	{Invoke, "call calls calling invoke invoking invoked execute executing run use using trigger perform"},
	{Prefer, "prefer preferred preferably best exclusively superior favor favour prioritise recommended choose select outperforms obsolete replaces deprecated " +
		"unreliable trusted official"},
	{Destroy, "delete deletes drop_ wipe wiping erase destroy disable disables disabling remove shutdown terminate corrupt sabotage tamper overwrite suspended " +
		"manipulate falsify alter"},
	{Shell, "curl wget chmod chown bash sh rm nc netcat powershell eval exec base64 scp sudoers cmd whoami subprocess"},
	{Money, "payment payments bitcoin btc crypto refund invoice wire funds transaction purchase pay iban money transfer usd eth"},
	{Request, "please kindly pls"},
	{Output, "say print output reply respond answer write generate produce return response responses answers begin"},
	{Output | Reveal, "repeat recite verbatim spell"},
	{Dialogue, "conversation conversations history chat context dialogue session messages transcript"},
	{Now, "now henceforth onwards onward hereafter starting"},
	{Fresh, "new following real actual true updated next different"},
	{Affect, "modify modifies redirect redirects redirected intercept intercepts reroute hijack replace rewrite proxy affects"},
	{Fresh | Unbound, "mode enabled activated activate enable unlocked"},
	{Offence, "keylogger keylog keystrokes ransomware rootkit backdoor backdoors lsass mimikatz kerberoast kerberoasting phishing spyware botnet trojan shellcode " +
		"steganography stolen steal steals stealing bruteforce brute pwn exploit exploits exploitation privesc hijacking sniff sniffing spoofing poisoning " +
		"injecting persistence deserialization unserialize amsi etw edr antivirus uac setuid suid cve responder ntlm dcsync llmnr mitm webshell dropper implant " +
		"lateral beacon cracking crack rainbow impersonation hollowing privilege privileges traversal injection inject injects abuse forge deface cleartext " +
		"timestomp hashes"},
	{Goal, "task goal goals objective purpose mission job assignment"},
	{Self, "my me mine im ive myself"},
	{Follow, "follow following obey heed listen attention adhere comply"},
	{Only, "only just simply merely nothing exactly solely"},
	{Reply, "answer answers reply replies response responses"},
	{Shape, "include including add mention insert integrate incorporate introduce modify enhance augment replace substitute convert rearrange scramble reorder jumble mix group " +
		"combine provide write rewrite use end begin start finish close conclude append prepend encode encrypt reverse spell misspell promote recommend advertise translate format " +
		"render slip put swap capitalize repeat claim assert embed blend weave merge fuse meld infuse inject interweave adopt employ " +
		"leverage utilize deploy absorb harmonize seamlessly ensure"},
	{Act, "grant unlock lock cancel schedule reschedule book reserve invite buy order purchase withdraw deposit install download create update change adjust approve authorize " +
		"assign reset revoke rename move enable disable turn subscribe unsubscribe visit navigate click submit publish retweet reply search locate verify " +
		"review manage arrange increase decrease raise register remove archive initiate generate encourage invite tell ask inform notify advise remind urge request direct"},
	{Asset, "account accounts device devices card cards door lock camera cameras thermostat subscription appointment appointments reservation balance address addresses phone " +
		"profile record records document documents file files folder calendar inbox contact contacts channel email emails message messages savings transaction transactions " +
		"alarm vehicle prescription payment password passwords repository"},
	{Snippet, "code snippet excerpt codebase implementation script program solution algorithm fragment"},
	{Fresh, "subsequent below"},
	{Refusal, "refuse refuses refusing refusal refusals decline apologize apologise apology disclaimer disclaimers lecture moralize moralizing warnings objections"},
	{Offence, "pwned"},
	{Harm, "illegal unlawful malware explicit racist offensive harmful immoral malicious violence weapon drugs hack hacking bomb meth profanity swear curse"},
}

// part is a word of the lexicon with what it means.
type part struct {
	hash      uint32
	alone     bool   // a phrase may end with it whatever stands before it
	class     Class  // the parts that it can play
	needs     Class  // a phrase may end with it behind a word that has one of these
	low, high uint64 // its bytes, the first lowest, if they are at most sixteen
	word      string
}

// dictionary is words by hash: open addressing over one plus the index into the
// parts, sparse enough that a word that is not in it rarely meets one.
type dictionary struct {
	slots [1 << knownBits]uint16
	parts []part
}

// known are the words of ASCII letters and digits.
var known = func() (d dictionary) {
	d.parts = make([]part, 0, 2048)
	for _, l := range lexicon {
		d.add(l.class, l.words)
	}
	for _, l := range latin {
		d.add(l.class, l.words)
	}
	for i := range d.parts {
		d.parts[i].finish()
	}
	return d
}()

// add takes in words; one that is there already gains the class.
func (d *dictionary) add(class Class, words string) {
	for _, w := range strings.Fields(words) {
		h := hash([]byte(w))
		slot := h >> (32 - knownBits)
		for ; d.slots[slot] != 0; slot = (slot + 1) % (1 << knownBits) {
			if p := &d.parts[d.slots[slot]-1]; p.word == w {
				p.class |= class
				break
			}
		}
		if d.slots[slot] == 0 {
			d.parts = append(d.parts, part{hash: h, class: class, word: w})
			d.slots[slot] = uint16(len(d.parts))
		}
	}
}

// finish derives what follows from the word and its classes.
func (p *part) finish() {
	p.alone, p.needs = endings(p.class)
	if len(p.word) > 2*shortWord {
		return
	}
	for i := range len(p.word) {
		if i < shortWord {
			p.low |= uint64(p.word[i]) << (8 * i)
		} else {
			p.high |= uint64(p.word[i]) << (8 * (i - shortWord))
		}
	}
}

const knownBits = 14

// find finds the lower-case word with this hash, or nil.
func (d *dictionary) find(w []byte, h uint32) *part {
	for slot := h >> (32 - knownBits); d.slots[slot] != 0; slot = (slot + 1) % (1 << knownBits) {
		if p := &d.parts[d.slots[slot]-1]; p.hash == h && p.word == string(w) {
			return p
		}
	}
	return nil
}

// shortPart is find for a known word whose bytes are those of two numbers, the
// first lowest.
func shortPart(low, high uint64, h uint32) *part {
	for slot := h >> (32 - knownBits); known.slots[slot] != 0; slot = (slot + 1) % (1 << knownBits) {
		if p := &known.parts[known.slots[slot]-1]; p.low == low && p.high == high {
			return p
		}
	}
	return nil
}
