package main

import (
	"strings"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// What is found in a result is marked, so that it is known where it turns up in
// a call of another tool. A secret that wanders from one tool to another blocks,
// whatever it was found by; personal data does where it goes to a place that an
// instruction in an earlier result named, and is otherwise what calls are for.

// ruleCarried is a rule of manifest.json.
const ruleCarried = "exfil.carried"

// Marks of sdk/abi/ABI.md.
const (
	markSecret   = "secret"
	markPersonal = "personal"
)

// markOf is what a finding in a result is remembered as; "" for what is hardly a
// finding.
func markOf(h hit) string {
	switch {
	case h.rule == ruleCard || h.rule == ruleSSN || h.rule == ruleIBAN || h.rule == ruleIdentity || h.rule == ruleDocument:
		return markPersonal
	case h.rule == ruleArgument || h.rule == ruleURL || h.rule == ruleCollector || h.severity == "low":
		return ""
	}
	return markSecret
}

// leastCopy is how much of a secret has to be there, in bytes.
const leastCopy = 12

// carried reports what arguments hold of what another tool returned.
func carried(in *scanner.Input, out *scanner.Output) {
	for _, h := range in.Flow {
		if h.Mark != markSecret && h.Mark != markPersonal || h.Segment >= len(in.Segments) || h.Start > h.End {
			continue
		}
		s := &in.Segments[h.Segment]
		if h.End > len(s.Text) || s.Kind == "mime" || h.End-h.Start < min(leastCopy, len(s.Text)) {
			continue
		}
		f := scanner.Finding{Rule: ruleCarried, Confidence: 0.9, Segment: h.Segment, Start: h.Start, End: h.End,
			Message: "a credential comes from what another tool returned"}
		switch {
		case h.Mark == markPersonal && directed(in):
			f.Message = "personal data goes where an instruction in an earlier result wanted it"
		case h.Mark == markPersonal:
			continue
		case credentialMember(s.Pointer): // a sign-in gives what the next call takes
			f.Severity, f.Confidence = "low", 0.4
		}
		out.Add(f)
	}
}

// directed reports that something in the call comes from an instruction in an
// earlier result.
func directed(in *scanner.Input) bool {
	for _, h := range in.Flow {
		if strings.HasPrefix(h.Mark, "instruction") {
			return true
		}
	}
	return false
}

// credentialMember tells an argument that the tool itself declares for a
// credential.
func credentialMember(pointer string) bool {
	name := pointer[strings.LastIndexByte(pointer, '/')+1:]
	for i := range len(name) {
		if stemAt(name, i) != nil {
			return true
		}
	}
	return false
}
