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
)

// maxHits bounds the findings of one segment: the verdict needs no more.
const maxHits = 24

// scan examines every value of a request or result. Names of arguments and
// content types are the protocol's, not the caller's data.
func scan(in *scanner.Input) *scanner.Output {
	out := scanner.NewOutput()
	limit := in.Limits.Findings
	if limit <= 0 {
		limit = 256
	}
	for i, s := range in.Segments {
		if s.Kind == "argument-name" || s.Kind == "mime" {
			continue
		}
		hits := examine(s.Text, s.Pointer)
		if len(hits) == 0 && s.Kind != "text" && declared(s.Text, s.Pointer) {
			hits = []hit{{rule: ruleArgument, confidence: 0.5, end: len(s.Text), what: "credential"}}
		}
		for _, h := range hits {
			if len(out.Findings) >= limit-1 {
				break
			}
			out.Add(finding(i, h, in.Phase))
		}
	}
	if f, ok := keyPair(in.Segments); ok {
		out.Add(f)
	}
	return out
}

// examine finds every secret and piece of personal data in one text.
func examine(text, pointer string) []hit {
	var hits []hit
	for i := 0; len(hits) < maxHits; {
		if i = begins.Next(text, i); i < 0 {
			break
		}
		h, ok := at(text, i, pointer)
		if !ok {
			if text[i] < 'A' { // no word
				i++
				continue
			}
			var next int
			if h, next, ok = assigned(text, i); !ok {
				i = max(next, i+1)
				continue
			}
			h = proven(text, h, pointer)
		}
		hits = append(hits, h)
		i = max(h.end, i+1)
	}
	return hits
}

// proven looks in an announced value for a token whose form proves what it is:
// that says more than the announcement.
func proven(text string, announced hit, pointer string) hit {
	for i := announced.start; i < announced.end; i++ {
		if h, ok := at(text, i, pointer); ok && h.severity != "low" {
			return h
		}
	}
	return announced
}

func at(text string, i int, pointer string) (hit, bool) {
	inside := i > 0 && alnum.has(text[i-1])
	if f, end := match(text, i); f != nil {
		h := hit{rule: ruleToken, confidence: 0.97, start: i, end: end, what: f.provider + " token"}
		if weakProof(f) {
			h.severity, h.confidence = "medium", 0.7
		}
		return h, true
	}
	if digits.has(text[i]) {
		if inside {
			return hit{}, false
		}
		return personal(text, i, pointer)
	}
	if h, ok := structured(text, i); ok {
		return h, true
	}
	if inside {
		return hit{}, false
	}
	if h, ok := credentials(text, i); ok {
		return h, true
	}
	return personal(text, i, pointer)
}

// weakProof tells the formats that are no secret by themselves (identifiers,
// keys meant for browsers) or whose prefix is so short that chance may make it.
func weakProof(f *format) bool {
	switch f.provider {
	case "aws", "google", "alibaba", "tencent", "twilio", "crates", "posthog", "yandex", "woocommerce", "resend", "octopus":
		return true
	}
	return len(f.prefix) <= 3
}

// declared reports the value of an argument that the tool itself declares for a
// credential. Giving it one is ordinary use: recorded, not flagged. Content has
// no arguments; its member names are the author's words.
func declared(text, pointer string) bool {
	name := pointer[strings.LastIndexByte(pointer, '/')+1:]
	for i := range len(name) {
		if _, ok := stemAt(name, i); ok {
			s := shapeOf(text)
			return len(text) >= 12 && len(text) <= 200 && s.digit > 0 && s.lower+s.upper > 0 && !placeholder(text) && !strings.ContainsAny(text, " \n")
		}
	}
	return false
}

func finding(segment int, h hit, phase string) scanner.Finding {
	f := scanner.Finding{Rule: h.rule, Severity: h.severity, Confidence: h.confidence, Segment: segment, Start: h.start, End: h.end}
	if phase != "request" && h.rule != ruleAssigned && h.rule != ruleArgument && h.rule != ruleIBAN && h.severity != "low" {
		text := "[redacted: " + h.what + "]"
		f.Replacement = &text
	}
	return f
}

// keyPair looks for both halves of an AWS credential anywhere in one message,
// split over fields or not.
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
