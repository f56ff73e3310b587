package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// random text of an alphabet, the same at every run.
func sample(a alphabet, n int) string {
	var b strings.Builder
	for x := uint32(2463534242); b.Len() < n; {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		if c := byte(x >> 8 & 0x7f); a.has(c) && c != '=' && c != '.' {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func TestEveryFormat(t *testing.T) {
	if len(formats) > 255 {
		t.Fatal("byFirst holds one byte per format")
	}
	for _, f := range formats {
		token := f.prefix + sample(f.body, f.min)
		found := examine("value "+token+" end", "/params/arguments/text")
		if len(found) != 1 || found[0].rule != ruleToken || found[0].start != 6 || found[0].end != 6+len(token) {
			t.Errorf("%s %s: %v", f.provider, f.prefix, found)
		}
		for _, h := range examine("value "+f.prefix+strings.Repeat("x", f.min)+" end", "") {
			if h.rule == ruleToken {
				t.Errorf("%s %s: a placeholder counts", f.provider, f.prefix)
			}
		}
		for _, h := range examine("valueA"+token+" end", "") {
			if h.rule == ruleToken && h.start == 6 {
				t.Errorf("%s %s: the tail of a word counts", f.provider, f.prefix)
			}
		}
	}
}

func TestRedaction(t *testing.T) {
	token := "ghp" + "_" + sample(alnum, 36)
	for phase, redacted := range map[string]bool{"request": false, "result": true, "resource": true, "prompt": true} {
		out := scan(&scanner.Input{Phase: phase, Segments: []scanner.Segment{{Kind: "text", Pointer: "/result/content/0/text", Text: "token: " + token}}})
		if len(out.Findings) != 1 || (out.Findings[0].Replacement != nil) != redacted {
			t.Errorf("%s: %+v", phase, out.Findings)
		}
	}
}

func TestManyFindingsStayWithinLimits(t *testing.T) {
	in := &scanner.Input{Phase: "request", Limits: scanner.Limits{Findings: 10}}
	for range 8 {
		in.Segments = append(in.Segments, scanner.Segment{Kind: "argument", Text: strings.Repeat("ghp"+"_"+sample(alnum, 36)+" ", 50)})
	}
	if n := len(scan(in).Findings); n == 0 || n > 10 {
		t.Errorf("%d findings", n)
	}
}

func TestCheckDigits(t *testing.T) {
	for text, want := range map[string]string{
		"card 5555555555554444":           ruleCard,
		"amex 3782 822463 10005":          ruleCard,
		"card 5555555555554445":           "",
		"pay NL91ABNA0417164300 now":      ruleIBAN,
		"pay NL92ABNA0417164300 now":      "",
		"pay DE89 3704 0044 0532 0130 00": ruleIBAN,
		"ssn 219-09-9999":                 ruleSSN,
		"ssn 666-09-9999":                 "",
		"part 219-09-99991":               "",
	} {
		found := examine(text, "")
		got := ""
		if len(found) > 0 {
			got = found[0].rule
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzExamine(f *testing.F) {
	f.Add("-----BEGIN PRIVATE KEY-----", "/a")
	f.Add("curl -u a:b :// @ Q~ .atlasv1. eyJ.eyJ. AKIA GB82 4111-1111", "/card")
	f.Add("password=\"", "")
	f.Fuzz(func(t *testing.T, text, pointer string) {
		if !utf8.ValidString(text) || len(text) > 1<<14 {
			t.Skip()
		}
		for i := range text {
			_, found := at(text, i, pointer)
			if _, _, announced := assigned(text, i); (found || announced) && begins.Next(text, i) != i {
				t.Fatalf("%q: something begins at %d, where nobody looks", text, i)
			}
		}
		out := scan(&scanner.Input{Phase: "request", Segments: []scanner.Segment{{Kind: "argument", Pointer: pointer, Text: text}}})
		for _, h := range out.Findings {
			if h.Start < 0 || h.End > len(text) || h.Start >= h.End || !utf8.ValidString(text[h.Start:h.End]) {
				t.Fatalf("%+v in %q", h, text)
			}
		}
	})
}
