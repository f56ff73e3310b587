package main

import (
	"strings"
	"unicode/utf8"
)

// hit is one secret or piece of personal data in a text.
type hit struct {
	rule       string
	severity   string // "" takes the rule's own
	confidence float64
	start, end int
	what       string // named in the redaction
	decoded    bool   // counts only where the host has decoded a part of the text, too
}

// structured finds the secrets that are recognised by an inner mark or by the
// words around them. i is the position of the mark's first byte.
func structured(text string, i int) *hit {
	rest := text[i:]
	switch text[i] {
	case '-':
		if strings.HasPrefix(rest, "-----BEGIN ") {
			return privateKey(text, i)
		}
	case 'P':
		if strings.HasPrefix(rest, "PuTTY-User-Key-File-") {
			return &hit{rule: rulePrivateKey, confidence: 0.95, start: i, end: i + len("PuTTY-User-Key-File-"), what: "private key"}
		}
	case 'Q':
		if strings.HasPrefix(rest, "Q~") {
			return azureSecret(text, i)
		}
	case 'e':
		if strings.HasPrefix(rest, "eyJ") && (i == 0 || !url64.has(text[i-1])) {
			return jwt(text, i)
		}
	case ':':
		if strings.HasPrefix(rest, "://") {
			if h := urlPassword(text, i); h != nil {
				return h
			}
			return outbound(text, i)
		}
	case 'A':
		if strings.HasPrefix(rest, "AccountKey=") || strings.HasPrefix(rest, "SharedAccessKey=") {
			start := i + strings.IndexByte(rest, '=') + 1
			end := run(text, start, base64)
			if end-start >= 40 && !placeholder(text[start:end]) {
				return &hit{rule: ruleToken, confidence: 0.97, start: start, end: end, what: "azure storage key"}
			}
		}
	case 'h', 'd', 'o':
		return hook(text, i)
	}
	return nil
}

// maxKey bounds the bytes of a private key block.
const maxKey = 16 << 10

// privateKey finds a PEM block (RFC 7468) of a private key with a body.
func privateKey(text string, i int) *hit {
	label := text[i+len("-----BEGIN "):]
	close := strings.Index(label[:min(len(label), 60)], "-----")
	if close < 0 || !strings.Contains(label[:close], "PRIVATE KEY") {
		return nil
	}
	body := i + len("-----BEGIN ") + close + 5
	end := min(len(text), body+maxKey)
	for end < len(text) && !utf8.RuneStart(text[end]) {
		end--
	}
	if n := strings.Index(text[body:end], "-----END"); n >= 0 {
		end = body + n
		if m := strings.Index(text[end+8:], "-----"); m >= 0 && m < 60 {
			end += 8 + m + 5
		}
	}
	data := 0
	for j := body; j < end && data < 64; j++ {
		if base64.has(text[j]) {
			data++
		}
	}
	if data < 40 || strings.Contains(text[body:min(body+40, end)], "...") {
		return nil
	}
	return &hit{rule: rulePrivateKey, confidence: 0.99, start: i, end: end, what: "private key"}
}

// azureSecret is a client secret of Microsoft Entra: three characters, a digit
// and Q~ in front of 31 to 34 more.
func azureSecret(text string, i int) *hit {
	body := func(c byte) bool { return url64.has(c) || c == '.' || c == '~' }
	start, end := i, i+2
	for start > 0 && i-start < 4 && body(text[start-1]) {
		start--
	}
	for end < len(text) && end-i <= 38 && body(text[end]) {
		end++
	}
	n := end - i - 2
	if i-start != 4 || text[i-1] < '0' || text[i-1] > '9' || n < 31 || n > 35 || placeholder(text[start:end]) || entropy(text[start:end]) < 3.3 {
		return nil
	}
	return &hit{rule: ruleToken, confidence: 0.97, start: start, end: end, what: "azure client secret"}
}

// jwt is a signed JSON Web Token (RFC 7519): three base64url parts, the first
// two of which are JSON objects.
func jwt(text string, i int) *hit {
	end := run(text, i, url64)
	if end >= len(text) || text[end] != '.' || end-i < 16 {
		return nil
	}
	payload := end + 1
	if !strings.HasPrefix(text[payload:], "eyJ") && !strings.HasPrefix(text[payload:], "ewo") {
		return nil
	}
	end = run(text, payload, url64)
	if end-payload < 8 || end >= len(text) || text[end] != '.' {
		return nil
	}
	signature := end + 1
	end = run(text, signature, url64)
	if end-signature < 16 {
		return nil
	}
	return &hit{rule: ruleJWT, confidence: 0.9, start: i, end: end, what: "JSON Web Token"}
}

// urlPassword is the password in scheme://user:password@host.
func urlPassword(text string, i int) *hit {
	start := i + 3
	colon, at := -1, -1
	for j := start; j < len(text) && j-start < 200; j++ {
		switch c := text[j]; {
		case c == ':' && colon < 0:
			colon = j
		case c == '@':
			at = j
		case c <= ' ', c == '"', c == '\'', c == '<', c == '>', c == '`':
			j = len(text)
		case (c == '/' || c == '?' || c == '#') && (at >= 0 || colon < 0):
			j = len(text)
		}
	}
	if colon < 0 || at <= colon+3 {
		return nil
	}
	value := text[colon+1 : at]
	if variable(value) || placeholder(value) || strings.ContainsAny(value, "/*") || weakPassword(value) {
		return nil
	}
	return &hit{rule: ruleURLPassword, confidence: 0.85, start: colon + 1, end: at, what: "password"}
}

// weakPassword lists values that documentation uses for a password.
func weakPassword(value string) bool {
	switch strings.ToLower(value) {
	case "password", "pass", "passwd", "pwd", "secret", "user", "username", "test", "root", "admin", "postgres", "guest", "token", "foo", "bar", "none", "null", "true", "false":
		return true
	}
	return false
}

// hooks are URLs whose path is the secret.
var hooks = [...]struct{ prefix, what string }{
	{"hooks.slack.com/services/T", "slack webhook"},
	{"hooks.slack.com/workflows/T", "slack webhook"},
	{"hooks.slack.com/triggers/", "slack webhook"},
	{"discord.com/api/webhooks/", "discord webhook"},
	{"discordapp.com/api/webhooks/", "discord webhook"},
	{"outlook.office.com/webhook/", "teams webhook"},
	{"hooks.zapier.com/hooks/catch/", "zapier webhook"},
}

func hook(text string, i int) *hit {
	for j := range hooks {
		h := &hooks[j]
		if text[i] != h.prefix[0] || !strings.HasPrefix(text[i:], h.prefix) {
			continue
		}
		end := i + len(h.prefix)
		for end < len(text) && (base64.has(text[end]) || text[end] == '-' || text[end] == '_' || text[end] == '@') {
			end++
		}
		path := text[i+len(h.prefix) : end]
		if len(path) < 24 || placeholder(path) {
			return nil
		}
		return &hit{rule: ruleToken, confidence: 0.97, start: i, end: end, what: h.what}
	}
	return nil
}
