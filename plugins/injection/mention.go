package main

import (
	"strings"

	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
)

// Texts about attacks quote them. A phrase that stands alone between quotation
// marks, introduced as an example of what somebody writes, is mentioned and not
// said, as long as nothing around it asks for anything.

// mentionable are the phrases that such texts quote.
var mentionable = [...]textmodel.Phrase{textmodel.SetAside, textmodel.SetAsideLoose, textmodel.RevealPrompt, textmodel.Conceal, textmodel.ConcealLoose}

// introductions announce an example.
var introductions = [...]string{"such as", "like", "e.g.", "for example", "for instance", "phrase", "sentence", "words", "attack", "inject", "payload", "classic", "asked to", "asking", "says", "writes", "called", "jailbreak", "example"}

const (
	introduced = 160 // bytes before a quotation in which it is introduced
	quoteSlack = 60  // bytes of a quotation beside the phrase
)

// unmention takes phrases that are only mentioned out of a reading.
func unmention(text string, r *textmodel.Reading) {
	if !r.Any(mentionable[:]...) || r.Any(acts[:4]...) || r.Any(textmodel.RunShell, textmodel.MoveMoney, textmodel.FakeEnvelope) {
		return
	}
	for _, p := range mentionable {
		if r.Has(p) && mentioned(text, r.Where[p]) {
			r.Phrases &^= 1 << p
		}
	}
}

// mentioned reports a place inside a short quotation that is introduced.
func mentioned(text string, at textmodel.Span) bool {
	start, end := int(at.Start), int(at.End)
	before := text[max(0, start-quoteSlack):start]
	open := max(strings.LastIndexAny(before, "\"“‘«`"), strings.LastIndex(before, " '")) // an apostrophe stands in a word
	if open < 0 || strings.ContainsAny(before[open:], "\n.") {
		return false
	}
	after := text[end:min(len(text), end+quoteSlack)]
	if shut := strings.IndexAny(after, "\"”’»`'"); shut < 0 || strings.ContainsAny(after[:shut], "\n") {
		return false
	}
	opened := start - len(before) + open
	return one(strings.ToLower(text[max(0, opened-introduced):opened]), introductions[:]...)
}
