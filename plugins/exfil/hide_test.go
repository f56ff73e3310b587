package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

// token is made here, so that nobody who scans this repository finds one.
var token = "ghp_" + strings.Repeat("aB3dE5fG7", 4)

const account = "GB82WEST12345698765432"

func request(kind string, texts ...string) *scanner.Input {
	in := &scanner.Input{Phase: "request", Limits: scanner.Limits{Findings: 256}}
	for i, text := range texts {
		in.Segments = append(in.Segments, scanner.Segment{Kind: kind, Pointer: fmt.Sprintf("/params/arguments/rows/%d", i), Text: text})
	}
	return in
}

// TestSmallFindingsHideNoLargeOne fills the answer with what is only flagged.
func TestSmallFindingsHideNoLargeOne(t *testing.T) {
	rows := make([]string, 1000)
	for i := range rows {
		rows[i] = fmt.Sprintf("%s and %s", account, strings.Repeat(account+" ", i%30))
	}
	for name, in := range map[string]*scanner.Input{
		"in one text":      request("argument", strings.Repeat(account+" ", maxHits)+token),
		"far in one text":  request("argument", strings.Repeat(account+" ", 2000)+token),
		"over many texts":  request("argument", append(rows, token)...),
		"as a member name": request("argument-name", "city", token),
	} {
		out := scan(in)
		if !slices.ContainsFunc(out.Findings, proved) {
			t.Errorf("%s: the token is not among %d findings", name, len(out.Findings))
		}
		if len(out.Findings) > in.Limits.Findings {
			t.Errorf("%s: %d findings", name, len(out.Findings))
		}
	}
}

// TestSurroundingsDoNotMakeATokenLess writes around a token what would only be
// flagged by itself.
func TestSurroundingsDoNotMakeATokenLess(t *testing.T) {
	for _, around := range []string{
		"Authorization: Bearer %s", "curl -u me:%s https://x", "curl --user %s: https://x", "password = %s",
		"https://user:%s@example.com/x", "postgres://u:%s@h/db",
		"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.%s",
	} {
		text := fmt.Sprintf(around, token)
		out := scan(request("argument", text))
		i := slices.IndexFunc(out.Findings, proved)
		if i < 0 || text[out.Findings[i].Start:out.Findings[i].End] != token {
			t.Errorf("%s: %+v", around, out.Findings)
		}
	}
}

func proved(f scanner.Finding) bool { return f.Rule == ruleToken && f.Severity == "" }
