package main

import (
	"strings"
	"testing"
)

func TestOpensOrder(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "Fine. ": true, "- ": true, `x\n`: true, "x\n": true, "You should ": true, "please ": true, "İnstead ": true,
		"they ": false, "re": false, "insteadinsteadinsteadinstead ": false,
	} {
		if got := opensOrder(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestMayHold: whatever is a place may be one, wherever it stands among the
// eight bytes that are looked at together.
func TestMayHold(t *testing.T) {
	for _, place := range []string{"www.a", "WWW.a", "a@b.c", "ftp://x", "12345678", "1a2b3c4d5e6f7g8"} {
		if !isPlace(place) {
			t.Errorf("%q is a place", place)
		}
		for before := range 17 {
			for after := range 17 {
				text := strings.Repeat("x ", before)[:before] + " " + place + strings.Repeat(" y", after)[:after]
				if !mayHold(text) {
					t.Errorf("%q holds a place", text)
				}
			}
		}
	}
	for _, text := range []string{"the summary of the week, 123456 lines, nothing", "now we know how"} {
		if mayHold(text) {
			t.Errorf("%q holds no place", text)
		}
	}
}

// FuzzDestination: no text has a destination that may hold none.
func FuzzDestination(f *testing.F) {
	f.Add("it to a@b.example today")
	f.Add("20 to DE02500105170137075030")
	f.Fuzz(func(t *testing.T, text string) {
		if n := destination(text); n < 0 || n > len(text) {
			t.Fatalf("%d of %q", n, text)
		}
		if hasPlace(text) && !mayHold(text) {
			t.Fatalf("%q", text)
		}
	})
}
