package main

import (
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
	"github.com/google/go-cmp/cmp"
)

// sample is random text of an alphabet, the same at every run.
func sample(a alphabet, n int) string { return seeded(2463534242, a, n) }

func seeded(x uint32, a alphabet, n int) string {
	var b strings.Builder
	for b.Len() < n {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		if c := byte(x >> 8 & 0x7f); a.has(c) && c != '=' && c != '.' {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// token makes one of a format: as short as there are, or shorter by a byte.
func (f *format) token() string {
	var b strings.Builder
	for i, e := range f.all() {
		b.WriteString(e.text)
		if e.text == "" {
			b.WriteString(seeded(2463534242+uint32(i)*7919, e.body, e.min))
		}
	}
	return b.String()
}

func (f *format) all() []element {
	return slices.Concat(f.lead, []element{{text: f.mark, min: len(f.mark), max: len(f.mark)}}, f.rest)
}

func TestEveryFormat(t *testing.T) {
	providers := map[string]bool{}
	for i := range formats {
		f := &formats[i]
		providers[f.provider] = true
		token := f.token()
		found := examine("value "+token+" end", "/params/arguments/text")
		if len(found) != 1 || found[0].rule != ruleToken || found[0].start != 6 || found[0].end != 6+len(token) {
			t.Errorf("%s %s: %v", f.provider, token, found)
		}
		if want := f.tests&weak != 0; len(found) == 1 && want && found[0].severity == "" {
			t.Errorf("%s %s: blocks", f.provider, f.mark)
		}
		if f.tests&runs == 0 {
			for _, h := range examine("value "+strings.Map(func(r rune) rune { return 'x' }, token[:len(token)-len(f.mark)])+" end", "") {
				t.Errorf("%s %s: a placeholder counts: %v", f.provider, f.mark, h)
			}
		}
		for _, h := range examine("valueA"+token+" end", "") {
			if h.rule == ruleToken && h.start == 6 {
				t.Errorf("%s %s: the tail of a word counts", f.provider, f.mark)
			}
		}
	}
	if len(providers) < 150 {
		t.Errorf("tokens of %d providers", len(providers))
	}
}

// TestEveryProvider announces a key of each shape by nothing but the name.
func TestEveryProvider(t *testing.T) {
	shapes := 0
	for i := range providers {
		p := &providers[i]
		for _, shape := range p.shapes {
			shapes++
			if shortest(shape) < 20 {
				t.Errorf("%s: a shape of %d bytes", p.name, shortest(shape))
			}
			f := format{rest: shape}
			if shape[0].text != "" {
				f.mark, f.rest = shape[0].text, shape[1:]
			}
			key := f.token()
			for _, text := range []string{p.name + ": " + key, strings.ToUpper(p.name) + "_API_KEY=" + key} {
				found := examine(text, "/params/arguments/text")
				if len(found) != 1 || text[found[0].start:found[0].end] != key {
					t.Errorf("%q: %v", text, found)
				}
			}
		}
	}
	if len(providers) < 400 || shapes < 200 {
		t.Errorf("%d providers with %d shapes", len(providers), shapes)
	}
}

func TestChecksum(t *testing.T) {
	body := sample(alnum, 30)
	sum := crc32.ChecksumIEEE([]byte(body))
	tail := make([]byte, 6)
	for i := 5; i >= 0; i-- {
		tail[i] = base62[sum%62]
		sum /= 62
	}
	for token, want := range map[string]float64{"ghp" + "_" + body + string(tail): 0.99, "ghp" + "_" + body + sample(alnum, 6): 0.9} {
		found := examine(token, "")
		if len(found) != 1 || found[0].confidence != want {
			t.Errorf("%s: %v", token, found)
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
			found, _ := announced(text, i)
			if found != nil && begun(text, i)&words == 0 {
				t.Fatalf("%q: something is announced at %d, where nobody looks", text, i)
			}
			any := at(text, i, pointer, ^kinds(0))
			if some := at(text, i, pointer, begun(text, i)); !cmp.Equal(any, some, cmp.AllowUnexported(hit{})) {
				t.Fatalf("%q at %d: %+v, looked for everything %+v", text, i, some, any)
			}
			if (found != nil || any != nil) && begins.Next(text, i) != i {
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

// BenchmarkHostile is what texts cost that are made of beginnings.
func BenchmarkHostile(b *testing.B) {
	for _, begin := range []string{"ordinary words, ", "$2a$", "://a.b/?", "secret=aB3", "wandb=", "iban "} {
		text := strings.Repeat(begin, 1<<16/len(begin))
		b.Run(begin, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				examine(text, "")
			}
		})
	}
}
