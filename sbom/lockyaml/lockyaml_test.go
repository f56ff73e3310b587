package lockyaml

import (
	"errors"
	"strings"
	"testing"
)

func TestNodes(t *testing.T) {
	doc, err := Parse([]byte("a: 1.10\nb: {c: true, d: 'true', e: ~}\nf: [x]\n"))
	if err != nil {
		t.Fatal(err)
	}
	b := doc.Get("b")
	if got := doc.Get("a").Text(); got != "1.10" {
		t.Errorf("a number is read as %q", got)
	}
	if !b.Get("c").True() || b.Get("d").True() || b.Get("d").Text() != "true" {
		t.Error("true and 'true' are not told apart")
	}
	if !b.Get("e").Present() || b.Get("e").Text() != "" || b.Get("g").Present() || !b.IsMapping() || doc.Get("f").IsMapping() {
		t.Error("null, absent, mapping and list are not told apart")
	}
	if doc.Get("f").Get("x").Present() || doc.Get("f").Text() != "" {
		t.Error("a list has keys or text")
	}
}

func TestParseRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want error
	}{
		"a list as key": {"? [a]\n: b", ErrMalformed}, "scalar": {"x", ErrMalformed},
		"comments only": {"# x\n", ErrMalformed}, "second end": {"a: b\n...\nc: d\n", ErrMalformed},
		"commas": {"a: [" + strings.Repeat(",", maxSeparators+1) + "]", ErrTooLarge},
		"lines":  {strings.Repeat("\n", maxSeparators+1) + "a: b", ErrTooLarge},
		"blocks": {strings.Repeat("- ", 100) + "a", ErrMalformed},
		"nested": {"a: " + strings.Repeat("\n - ", 1) + strings.Repeat("- ", 100) + "a", ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(tc.text)); !errors.Is(err, tc.want) {
				t.Errorf("error = %v, want %v", err, tc.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a: {b: [c, 'd'], \"e\": |-\n  f\n}\n"))
	f.Add([]byte("a: &b\n  <<: *b\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Parse(b); err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("error without a sentinel: %v", err)
		}
	})
}
