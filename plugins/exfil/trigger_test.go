package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	host "github.com/bartizan-mcp/bartizan/engine/match"
	"github.com/bartizan-mcp/bartizan/plugins/internal/cases"
	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

var update = flag.Bool("update", false, "write patterns and trigger into manifest.json")

// pattern is one of the manifest (sdk/abi/manifest.schema.json).
type pattern struct {
	ID    string `json:"id"`
	Text  string `json:"text,omitempty"`
	Shape string `json:"shape,omitempty"`
	Exact bool   `json:"exact,omitempty"`
}

// trigger is derived from the tables that the scanner works from, so that it is
// as wide as they are: each function below says what one of the checks needs at
// the least.
type trigger struct {
	patterns []pattern
	any      []any // patterns' ids and conditions
}

type member struct {
	Names []string `json:"names"`
	Digit bool     `json:"digit"`
}

func derive() *trigger {
	t := &trigger{}
	t.tokens()
	t.marks()
	t.headers()
	t.announcements()
	t.names()
	t.identities()
	t.numbers()
	return t
}

// shape and text add a pattern and return its id.
func (t *trigger) shape(id, s string) string {
	t.patterns = append(t.patterns, pattern{ID: id, Shape: s, Exact: true})
	return id
}

func (t *trigger) text(id, s string, exact bool) string {
	t.patterns = append(t.patterns, pattern{ID: id, Text: s, Exact: exact})
	return id
}

func (t *trigger) alone(id string)     { t.any = append(t.any, id) }
func (t *trigger) together(all ...any) { t.any = append(t.any, map[string]any{"all": all}) }
func oneOf(some ...any) map[string]any { return map[string]any{"any": some} }

// tokens are a format up to the first class that has no fixed length. Formats that
// begin alike share a pattern, if that is a run of bytes of one class: a trigger
// has not room for all.
func (t *trigger) tokens() {
	alike := map[string][]*format{}
	var order []string
	for i := range formats {
		f := &formats[i]
		key := fmt.Sprintf("%s.%d", f.provider, i)
		if len(f.lead) == 0 && len(f.mark) > 3 && !strings.ContainsAny(fixed(f.all(), false), ".!$:=~%") && !strings.Contains(fixed(f.all(), false), "<p") {
			key = f.mark[:3]
		}
		if alike[key] == nil {
			order = append(order, key)
		}
		alike[key] = append(alike[key], f)
	}
	for i, key := range order {
		family := alike[key]
		shape := fixed(family[0].all(), len(family[0].lead) > 0)
		if len(family) > 1 {
			shape = shared(family)
		}
		t.alone(t.shape(fmt.Sprintf("token.%s.%d", family[0].provider, i), shape))
	}
}

