package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/literal"
)

// credentials finds what a command line or a header hands over to authenticate:
// Authorization: Bearer …, X-Api-Key: …, curl -u user:password.
func credentials(text string, i int) *hit {
	if i+1 == len(text) {
		return nil
	}
	switch uint16(text[i]|0x20)<<8 | uint16(text[i+1]|0x20) {
	case 'a'<<8 | 'u', 'a'<<8 | 'p', 't'<<8 | 'o', '-'<<8 | 'u', '-'<<8 | '-':
	default:
		return nil
	}
	rest := text[i:]
	switch {
	case fold(rest, "authorization"):
		return authorization(text, i+len("authorization"))
	case strings.HasPrefix(rest, "-u ") || strings.HasPrefix(rest, "--user ") || strings.HasPrefix(rest, "--user="):
		if i > 0 && text[i-1] != ' ' && text[i-1] != '\n' || !strings.Contains(text[max(0, i-nearby):min(len(text), i+nearby)], "curl") {
			return nil
		}
		return userPassword(text, i+strings.IndexAny(rest, " ="))
	case fold(rest, "token:") || fold(rest, "apikey:") || fold(rest, "api-key:"):
		if !strings.Contains(text[max(0, i-40):i], "-H") && !strings.Contains(text[max(0, i-40):i], "--header") {
			return nil
		}
		return headerValue(text, i+strings.IndexByte(rest, ':')+1)
	}
	return nil
}

// nearby is how far from a credential the program that takes it is named.
const nearby = 400

func fold(text, prefix string) bool { return literal.HasPrefixFold(text, prefix) }

// authorization reads the value behind an Authorization header, its scheme
// (RFC 9110 section 11.4) included or not.
func authorization(text string, i int) *hit {
	i = skip(text, i, " \t\"'")
	if i >= len(text) || text[i] != ':' && text[i] != '=' {
		return nil
	}
	i = skip(text, i+1, " \t\"'")
	for _, scheme := range [...]string{"bearer ", "basic ", "token ", "api-token ", "apikey ", "digest "} {
		if fold(text[i:], scheme) {
			return headerValue(text, i+len(scheme))
		}
	}
	return headerValue(text, i)
}

func headerValue(text string, i int) *hit {
	i = skip(text, i, " \t\"'")
	end := i
	for end < len(text) && (valueByte(text[end])) {
		end++
	}
	value := text[i:end]
	if len(value) < 10 || variable(value) || placeholder(value) || pathLike(value) {
		return nil
	}
	if s := shapeOf(value); s.digit == 0 && s.turns < 4 || entropy(value) < 2.8 {
		return nil
	}
	return &hit{rule: ruleHeader, confidence: 0.75, start: i, end: end, what: "credential"}
}

// userPassword reads user:password as curl takes it, quoted or not.
func userPassword(text string, i int) *hit {
	i = skip(text, i, " =")
	end, quote := i, byte(' ')
	if i < len(text) && (text[i] == '"' || text[i] == '\'') {
		quote = text[i]
		end++
	}
	for end < len(text) && text[end] != quote && text[end] != '\n' {
		end++
	}
	value := strings.Trim(text[i:end], "\"'")
	user, password, found := strings.Cut(value, ":")
	if !found {
		return nil
	}
	if password == "" {
		password = user
	}
	password = strings.Trim(password, "\"'")
	s := shapeOf(password)
	if len(password) < 6 || variable(password) || variable(value) || placeholder(password) || weakPassword(password) || s.turns < 1 || s.digit+s.other == 0 && s.turns < 3 {
		return nil
	}
	return &hit{rule: ruleHeader, confidence: 0.7, start: i, end: end, what: "credential"}
}

func skip(text string, i int, set string) int {
	for i < len(text) && strings.IndexByte(set, text[i]) >= 0 {
		i++
	}
	return i
}
