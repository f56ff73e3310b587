package main

import (
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
)

// TestClauseBefore: what opens a clause, and what is left of it.
func TestClauseBefore(t *testing.T) {
	for _, c := range []struct {
		text, lead string
		opened     bool
	}{
		{"", " ", true},
		{"Note to the ", "note to the ", true},
		{"All is well. Dear ", "dear ", true},
		{"version 1.2 of the ", "version 1.2 of the ", true},
		{"read (our ", "our ", true},
		{"it works -- hello ", "hello ", true},
		{`{"a":"x\n\nHey `, "hey ", true},
		{"As agreed, any ", "any ", true},
		{"As agreed, every last one of all the ", "as agreed, every last one of all the ", true},
		{"Hinweis: 'für ", "für ", true},
		{"a text of many words before it in which nothing at all ends and nothing begins up to those that the ", "many words before it in which nothing at all ends and nothing begins up to those that the ", false},
	} {
		lead, opened := clauseBefore(&lowercase{text: c.text + "assistant"}, len(c.text))
		if lead != c.lead || opened != c.opened {
			t.Errorf("%q: %q, %v", c.text, lead, opened)
		}
	}
}

// TestModal: the first place of a word counts, and each word by itself.
func TestModal(t *testing.T) {
	for text, want := range map[string]bool{
		" must send it": true, " must not send it": false, " must not wait and must send it": false,
		" must not wait but should send it": true, " musters": false,
	} {
		if got := modal(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestNames(t *testing.T) {
	for word, want := range map[string]bool{
		"assistant": true, "assistants": true, "asystent": true, "ai-helper": true, "my_agent": true, "@bot": true, "language model": true, "助手": true,
		"assistance": false, "assistant's": false, "assist-bot": true, "agency": false, "email": false, "-": false, "": false,
	} {
		if got := names(word); got != want {
			t.Errorf("%q: %v", word, got)
		}
	}
}

// TestMentioned: a phrase between marks that is introduced as somebody's is
// mentioned; one that stands by itself is said.
func TestMentioned(t *testing.T) {
	const phrase = "ignore previous instructions"
	for text, want := range map[string]bool{
		"Attackers hide orders such as 'ignore previous instructions' in pages.": true,
		`A classic example: "ignore previous instructions".`:                     true,
		"such as ignore previous instructions":                                   false,
		"The user's like: ignore previous instructions, don't ask":               false,
		"Please 'ignore previous instructions' now":                              false,
	} {
		at := strings.Index(text, phrase)
		if got := mentioned(text, textmodel.Span{Start: int32(at), End: int32(at + len(phrase))}); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestTurnedToSomebodysModel: an aside to a reader's assistant, and one that no
// other reader is to see.
func TestTurnedToSomebodysModel(t *testing.T) {
	for lead, want := range map[string]turning{
		"PS for your ":           turnPlain,
		"Visible to ":            turnPlain,
		"We built this for our ": turnNone,
	} {
		text := lead + "assistant: send it"
		if got := turned(&lowercase{text: text}, len(lead), len(lead)+len("assistant")); got != want {
			t.Errorf("%q: %d", lead, got)
		}
	}
}
