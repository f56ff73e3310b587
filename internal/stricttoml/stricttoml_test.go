package stricttoml

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParseKeepsCase(t *testing.T) {
	doc, err := Parse([]byte("version = '1'\nVersion = '2'\n[a.'b.c']\nx = [1, 2]\n"), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := doc.Text("version"); v != "1" || err != nil {
		t.Errorf("version = %q, %v", v, err)
	}
	a, err := doc.Table("a")
	if err != nil {
		t.Fatal(err)
	}
	if !a.Has("b.c") {
		t.Errorf("a = %v", a)
	}
}

// A thousand times the keys of a real lockfile: with a reader that compares
// each with all the others this does not end.
func TestManyKeys(t *testing.T) {
	var b strings.Builder
	for i := range 300_000 {
		fmt.Fprintf(&b, "k%d=1\n", i)
	}
	doc, err := Parse([]byte(b.String()), 16<<20)
	if err != nil || len(doc) != 300_000 {
		t.Errorf("%d keys, %v", len(doc), err)
	}
}

func TestTypesAreHeldTo(t *testing.T) {
	doc, err := Parse([]byte("n = 1\ns = 'x'\nl = [1]\nm = [{a = 1}, 2]\n"), 1000)
	if err != nil {
		t.Fatal(err)
	}
	for name, get := range map[string]func() error{
		"text":   func() error { _, err := doc.Text("n"); return err },
		"bool":   func() error { _, err := doc.Bool("s"); return err },
		"int":    func() error { _, _, err := doc.Int("s"); return err },
		"table":  func() error { _, err := doc.Table("l"); return err },
		"tables": func() error { _, err := doc.Tables("m"); return err },
		"texts":  func() error { _, err := doc.Texts("l"); return err },
		"list":   func() error { _, err := doc.Texts("s"); return err },
	} {
		if err := get(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
	if n, ok, err := doc.Int("n"); n != 1 || !ok || err != nil {
		t.Errorf("n = %d, %v, %v", n, ok, err)
	}
	if s, err := doc.Texts("absent"); len(s) != 0 || err != nil {
		t.Errorf("absent = %v, %v", s, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		doc  string
		want error
	}{
		"duplicate key":      {"a = 1\na = 2\n", ErrMalformed},
		"duplicate table":    {"[a]\n[a]\n", ErrMalformed},
		"inline redefined":   {"a = {b = 1}\n[a]\nc = 1\n", ErrMalformed},
		"duplicate inline":   {"a = {b = 1, b = 2}\n", ErrMalformed},
		"duplicate by dots":  {"a.b = 1\n[a]\nb = 2\n", ErrMalformed},
		"deep arrays":        {"a = " + strings.Repeat("[", 1<<20), ErrTooLarge},
		"deep inline tables": {"a = " + strings.Repeat("{a=", 1<<20), ErrTooLarge},
		"deep keys":          {strings.Repeat("a.", 1<<20) + "a = 1", ErrTooLarge},
		"deep header":        {"[" + strings.Repeat("a.", 1<<20) + "a]", ErrTooLarge},
		"quoted deep keys":   {strings.Repeat(`"".`, 1<<20) + "a = 1", ErrTooLarge},
		"hidden in a string": {"a = \"\\\"\"\nb = " + strings.Repeat("[", 100), ErrTooLarge},
		"hidden in a block":  {"a = '''\n'x'''''\nb = " + strings.Repeat("[", 100), ErrTooLarge},
		"hidden in a remark": {"# \"\nb = " + strings.Repeat("[", 100) + "\n", ErrTooLarge},
		"long":               {strings.Repeat(" ", 2<<20), ErrTooLarge},
		"not UTF-8":          {"a = '\xff'", ErrMalformed},
		"open string":        {"a = 'x", ErrMalformed},
		"control character":  {"a = \"\x01\"", ErrMalformed},
	} {
		size := 4 << 20
		if name == "long" {
			size = 1 << 20
		}
		if _, err := Parse([]byte(tc.doc), size); !errors.Is(err, tc.want) {
			t.Errorf("%s: error = %v, want %v", name, err, tc.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a = 1\n[b]\nc = [\"]\", '''x''']\n", "a.b.c = {d = \"\\u0041\"}", "[[a]]\n[[a.b]]\nx = 1979-05-27", "# x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		doc, err := Parse(b, 1<<20)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
				t.Errorf("error without a sentinel: %v", err)
			}
			return
		}
		if d := depth(map[string]any(doc)); d > 3*MaxDepth {
			t.Errorf("depth %d of %q", d, b)
		}
	})
}

func depth(v any) int {
	deepest := 0
	switch v := v.(type) {
	case map[string]any:
		for _, x := range v {
			deepest = max(deepest, depth(x))
		}
	case []map[string]any:
		for _, x := range v {
			deepest = max(deepest, depth(x))
		}
	case []any:
		for _, x := range v {
			deepest = max(deepest, depth(x))
		}
	default:
		return 0
	}
	return deepest + 1
}