// shared is a shape that all of a family have in common.
func shared(family []*format) string {
	prefix, least := family[0].mark, 80
	for _, f := range family {
		for !strings.HasPrefix(f.mark, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
		n := 0
		for _, e := range f.all() {
			if n += e.min; e.min != e.max {
				break
			}
		}
		least = min(least, n)
	}
	return prefix + count('b', least-len(prefix))
}

// fixed is the shape of the elements up to the first class that has no fixed
// length; a class that leads ends where the mark begins.
func fixed(all []element, lead bool) string {
	var b strings.Builder
	for i, e := range all {
		if e.text != "" {
			b.WriteString(e.text)
			continue
		}
		b.WriteString(count(e.body.class(), min(e.min, 80)))
		if e.min > 80 || e.min != e.max && (i > 0 || !lead) {
			break
		}
	}
	return b.String()
}

// class is the narrowest class of shapes that holds an alphabet.
func (a alphabet) class() byte {
	switch a {
	case hexLow, hexAny:
		return 'x'
	case alnum, base32, lowNum, upperNum:
		return 'w'
	case digits:
		return 'd'
	case word, url64:
		return 'b'
	}
	return 'p' // no class has the dot or the equals sign
}

func count(class byte, n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("<%c%d>", class, n)
}

// marks are what structured recognises.
func (t *trigger) marks() {
	t.together(t.text("pem.begin", "-----BEGIN ", true), t.text("pem.label", "PRIVATE KEY", true))
	var decoded []any
	for _, view := range []string{"base64", "hex"} {
		decoded = append(decoded, map[string]any{"view": view})
	}
	t.together("url", oneOf(append(decoded, t.text("picture", "![", true), t.text("img", "<img", true))...))
	for i, h := range collectors {
		t.alone(t.text(fmt.Sprintf("collector.%d", i), h, false))
	}
	t.alone(t.text("putty", "PuTTY-User-Key-File-", true))
	t.alone(t.shape("azure.secret", "<d>Q~<p31>"))
	t.alone(t.text("azure.storage", "AccountKey=", true))
	t.together(t.text("jwt.header", "eyJ", true), oneOf(t.text("jwt.payload", ".eyJ", true), t.text("jwt.spaced", ".ewo", true)))
	t.together(t.text("url", "://", true), oneOf(t.shape("url.at", "<p>@"), map[string]any{"nonASCII": true}))
	for i, s := range schemes {
		t.alone(t.shape(fmt.Sprintf("scheme.%d", i), s.mark+"<p8>"))
	}
	for i, c := range commands {
		t.alone(t.text(fmt.Sprintf("command.%d", i), c, false))
	}
	for i, h := range hooks {
		t.alone(t.text(fmt.Sprintf("hook.%d", i), h.prefix, true))
	}
}

// headers are what credentials recognises.
func (t *trigger) headers() {
	t.alone(t.text("authorization", "authorization", false))
	t.together(t.text("curl", "curl", true), oneOf(t.text("curl.u", "-u ", true), t.text("curl.user", "--user", true)))
	t.together(oneOf(t.text("header.token", "token:", false), t.text("header.apikey", "apikey:", false), t.text("header.api-key", "api-key:", false)),
		oneOf(t.text("header.short", "-H", true), t.text("header.long", "--header", true)))
}

// announcements are the stems that hold no other, before a value or in the name
// of the member that it is the value of. That name need not be among the texts.
// Behind a stem in a text are a separator and eight bytes of the value, of which
// two are asked for: the name of a member often ends with one.
func (t *trigger) announcements() {
	var names []string
	for i, s := range stems {
		if slices.ContainsFunc(stems[:], func(o stem) bool { return o.text != s.text && strings.Contains(s.text, o.text) }) {
			continue
		}
		for _, next := range []string{"pp", "ps", "sp", "ss"} {
			id := fmt.Sprintf("stem.%d.%s", i, next)
			t.patterns = append(t.patterns, pattern{ID: id, Shape: fmt.Sprintf("%s<%c><%c>", s.text, next[0], next[1])})
			t.alone(id)
		}
		names = append(names, s.text)
	}
	t.any = append(t.any, map[string]any{"member": member{Names: names, Digit: true}}, map[string]any{"flow": true})
}

// identities are the words that announce a number that a state gives.
func (t *trigger) identities() {
	known := map[string]bool{}
	for i, a := range announcers {
		if known[a.text] || slices.ContainsFunc(announcers, func(o announcer) bool { return o.text != a.text && strings.Contains(a.text, o.text) }) {
			continue
		}
		known[a.text] = true
		t.alone(t.text(fmt.Sprintf("identity.%d", i), a.text, false))
	}
}

// names are the providers whose keys need no other word.
func (t *trigger) names() {
	for i := range providers {
		if p := &providers[i]; len(p.shapes) > 0 {
			t.alone(t.text("name."+p.name, p.name, false))
		}
	}
}

// numbers are cards by their issuers, social security numbers and IBANs.
func (t *trigger) numbers() {
	for _, p := range issuers() {
		id := "card." + strings.Trim(p, "<d123>")
		if p[0] != '<' {
			id = "card." + p[:strings.IndexByte(p+"<", '<')]
		}
		t.alone(t.shape(id, p+"<d8>"))
		t.alone(t.shape(id+"-hyphen", p+"-<d>"))
		t.alone(t.shape(id+"-space", p+" <d>"))
	}
	t.alone(t.shape("card.long-hyphen", "<d5>-<d>"))
	t.alone(t.shape("card.long-space", "<d5> <d>"))
	t.alone(t.shape("ssn.hyphen", "<d3>-<d2>-<d4>"))
	t.alone(t.shape("ssn.space", "<d3> <d2> <d4>"))
	for n := range 26 * 26 {
		if country := string([]byte{'A' + byte(n/26), 'A' + byte(n%26)}); ibanLength(country) > 0 {
			t.alone(t.shape("iban."+strings.ToLower(country), country+"<d2><p11>"))
		}
	}
}

// issuers are the shapes of the first four digits of a card, as few as there
// can be: one, two or all four digits are fixed.
func issuers() (out []string) {
	known := func(first, size int) bool { // by all numbers of four digits that begin so
		scale := 1
		for range 4 - size {
			scale *= 10
		}
		for rest := range scale {
			if four := first*scale + rest; issued(four) {
				return true
			}
		}
		return false
	}
	for one := 1; one < 10; one++ {
		var pairs []int
		for two := one * 10; two < one*10+10; two++ {
			if known(two, 2) {
				pairs = append(pairs, two)
			}
		}
		if len(pairs) == 10 {
			out = append(out, fmt.Sprintf("%d<d3>", one))
			continue
		}
		for _, two := range pairs {
			var all []int
			for four := two * 100; four < two*100+100; four++ {
				if issued(four) {
					all = append(all, four)
				}
			}
			if len(all) == 1 {
				out = append(out, fmt.Sprint(all[0]))
			} else {
				out = append(out, fmt.Sprintf("%d<d2>", two))
			}
		}
	}
	return out
}

// issued reports that a number of some length may begin with these four digits.
func issued(four int) bool {
	for n := 12; n <= 19; n++ {
		number := make([]byte, n)
		for i, d := 3, four; i >= 0; i, d = i-1, d/10 {
			number[i] = byte(d % 10)
		}
		if issuer(number) != 0 {
			return true
		}
	}
	return false
}

// TestManifest holds the manifest to the tables. After a change to these:
//
//	go test ./plugins/exfil -run TestManifest -update
func TestManifest(t *testing.T) {
	cases.Manifest(t, *update, func(old string) string {
		head, _, _ := strings.Cut(old, `  "call":`)
		_, rest, _ := strings.Cut(old, `  "rules":`)
		want := derive()
		if n := conditions(map[string]any{"any": want.any}); n > 1024 {
			t.Errorf("%d conditions: the engine takes 1024", n)
		}
		return head + "  \"call\": \"triggered\",\n  \"patterns\": [\n" + cases.Lines(t, want.patterns) + "  ],\n" +
			cases.Trigger(t, want.any) + `  "rules":` + rest
	})
}

// conditions counts those of a trigger as the engine does.
func conditions(c any) int {
	n := 1
	if of, ok := c.(map[string]any); ok {
		for _, op := range []string{"any", "all"} {
			all, _ := of[op].([]any)
			for _, c := range all {
				n += conditions(c)
			}
		}
	}
	return n
}

// summoned evaluates the trigger over the texts of an input.
func summoned(t testing.TB, want *trigger, a *host.Automaton, in *scanner.Input) bool {
	t.Helper()
	hit := make(map[string]bool)
	for _, s := range in.Segments {
		hits, complete := a.Append(nil, s.Text, 1<<20)
		if !complete {
			return true
		}
		for _, h := range hits {
			hit[want.patterns[h.Pattern].ID] = true
		}
	}
	var holds func(c any) bool
	holds = func(c any) bool {
		if id, ok := c.(string); ok {
			return hit[id]
		}
		for op, of := range c.(map[string]any) {
			switch op {
			case "any":
				return slices.ContainsFunc(of.([]any), holds)
			case "all":
				return !slices.ContainsFunc(of.([]any), func(c any) bool { return !holds(c) })
			case "member":
				return slices.ContainsFunc(in.Segments, func(s scanner.Segment) bool {
					name := asciiLower(s.Pointer[strings.LastIndexByte(s.Pointer, '/')+1:])
					return slices.ContainsFunc(of.(member).Names, func(word string) bool { return strings.Contains(name, word) }) &&
						strings.ContainsAny(s.Text, numerals)
				})
			case "view":
				return slices.ContainsFunc(in.Segments, func(s scanner.Segment) bool { return strings.Contains(s.Provenance, of.(string)) })
			case "flow":
				return len(in.Flow) > 0
			case "nonASCII":
				return slices.ContainsFunc(in.Segments, func(s scanner.Segment) bool {
					return strings.IndexFunc(s.Text, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0
				})
			}
		}
		t.Fatalf("condition %v", c)
		return false
	}
	return slices.ContainsFunc(want.any, holds)
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

func automaton(t testing.TB, want *trigger) *host.Automaton {
	t.Helper()
	var patterns []host.Pattern
	for _, p := range want.patterns {
		patterns = append(patterns, host.Pattern{Text: p.Text, Shape: p.Shape, Exact: p.Exact})
	}
	a, err := host.Compile(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestTriggerIsNecessary holds that the scanner is called for everything that it
// finds: the cases, each of them as content, and every format by itself.
func TestTriggerIsNecessary(t *testing.T) {
	want := derive()
	a := automaton(t, want)
	check := func(name string, in *scanner.Input) {
		if n := len(scan(in).Findings); n > 0 && !summoned(t, want, a, in) {
			t.Errorf("%s: %d findings, and the scanner is not called", name, n)
		}
	}
	all, _, err := cases.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, c := range all {
		check(c.Name, c.Input())
		for _, s := range c.Segments {
			in := &scanner.Input{Phase: "result", Segments: []scanner.Segment{{Kind: "text", Pointer: "/result/content/0/text", Text: s.Text()}}}
			check(c.Name, in)
			found += len(scan(in).Findings)
		}
	}
	if found < 10 {
		t.Errorf("the cases find %d as content: too few to compare", found)
	}
	for i := range formats {
		f := &formats[i]
		check(f.provider+" "+f.mark, &scanner.Input{Phase: "result", Segments: []scanner.Segment{{Kind: "text", Text: f.token()}}})
	}
	for i := range providers {
		for _, shape := range providers[i].shapes {
			f := format{rest: shape}
			check(providers[i].name, &scanner.Input{Phase: "result", Segments: []scanner.Segment{{Kind: "text", Text: providers[i].name + "=" + f.token()}}})
		}
	}
}

// places are where a text may stand: as content, and as a value whose name says
// something about it, for each of the kinds.
func places() (all []scanner.Segment) {
	for _, kind := range []string{"text", "argument", "argument-name", "structured", "meta", "error", "other"} {
		for _, pointer := range []string{"", "/result/content/0/text", "/params/arguments/query", "/params/arguments/apiKey", "/headers/Mcp-Param-Token"} {
			all = append(all, scanner.Segment{Kind: kind, Pointer: pointer})
		}
	}
	return all
}

// TestTriggerOverCorpora holds the same over every string of the public corpora,
// wherever it may stand, and says how rarely ordinary results call the scanner.
func TestTriggerOverCorpora(t *testing.T) {
	dir := os.Getenv("BARTIZAN_CORPORA")
	if dir == "" {
		dir = "../../../shared/corpora"
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Skip("no corpora here: set BARTIZAN_CORPORA to their directory")
	}
	want := derive()
	a := automaton(t, want)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts, called, found := 0, 0, 0
		for dec := json.NewDecoder(bytes.NewReader(raw)); ; {
			token, err := dec.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			text, ok := token.(string)
			if !ok || len(text) < 8 {
				continue
			}
			in := &scanner.Input{Phase: "result", Segments: []scanner.Segment{{Kind: "text", Pointer: "/result/content/0/text", Text: text}}}
			due, finds := summoned(t, want, a, in), len(scan(in).Findings)
			if finds > 0 && !due {
				t.Errorf("%s: %.80q: %d findings, and the scanner is not called", filepath.Base(file), text, finds)
			}
			texts, found = texts+1, found+finds
			if due {
				called++
				continue // by its text, wherever it stands
			}
			for _, s := range places() {
				s.Text = text
				in.Segments = []scanner.Segment{s}
				if n := len(scan(in).Findings); n > 0 && !summoned(t, want, a, in) {
					t.Errorf("%s: %.80q at %s: %d findings, and the scanner is not called", filepath.Base(file), text, s.Pointer, n)
				}
			}
		}
		t.Logf("%s: called for %d of %d texts, %d findings", filepath.Base(file), called, texts, found)
	}
}

// FuzzTrigger looks for a finding that the scanner would not have been called for.
func FuzzTrigger(f *testing.F) {
	all, _, err := cases.Load(".")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range all {
		for _, s := range c.Segments {
			f.Add(s.Text(), s.Kind, s.Pointer)
			f.Add(s.Text(), "argument", "/params/arguments/apiKey")
		}
	}
	f.Add("hunter2hunter2", "argument", "/params/arguments/accessor")
	f.Add("4f1c9a77b2d04e5f", "meta", "/params/_meta/progressToken")
	want := derive()
	a := automaton(f, want)
	f.Fuzz(func(t *testing.T, text, kind, pointer string) {
		if !utf8.ValidString(text) || len(text) > 1<<14 || !utf8.ValidString(pointer) {
			t.Skip()
		}
		in := &scanner.Input{Phase: "request", Segments: []scanner.Segment{{Kind: kind, Pointer: pointer, Text: text}}}
		if out := scan(in); len(out.Findings) > 0 && !summoned(t, want, a, in) {
			t.Fatalf("%q: %+v, and the scanner is not called", text, out.Findings)
		}
	})
}

// BenchmarkTrigger is what the scanner's patterns cost in the engine's pass.
func BenchmarkTrigger(b *testing.B) {
	a := automaton(b, derive())
	text := strings.Repeat("Commit 4f2a by Maria: fixes the parser for dates such as 2024-05-11 and adds a test; see https://ci.example.org/run/8812.\n", 34)
	b.SetBytes(int64(len(text)))
	var hits []host.Hit
	for b.Loop() {
		hits, _ = a.Append(hits[:0], text, 1<<20)
	}
}
