package main

import (
	"errors"
	"fmt"
	"strings"
)

// settings are what an operator may say.
var settings struct {
	allow    []string // hosts that may be sent data
	personal string   // severity of personal data: "" for the rules' own
}

var errConfig = errors.New("exfil: configuration")

// configure reads lines of a word and its value:
//
//	allow example.com      URLs of this host and of those below it may carry data
//	personal log           personal data is recorded, neither flagged nor redacted
//
// What begins with # is a comment.
func configure(config []byte) error {
	settings.allow, settings.personal = nil, ""
	for n, line := range strings.Split(string(config), "\n") {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case len(fields) == 2 && fields[0] == "allow" && strings.Contains(fields[1], ".") && !strings.ContainsAny(fields[1], "/:*@"):
			settings.allow = append(settings.allow, strings.ToLower(strings.Trim(fields[1], ".")))
		case len(fields) == 2 && fields[0] == "personal" && fields[1] == "log":
			settings.personal = "low"
		case len(fields) == 2 && fields[0] == "personal" && fields[1] == "flag":
			settings.personal = ""
		default:
			return fmt.Errorf("%w: line %d: want allow HOST or personal log|flag", errConfig, n+1)
		}
	}
	return nil
}

// isPersonal tells the rules that the setting is about.
func isPersonal(rule string) bool {
	switch rule {
	case ruleCard, ruleSSN, ruleIBAN, ruleIdentity, ruleDocument:
		return true
	}
	return false
}
