package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/plugins/internal/cases"
	"github.com/bartizan-mcp/bartizan/plugins/textmodel"
)

var update = flag.Bool("update", false, "write the patterns of words and the trigger into manifest.json")

type pattern struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// trigger is derived from the lexicon. What a client sends is examined by the
// plain rules alone: each function below says which words one of them needs at
// the least. All else is always examined.
type trigger struct {
	patterns []pattern
	any      []any // patterns' ids and conditions
}

func derive() *trigger {
	t := &trigger{}
	t.when("flow", true)
	t.together(
		map[string]any{"phase": []string{"result", "prompt", "resource"}},
		map[string]any{"kind": []string{"argument", "text", "structured", "error", "name", "title", "description", "instructions", "uri", "other", "meta",
			"annotation", "server-info", "parameter", "schema-title", "schema-description", "schema-value"}})
	for _, decoder := range hiding { // what was encoded, whatever it says
		t.when("view", decoder)
	}
	t.when("nonASCII", true)
	t.when("mixedWord", true) // words of the lexicon in disguise
	t.templates()
	t.override()
	t.conceal()
	return t
}

func (t *trigger) when(condition string, value any) {
	t.any = append(t.any, map[string]any{condition: value})
}
func (t *trigger) together(all ...any) { t.any = append(t.any, map[string]any{"all": all}) }

// word returns the id of the pattern for a word.
func (t *trigger) word(w string) string {
	id := "word." + w
	if !slices.ContainsFunc(t.patterns, func(p pattern) bool { return p.ID == id }) {
		t.patterns = append(t.patterns, pattern{id, w})
	}
	return id
}

// words holds where one of the words with these parts stands.
func (t *trigger) words(parts textmodel.Class) map[string]any {
	var some []any
	for _, w := range textmodel.Words(parts) {
		some = append(some, t.word(w))
	}
	return map[string]any{"any": some}
}

func (t *trigger) templates() {
	for i, token := range templates {
		id := fmt.Sprintf("template.%d", i)
		t.patterns = append(t.patterns, pattern{id, token})
		t.any = append(t.any, id)
	}
}

// override: to set aside, or not to follow, what came before or what governs.
func (t *trigger) override() {
	t.together(t.words(textmodel.Override|textmodel.Follow), t.words(textmodel.Directive|textmodel.Dialogue|textmodel.Prior))
}

// conceal: not to tell somebody, beside a phrase about a place to send to, about
// secrets, about stealth, about an order of things, or that poses as a system's.
func (t *trigger) conceal() {
	t.together(t.words(textmodel.Disclose), t.words(textmodel.Person), t.words(
		textmodel.Destination|textmodel.Sensitive|textmodel.PrivateFile|textmodel.Covert|textmodel.Ordering|
			textmodel.Envelope|textmodel.System|textmodel.Urgency|textmodel.Instruct))
}

// TestManifest holds the manifest to the lexicon. After a change to that:
//
//	go test ./plugins/injection -run TestManifest -update
func TestManifest(t *testing.T) {
	cases.Manifest(t, *update, func(old string) string {
		head, _, _ := strings.Cut(old, "  ],\n  \"trigger\"")
		_, rest, _ := strings.Cut(old, "  \"rules\":")
		kept := slices.DeleteFunc(strings.SplitAfter(head, "\n"), func(line string) bool {
			return strings.Contains(line, `{"id": "word.`) || strings.Contains(line, `{"id": "template.`)
		})
		want := derive()
		var b strings.Builder
		b.WriteString(strings.TrimRight(strings.Join(kept, ""), ",\n"))
		for _, p := range want.patterns {
			fmt.Fprintf(&b, ",\n    {\"id\": %s, \"text\": %s}", cases.Compact(t, p.ID), cases.Compact(t, p.Text))
		}
		return b.String() + "\n  ],\n" + cases.Trigger(t, want.any) + "  \"rules\":" + rest
	})
}
