package main

import (
	"testing"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

func TestResultsAreMarked(t *testing.T) {
	for text, want := range map[string]string{
		token: markSecret, "pay " + account + " please": markPersonal, "ssn 078-05-1121": markPersonal, "nothing here": "",
	} {
		in := &scanner.Input{Phase: "result", Segments: []scanner.Segment{{Kind: "text", Text: text}}}
		got := ""
		for _, f := range scan(in).Findings {
			got = f.Mark
		}
		if got != want {
			t.Errorf("%q is marked %q, not %q", text, got, want)
		}
		in.Phase = "request"
		for _, f := range scan(in).Findings {
			if f.Mark != "" {
				t.Errorf("%q in a request is marked %q", text, f.Mark)
			}
		}
	}
}

func TestCarried(t *testing.T) {
	const plain = "correct-horse-battery-staple"
	hit := func(mark string, segment, n int) scanner.FlowHit {
		return scanner.FlowHit{Mark: mark, Segment: segment, End: n}
	}
	for _, c := range []struct {
		name, pointer, want string
		flow                []scanner.FlowHit
	}{
		{"a secret", "/params/arguments/body", "high", []scanner.FlowHit{hit(markSecret, 0, len(plain))}},
		{"part of one", "/params/arguments/body", "high", []scanner.FlowHit{hit(markSecret, 0, leastCopy)}},
		{"too little of one", "/params/arguments/body", "", []scanner.FlowHit{hit(markSecret, 0, leastCopy-1)}},
		{"where credentials belong", "/params/arguments/access_token", "low", []scanner.FlowHit{hit(markSecret, 0, len(plain))}},
		{"personal data", "/params/arguments/body", "", []scanner.FlowHit{hit(markPersonal, 0, len(plain))}},
		{"personal data, as instructed", "/params/arguments/body", "high", []scanner.FlowHit{hit("instruction", 1, 4), hit(markPersonal, 0, len(plain))}},
		{"an instruction alone", "/params/arguments/body", "", []scanner.FlowHit{hit("instruction", 0, len(plain))}},
		{"out of range", "/params/arguments/body", "", []scanner.FlowHit{hit(markSecret, 9, 20), hit(markSecret, 0, 999)}},
	} {
		in := &scanner.Input{Phase: "request", Flow: c.flow, Segments: []scanner.Segment{
			{Kind: "argument", Pointer: c.pointer, Text: plain}, {Kind: "argument", Pointer: "/params/arguments/to", Text: "a@b.example"},
		}}
		got := ""
		for _, f := range scan(in).Findings {
			if f.Rule == ruleCarried {
				if got = f.Severity; got == "" {
					got = "high" // the rule's own
				}
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}
