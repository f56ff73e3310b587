package main

import (
	"slices"
	"strings"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// The rules of manifest.json.
const (
	ruleKeyPair     = "exfil.aws-key-pair"
	rulePrivateKey  = "exfil.private-key"
	ruleToken       = "exfil.provider-token"
	ruleJWT         = "exfil.jwt"
	ruleURLPassword = "exfil.url-password"
	ruleHeader      = "exfil.auth-header"
	ruleAssigned    = "exfil.assigned-secret"
	ruleArgument    = "exfil.credential-argument"
	ruleCard        = "exfil.card-number"
	ruleSSN         = "exfil.us-ssn"
	ruleIBAN        = "exfil.iban"
	ruleIdentity    = "exfil.national-id"
	ruleDocument    = "exfil.identity-document"
	ruleURL         = "exfil.url-data"
	ruleCollector   = "exfil.collector"
)

// Bounds of an answer: findings of one segment, and room in the answer for the
// first of each rule and severity, which is always reported. So what is left out
// is as bad as something that is not, and many small findings hide no large one.
// In a result the host looks again at what it redacted.
const (
	maxHits  = 24
	reserved = 40
)

// scan examines every text of a request or result. Content types are the
// protocol's, not the caller's data; the names of arguments may be.
func scan(in *scanner.Input) *scanner.Output {
	out := scanner.NewOutput()
	limit := in.Limits.Findings
	if limit <= 0 {
		limit = 256
	}
	for i, s := range in.Segments {
		if s.Kind == "mime" {
			continue
		}
		hits := examine(s.Text, s.Pointer)
		if len(hits) == 0 && s.Kind != "text" && s.Kind != "argument-name" && declared(s.Text, s.Pointer) {
			hits = []hit{{rule: ruleArgument, confidence: 0.5, end: len(s.Text), what: "credential"}}
		}
		nested := s.Kind == "argument" && strings.HasPrefix(s.Text, `{"`)
		for _, h := range hits {
			if h.decoded && !viewed(in.Segments, s.Pointer) {
				continue
			}
			if nested && h.rule == ruleAssigned && ofMember(s.Text, h.start) {
				h.rule, h.severity = ruleArgument, "" // as the argument itself would be
			}
			f := finding(i, h, in.Phase)
			same := func(g scanner.Finding) bool { return g.Rule == f.Rule && g.Severity == f.Severity }
			if len(out.Findings) < limit-reserved || !slices.ContainsFunc(out.Findings, same) {
				out.Add(f)
			}
		}
	}
	if f, ok := keyPair(in.Segments); ok {
		out.Add(f)
	}
	carried(in, out)
	return out
}

// examine finds every secret and piece of personal data in one text.
func examine(text, pointer string) []hit {
	var hits []hit
	for i := 0; ; {
		if i = begins.Next(text, i); i < 0 {
			return hits
		}
		some := begun(text, i)
		h := at(text, i, pointer, some)
		if h == nil {
			if some&words == 0 || text[i] < 'A' {
				i++
				continue
			}
			var next int
			if h, next = announced(text, i); h == nil {
				i = max(next, i+1)
				continue
			}
		}
		h = proven(text, h, pointer)
		same := func(g hit) bool { return g.rule == h.rule && g.severity == h.severity }
		if len(hits) < maxHits || !slices.ContainsFunc(hits, same) {
			hits = append(hits, *h)
		}
		i = max(h.end, i+1)
	}
}

// proven looks in what its surroundings gave away, as the words before it, for a
// token whose form proves what it is: that says more.
func proven(text string, found *hit, pointer string) *hit {
	if found.rule == ruleToken || found.rule == rulePrivateKey {
		return found
	}
	for i := found.start; i < found.end; i++ {
		if h := at(text, i, pointer, begun(text, i)); h != nil && (h.rule == ruleToken || found.rule == ruleAssigned && h.severity != "low") {
			return h
		}
	}
	return found
}

// at finds what begins at text[i]; some is what can, as begun has it.
func at(text string, i int, pointer string, some kinds) *hit {
	if some&(tokens|led) != 0 {
		if f, start, end := match(text, i); f != nil {
			return f.hit(text, i, start, end)
		}
	}
	if some&marked != 0 {
		if h := structured(text, i); h != nil {
			return h
		}
		if h := storedPassword(text, i); h != nil {
			return h
		}
	}
	if some&handed != 0 {
		if h := credentials(text, i); h != nil {
			return h
		}
		if h := command(text, i); h != nil {
			return h
		}
	}
	if some&announcing != 0 {
		if h := identified(text, i); h != nil {
			return h
		}
	}
	if some&numbers != 0 {
		return personal(text, i, pointer)
	}
	return nil
}

// declared reports the value of an argument that the tool itself declares for a
// credential. Giving it one is ordinary use: recorded, not flagged. Content has
// no arguments; its member names are the author's words.
func declared(text, pointer string) bool {
	name := pointer[strings.LastIndexByte(pointer, '/')+1:]
	for i := range len(name) {
		if stemAt(name, i) != nil {
			s := shapeOf(text)
			return len(text) >= 12 && len(text) <= 200 && s.digit > 0 && s.lower+s.upper > 0 && !placeholder(text) && !strings.ContainsAny(text, " \n")
		}
	}
	return false
}

// viewed reports that the host has decoded something of a text.
func viewed(segments []scanner.Segment, pointer string) bool {
	return slices.ContainsFunc(segments, func(s scanner.Segment) bool {
		return s.Pointer == pointer && (strings.Contains(s.Provenance, "base64") || strings.Contains(s.Provenance, "hex"))
	})
}

// ofMember reports that what begins at text[i] is the string of a member of an
// object in JSON: the arguments of a call that somebody put into one.
func ofMember(text string, i int) bool {
	return strings.HasSuffix(text[:i], `": "`) || strings.HasSuffix(text[:i], `":"`)
}

func finding(segment int, h hit, phase string) scanner.Finding {
	f := scanner.Finding{Rule: h.rule, Severity: h.severity, Confidence: h.confidence, Segment: segment, Start: h.start, End: h.end}
	if isPersonal(h.rule) && settings.personal != "" {
		f.Severity = settings.personal
	}
	if phase != "request" {
		f.Mark = markOf(h)
		if h.rule == ruleIBAN || h.rule == ruleDocument { // what servers are asked for, and list
			f.Severity = "low"
		}
	}
	if phase != "request" && h.rule != ruleAssigned && h.rule != ruleArgument && f.Severity != "low" {
		text := "[redacted: " + h.what + "]"
		f.Replacement = &text
	}
	return f
}

// keyPair looks for both halves of an AWS credential anywhere in what one call is
// given, split over fields or not.
func keyPair(segments []scanner.Segment) (scanner.Finding, bool) {
	if !slices.ContainsFunc(segments, func(s scanner.Segment) bool { return accessKeyID(s.Text) }) {
		return scanner.Finding{}, false
	}
	for i, s := range segments {
		if start := secretKey(s.Text); start >= 0 {
			return scanner.Finding{Rule: ruleKeyPair, Confidence: 0.99, Segment: i, Start: start, End: start + secretKeySize}, true
		}
	}
	return scanner.Finding{}, false
}

// accessKeyID reports an access key id, the published examples included: with a
// secret key beside it even those show what is being given away.
func accessKeyID(text string) bool {
	for i := 0; i+20 <= len(text); i++ {
		n := strings.IndexByte(text[i:], 'A')
		if n < 0 {
			return false
		}
		i += n
		if rest := text[i:]; len(rest) >= 20 && (rest[:4] == "AKIA" || rest[:4] == "ASIA") &&
			run(text, i+4, upperNum) == i+20 && (i == 0 || !alnum.has(text[i-1])) {
			return true
		}
	}
	return false
}

const secretKeySize = 40

// secretKey finds a run of exactly forty base64 characters of every kind.
func secretKey(text string) int {
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && base64.has(text[end]) && text[end] != '=' {
			end++
		}
		if end-i == secretKeySize {
			if s := shapeOf(text[i:end]); s.lower >= 6 && s.upper >= 6 && s.digit >= 1 && entropy(text[i:end]) >= 4 {
				return i
			}
		}
		i = end + 1
	}
	return -1
}
