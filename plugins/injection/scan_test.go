package main

import (
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/plugins/internal/cases"
)

func TestCases(t *testing.T) {
	all, rules, err := cases.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		t.Run(c.Name, func(t *testing.T) {
			if problem := c.Check(scan, rules); problem != "" {
				t.Error(problem)
			}
		})
	}
}

// TestTemplatePlace holds the search by eight bytes to a plain one, with a token
// at every offset and what looks like one before it.
func TestTemplatePlace(t *testing.T) {
	for _, token := range templates {
		for before := range 20 {
			for _, fill := range []string{"x", "<", "[", "\n", "é", "\x8a\xdb\xbc"} {
				text := strings.Repeat(fill, before) + token + "rest"
				want := len(text)
				for _, other := range templates {
					if at := strings.Index(text, other); at >= 0 {
						want = min(want, at)
					}
				}
				if got := template(text); got != want {
					t.Errorf("%q: %d, want %d", text, got, want)
				}
			}
		}
	}
	for n := range 20 {
		if text := strings.Repeat("[<\n", n); template(text) != -1 {
			t.Errorf("%q holds a token", text)
		}
	}
}
