package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
)

// An errand is an order to do something for somebody with a tool: "Send my saved
// cards to …". In what a tool returns nobody has one to give. Documents give
// orders, too, but to their readers ("your account"); an errand speaks for a
// person ("my account") or of the user.

// Bounds of an errand.
const (
	minErrand = 5   // words
	maxErrand = 400 // bytes
)

// doing are the parts of verbs that an errand opens with.
const doing = textmodel.Act | textmodel.Transfer | textmodel.Destroy | textmodel.Gather | textmodel.Affect | textmodel.Money

// leading are the parts of words that may stand before its verb.
const leading = textmodel.Request | textmodel.Now | textmodel.Ordering | textmodel.Urgency

// errand finds the first errand of a window that has been read.
func errand(text string, w []textmodel.Token, r *textmodel.Reading) (span textmodel.Span, found bool) {
	if r.Classes&doing == 0 {
		return span, false
	}
	for i := range w {
		t := &w[i]
		if t.Mark&textmodel.MarkStart == 0 || t.Class&(doing|leading) == 0 {
			continue
		}
		verb := i
		for verb+1 < len(w) && verb < i+2 && w[verb].Class&leading != 0 && w[verb].Class&doing == 0 {
			verb++
		}
		if w[verb].Class&doing == 0 || weak[firstWord(text[w[verb].Start:w[verb].End])] {
			continue
		}
		sentence := text[w[verb].Start:min(len(text), int(w[verb].Start)+maxErrand)]
		sentence = sentence[:ending(sentence)]
		if strings.Count(sentence, " ") >= minErrand-1 && personal(sentence) {
			return textmodel.Span{Start: w[i].Start, End: w[verb].Start + int32(len(sentence))}, true
		}
	}
	return span, false
}

// weak are verbs with which people speak of themselves to other people.
var weak = set("check click look read review visit log logs load tell ask order copy open get find reply list include email search verify access provide put fill pass see")

// ending is where the first sentence of a text ends.
func ending(text string) int {
	for i := range len(text) {
		switch text[i] {
		case '\n':
			return i
		case '.', '!', '?':
			if i+1 == len(text) || text[i+1] == ' ' || text[i+1] == '\n' || text[i+1] == '"' || text[i+1] == '\\' {
				return i
			}
		}
	}
	return len(text)
}

// personal reports a sentence that speaks for a person, or of the user as of
// somebody else, and not to its reader.
func personal(sentence string) bool {
	at := strings.IndexByte(sentence, '@')
	mine := one(sentence, " my ", " the user's ", " of the user ", "’s account", "the user’s ", " all users")
	if !mine && at <= 0 {
		return false
	}
	if strings.ContainsAny(sentence, "{}=;<") || one(sentence, "//", " my $", " your ", " you ", " our ", " us ", " we ") {
		return false
	}
	return mine || at+1 < len(sentence) && sentence[at-1] != ' ' && sentence[at+1] != ' ' &&
		one(sentence, " all ", " every ", " access", "password", "credential", "the contents", " file", " document", "subject '", "subject \"", "Subject", "message '", " contacts", "records", " data", " history", "statement", " code")
}
