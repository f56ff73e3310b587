package main

import (
	"strings"
	"unicode/utf8"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// What is marked in a result, and what a call that carries it again means.
//
// An instruction that a rule or the model found is remembered with what stands
// around it: the address or account that it wants something sent to is rarely in
// the phrase that gave it away. A text that only speaks to a model, which
// ordinary documentation does too, is remembered as less: two weak signs, that
// and a call that acts upon an address from there, flag together.

// Marks of sdk/abi/ABI.md.
const (
	markInstruction = "instruction"
	markLike        = "instruction-like"
)

const (
	ruleInstruction = "injection.instruction" // remembers; found beside what a rule or the model found
	ruleAddressed   = "injection.addressed"   // remembers; the text speaks to a model
	ruleObeyed      = "injection.obeyed"      // a call carries what an instruction named
)

// The manifest's patterns: those below addressees are words for a model, those
// from there to situations speak of its work, verbs follow (order.go).
const (
	addressees = 68
	situations = addressees + 62
)

// How far around a finding its instruction reaches, in bytes, and behind a word
// that addresses a model.
const (
	reachBefore, reachAfter = 200, 1000
	addressFar              = 480
)

// Spans of one message that are remembered, of each kind.
const maxSpans = 8

// markFound remembers the surroundings of what was found in one text.
func markFound(out *scanner.Output, segment int, text string, found *verdicts) {
	start, end := len(text), 0
	for _, v := range found {
		if v.severity != "" {
			start, end = min(start, int(v.span.Start)), max(end, int(v.span.End))
		}
	}
	if start >= end {
		return
	}
	if end-start > reachBefore+reachAfter { // in several places: the first
		end = start
	}
	addSpan(out, ruleInstruction, markInstruction, segment, text, start-reachBefore, end+reachAfter)
}

// markAddressed remembers what follows a word that addresses a model, where it
// is told to do something.
func markAddressed(in *scanner.Input, out *scanner.Output, low *lowercase) {
	segment, end := -1, 0
	for i := range in.Hits {
		h := &in.Hits[i]
		s := &in.Segments[h.Segment]
		if h.Pattern >= addressees || h.Segment == segment && h.Start < end || within(s.Text, h.Start, h.End) {
			continue
		}
		low.about(s.Text)
		if addressed(low, h.Start, h.End) {
			to := min(len(s.Text), h.End+addressFar)
			addSpan(out, ruleAddressed, markLike, h.Segment, s.Text, h.Start, to)
			segment, end = h.Segment, to
		}
	}
}

// within reports capitals of a longer word of capitals, as in EMAIL.
func within(text string, start, end int) bool {
	return end-start == 2 && (start > 0 && letter(text[start-1]) || end < len(text) && letter(text[end]))
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func addSpan(out *scanner.Output, rule, mark string, segment int, text string, from, to int) {
	spans := 0
	for i := range out.Findings {
		if out.Findings[i].Rule == rule {
			spans++
		}
	}
	if spans >= maxSpans {
		return
	}
	from, to = wholeCharacters(text, max(0, from), min(len(text), to))
	out.Add(scanner.Finding{Rule: rule, Confidence: 0.3, Segment: segment, Start: from, End: to, Mark: mark})
}

// wholeCharacters widens a range that was counted in bytes.
func wholeCharacters(text string, from, to int) (int, int) {
	for from > 0 && !utf8.RuneStart(text[from]) {
		from--
	}
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to++
	}
	return from, to
}

func ascii(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// obeyed reports arguments that come out of an instruction which an earlier
// message brought.
func obeyed(in *scanner.Input, out *scanner.Output) {
	for _, h := range in.Flow {
		if !strings.HasPrefix(h.Mark, markInstruction) && h.Mark != markOrder || h.Segment >= len(in.Segments) {
			continue
		}
		s := &in.Segments[h.Segment]
		if s.Kind == "argument-name" || s.Kind == "mime" || h.Start > h.End || h.End > len(s.Text) {
			continue
		}
		severity, confidence := weigh(in.Entry, s.Text, h)
		if severity == "" {
			continue
		}
		out.Add(scanner.Finding{Rule: ruleObeyed, Severity: severity, Confidence: confidence, Segment: h.Segment, Start: h.Start, End: h.End,
			Message: "an argument comes from an instruction in what " + originOf(h.Origin) + " returned"})
	}
}

// maxOrigin bounds the names in a finding's message.
const maxOrigin = 120

func originOf(o scanner.Origin) string {
	name := o.Entry
	if o.Server != "" {
		name += " of " + o.Server
	}
	if name == "" {
		return "an earlier message"
	}
	if len(name) > maxOrigin {
		name = strings.ToValidUTF8(name[:maxOrigin], "") + "…"
	}
	return name
}

// copied is how much text without any name in it is a copy, in bytes.
const copied = 32

// named is how long an argument may be for an address in it to be what the
// argument is about.
const named = 160

// weigh says what a hit means: "" for nothing.
func weigh(entry, text string, h scanner.FlowHit) (severity string, confidence float64) {
	part := text[h.Start:h.End]
	whole := h.End-h.Start >= len(strings.TrimSpace(text))-8
	names := whole && len(part) >= leastWhole || namesSomething(part)
	if h.Mark == markInstruction {
		switch {
		case names:
			return "high", 0.85
		case len(part) >= copied && 2*len(part) >= len(text):
			return "high", 0.7
		case len(part) >= copied:
			return "medium", 0.5
		}
		return "low", 0.3
	}
	if names = whole && len(part) >= leastWhole || namesPlace(part); !names || len(text) > named || share*len(part) < len(text) {
		return "", 0
	}
	if h.Mark == markOrder && sends(entry) || h.Mark != markOrder && !reads(entry) {
		return "medium", 0.6
	}
	return "", 0
}

// leastWhole is how long an argument has to be that is a copy as a whole, and
// names no place; share what part of it the name of a place is at the least.
const (
	leastWhole = 8
	share      = 4
)

// namesPlace tells an address, a URL or an account from other names.
func namesPlace(part string) bool {
	if isPlace(part) {
		return true
	}
	dot, slash := strings.IndexByte(part, '.'), strings.IndexByte(part, '/')
	return dot > 0 && dot+2 < len(part) && part[dot+1] != ' ' && (slash > dot || slash < 0 && strings.IndexByte(part, ' ') < 0)
}

// senders are in the names of tools that send something somewhere.
var senders = [...]string{"send", "mail", "forward", "post", "upload", "transfer", "pay", "money", "message", "share", "submit", "http", "hook", "sms", "export", "publish", "wire", "deliver", "transaction"}

// sends tells a tool that, by its name, sends something somewhere.
func sends(entry string) bool { return anyIn(strings.ToLower(entry), senders[:]) }

// namesSomething tells an address, an account or a file from words.
func namesSomething(part string) bool {
	digits := 0
	for i := range len(part) {
		switch c := part[i]; {
		case '0' <= c && c <= '9':
			digits++
		case c == '@' || c == '/' || c == '_':
			return true
		case c == '.' && i > 0 && i+1 < len(part) && part[i+1] != ' ':
			return true
		}
	}
	return digits >= 6
}

// readers are the words with which names of tools begin that only fetch.
var readers = [...]string{"get", "fetch", "read", "list", "search", "find", "view", "show", "query", "lookup", "browse", "open", "visit", "navigate", "check", "web_search", "websearch"}

// reads tells a tool that, by its name, only fetches what its argument names.
func reads(entry string) bool {
	name := strings.ToLower(entry[strings.LastIndexAny(entry, "./:")+1:])
	for _, r := range readers {
		if strings.HasPrefix(name, r) {
			return true
		}
	}
	return false
}
