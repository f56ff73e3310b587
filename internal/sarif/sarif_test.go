package sarif

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

func TestRegionOf(t *testing.T) {
	text := []byte("{\n  \"é\": \"über\",\n  \"b\": 1\n}\n")
	start := strings.Index(string(text), `"über"`)
	got := RegionOf(text, start, start+len(`"über"`))
	want := &Region{StartLine: 2, StartColumn: 8, EndLine: 2, EndColumn: 14, ByteOffset: start, ByteLength: 7}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := RegionOf(text, 0, len(text)); got.StartLine != 1 || got.StartColumn != 1 || got.EndLine != 5 || got.EndColumn != 1 {
		t.Errorf("%+v", got)
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		quoted     string
		start, end int
		want       string
	}{
		{`"plain"`, 1, 3, `la`},
		{`"plain"`, 0, 5, `plain`},
		{`"a\nb\u00e9c"`, 1, 2, `\n`},
		{`"a\nb\u00e9c"`, 3, 5, `\u00e9`},
		{`"a\nb\u00e9c"`, 4, 5, `\u00e9`}, // half a character is all of it
		{`"\ud83d\ude00x"`, 0, 4, `\ud83d\ude00`},
		{`"\ud83d\ude00x"`, 4, 5, `x`},
		{`"😀\"x"`, 4, 5, `\"`},
		{`""`, 0, 0, ``},
		{`"ab"`, 2, 9, ``},
	} {
		from, to := Within([]byte(c.quoted), c.start, c.end)
		if got := c.quoted[from:to]; got != c.want {
			t.Errorf("%s %d to %d: %q, want %q", c.quoted, c.start, c.end, got, c.want)
		}
	}
}

// FuzzWithin holds the ranges to what a decoder makes of them: the raw range
// decodes to a text that holds what was asked for.
func FuzzWithin(f *testing.F) {
	f.Add([]byte(`"a\nb\u00e9c\ud83d\ude00"`), 2, 4)
	f.Add([]byte(`"\/\\\u0000é😀"`), 0, 9)
	f.Fuzz(func(t *testing.T, quoted []byte, start, end int) {
		value := jsontext.Value(quoted)
		if value.Kind() != '"' || !value.IsValid() || quoted[0] != '"' || quoted[len(quoted)-1] != '"' {
			return
		}
		text, err := jsontext.AppendUnquote(nil, quoted)
		if err != nil || start < 0 || end < start || end > len(text) {
			return
		}
		from, to := Within(quoted, start, end)
		if from < 1 || to < from || to > len(quoted)-1 {
			t.Fatalf("%q: %d to %d", quoted, from, to)
		}
		part, err := jsontext.AppendUnquote(nil, slices.Concat([]byte(`"`), quoted[from:to], []byte(`"`)))
		if err != nil {
			t.Fatalf("%q: %q does not decode: %v", quoted, quoted[from:to], err)
		}
		if start < end && utf8.Valid(text[start:end]) && string(part) != string(text[start:end]) {
			t.Errorf("%q %d to %d: %q, want %q", quoted, start, end, part, text[start:end])
		}
	})
}

func TestTaxa(t *testing.T) {
	taxa := TaxaOf([]string{"AML.T0051", "OWASP-MCP06", "AML.T9999", "OWASP-MCP01", "AML.T0051", "CWE-1"})
	if len(taxa.Components) != 2 || len(taxa.Components[0].Taxa) != 2 || len(taxa.Components[1].Taxa) != 2 {
		t.Fatalf("%+v", taxa.Components)
	}
	for _, ref := range taxa.Refs([]string{"AML.T0051", "AML.T9999", "OWASP-MCP06", "CWE-1"}) {
		c := taxa.Components[ref.ToolComponent.Index]
		if c.Name != ref.ToolComponent.Name || c.Taxa[ref.Index].ID != ref.ID {
			t.Errorf("%+v leads to %+v", ref, c.Taxa[ref.Index])
		}
	}
	if got := len(taxa.Refs([]string{"CWE-1"})); got != 0 {
		t.Errorf("%d references into nowhere", got)
	}
	if taxa.Components[1].Taxa[1].ShortDescription != nil || taxa.Components[1].Taxa[0].HelpURI != "https://atlas.mitre.org/techniques/AML.T0051" {
		t.Errorf("%+v", taxa.Components[1])
	}
	if none := TaxaOf(nil); none.Components != nil || none.Supported() != nil {
		t.Errorf("%+v", none)
	}
}
