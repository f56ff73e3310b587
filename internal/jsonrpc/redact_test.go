package jsonrpc

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

func TestRedactString(t *testing.T) {
	for name, tc := range map[string]struct {
		doc, ptr string
		spans    []Span
		want     string
	}{
		"plain":             {`{"t":"my key abc ok"}`, "/t", []Span{{7, 10}}, `{"t":"my key # ok"}`},
		"whole":             {`["abc"]`, "/0", []Span{{0, 3}}, `["#"]`},
		"root":              {` "abc" `, "", []Span{{1, 2}}, ` "a#c" `},
		"after an escape":   {`["a\nbc"]`, "/0", []Span{{2, 3}}, `["a\n#c"]`},
		"the escape":        {`["a\nbc"]`, "/0", []Span{{1, 2}}, `["a#bc"]`},
		"unicode escape":    {`["a\u0041b"]`, "/0", []Span{{1, 2}}, `["a#b"]`},
		"half a rune":       {`["añb"]`, "/0", []Span{{2, 3}}, `["a#b"]`},
		"half an escape":    {`["a\u00f1b"]`, "/0", []Span{{1, 2}}, `["a#b"]`},
		"part of surrogate": {`["a\ud83d\ude00b"]`, "/0", []Span{{4, 5}}, `["a#b"]`},
		"raw emoji":         {`["a😀b"]`, "/0", []Span{{2, 3}}, `["a#b"]`},
		"two":               {`["abcdef"]`, "/0", []Span{{4, 5}, {1, 2}}, `["a#cd#f"]`},
		"overlapping":       {`["abcdef"]`, "/0", []Span{{1, 3}, {2, 5}}, `["a#f"]`},
		"touching":          {`["abcdef"]`, "/0", []Span{{1, 3}, {3, 5}}, `["a#f"]`},
		"nested in another": {`["abcdef"]`, "/0", []Span{{0, 6}, {2, 3}}, `["#"]`},
		"deep":              {`{"result":{"content":[{"text":"x"},{"text":"secret"}]}}`, "/result/content/1/text", []Span{{0, 6}}, `{"result":{"content":[{"text":"x"},{"text":"#"}]}}`},
		"escaped quote":     {`["say \"hi\" now"]`, "/0", []Span{{4, 8}}, `["say # now"]`},
		"none":              {`["abc"]`, "/0", nil, `["abc"]`},
	} {
		got, err := RedactString([]byte(tc.doc), jsontext.Pointer(tc.ptr), tc.spans, "#")
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, tc.want)
		}
	}
	got, err := RedactString([]byte(`["ab"]`), "/0", []Span{{0, 1}}, "\"\n\u2028")
	if err != nil || !jsontext.Value(got).IsValid() {
		t.Errorf("the replacement is escaped: %s, %v", got, err)
	}
	if _, err := RedactString([]byte(`["ab"]`), "/0", []Span{{0, 1}}, "\xff"); !errors.Is(err, ErrEdit) {
		t.Errorf("replacement that is not UTF-8: %v", err)
	}
	if _, err := RedactString([]byte(`[1]`), "/0", []Span{{0, 1}}, "#"); !errors.Is(err, ErrEdit) {
		t.Errorf("a number has no spans: %v", err)
	}
	if _, err := RedactString([]byte(`[]`), "/0", []Span{{0, 1}}, "#"); !errors.Is(err, ErrNotFound) {
		t.Errorf("nothing there: %v", err)
	}
	for _, bad := range []Span{{0, 0}, {2, 1}, {-1, 1}, {3, 4}, {0, 4}, {9, 9}} {
		if got, err := RedactString([]byte(`["abc"]`), "/0", []Span{bad}, "#"); !errors.Is(err, ErrEdit) {
			t.Errorf("span %v: %s, %v", bad, got, err)
		}
	}
}

// The redacted text holds no byte of the span, and everything outside the
// widened span is what it was.
func FuzzRedactString(f *testing.F) {
	f.Add(`"a\u00f1\ud83d\ude00\n\"b"`, 1, 4)
	f.Add(`"plain"`, 0, 5)
	f.Fuzz(func(t *testing.T, doc string, start, end int) {
		text, ok := stringValue(jsontext.Value(doc))
		if !ok || !jsontext.Value(doc).IsValid() {
			return
		}
		const mark = "\x01"
		out, err := RedactString([]byte(doc), "", []Span{{start, end}}, mark)
		if start < 0 || start >= end || end > len(text) {
			if !errors.Is(err, ErrEdit) {
				t.Fatalf("span %d-%d of %q: %v", start, end, text, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for start > 0 && !utf8.RuneStart(text[start]) {
			start--
		}
		for end < len(text) && !utf8.RuneStart(text[end]) {
			end++
		}
		got, ok := stringValue(out)
		if want := text[:start] + mark + text[end:]; !ok || got != want {
			t.Fatalf("%q: got %q, want %q", doc, got, want)
		}
	})
}

func BenchmarkRedact(b *testing.B) {
	doc := []byte(`["` + strings.Repeat(`word \u00e9 `, 10_000) + `"]`)
	spans := make([]Span, 256)
	for i := range spans {
		spans[i] = Span{i * 64, i*64 + 8}
	}
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, err := RedactString(doc, "/0", spans, "[redacted]"); err != nil {
			b.Fatal(err)
		}
	}
}
