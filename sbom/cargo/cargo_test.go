package cargo

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

const crates = "registry+https://example.org/index"

func told(l *Lock) []string {
	var out []string
	for _, p := range l.Packages {
		s := p.Name + " " + p.Version
		if p.Local() {
			s += " local"
		}
		if p.SHA256 != "" {
			s += " hashed"
		}
		for _, to := range p.DependsOn {
			s += " -> " + l.Packages[to].Name + " " + l.Packages[to].Version
		}
		for _, name := range p.Unresolved {
			s += " -> ?" + name
		}
		out = append(out, s)
	}
	return out
}

func TestLocks(t *testing.T) {
	pkg := func(name, version, rest string) string {
		return fmt.Sprintf("[[package]]\nname = %q\nversion = %q\n%s\n", name, version, rest)
	}
	from := "source = \"" + crates + "\"\n"
	for name, tc := range map[string]struct {
		doc  string
		want []string
	}{
		"version 1": {pkg("acme", "0.1.0", `dependencies = ["a 1.0.0 (`+crates+`)"]`) + pkg("a", "1.0.0", from) +
			"[metadata]\n\"checksum a 1.0.0 (" + crates + ")\" = \"" + sum + "\"\n", []string{"a 1.0.0 hashed", "acme 0.1.0 local -> a 1.0.0"}},
		"version 1 with root": {"[root]\nname = \"acme\"\nversion = \"0.1.0\"\ndependencies = [\"a 1.0.0\"]\n" + pkg("a", "1.0.0", from), []string{"a 1.0.0", "acme 0.1.0 local -> a 1.0.0"}},
		"version 3": {"version = 3\n" + pkg("acme", "0.1.0", `dependencies = ["a 1.0.0", "a 2.0.0", "b", "gone"]`) + pkg("a", "1.0.0", from+"checksum = \""+sum+"\"") +
			pkg("a", "2.0.0", from) + pkg("b", "1.0.0", "source = \"git+https://example.org/b.git?rev=x#abc\"\ndependencies = [\"a 2.0.0\"]"),
			[]string{"a 1.0.0 hashed", "a 2.0.0", "acme 0.1.0 local -> a 1.0.0 -> a 2.0.0 -> b 1.0.0 -> ?gone", "b 1.0.0 -> a 2.0.0"}},
		"one version from two sources": {"version = 4\n" + pkg("acme", "0.1.0", `dependencies = ["a 1.0.0 (`+crates+`)"]`) + pkg("a", "1.0.0", from) + pkg("a", "1.0.0", "source = \"git+https://example.org/a.git#abc\""),
			[]string{"a 1.0.0", "a 1.0.0", "acme 0.1.0 local -> a 1.0.0"}},
	} {
		l, err := ParseLock([]byte(tc.doc))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(tc.want, told(l)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name, tc := range map[string]struct {
		doc  string
		want error
	}{
		"future":     {"version = 5\n", ErrVersion},
		"twice":      {pkg("a", "1", "") + pkg("a", "1", ""), ErrMalformed},
		"ambiguous":  {pkg("b", "1", `dependencies = ["a"]`) + pkg("a", "1", "") + pkg("a", "2", ""), ErrMalformed},
		"checksum":   {pkg("a", "1", from+"checksum = \"00\""), ErrMalformed},
		"name":       {pkg("../a", "1", ""), ErrMalformed},
		"no version": {pkg("a", "", ""), ErrMalformed},
		"duplicate":  {"version = 3\nversion = 4\n", ErrMalformed},
		"deep":       {"x = " + strings.Repeat("[", 1000), ErrTooLarge},
	} {
		if _, err := ParseLock([]byte(tc.doc)); !errors.Is(err, tc.want) {
			t.Errorf("%s: error = %v, want %v", name, err, tc.want)
		}
	}
}

func TestKinds(t *testing.T) {
	m, err := ParseManifest([]byte(`[package]
name = "acme"
version.workspace = true
license = "MIT OR Apache-2.0"
[dependencies]
a = "1"
alias = { package = "real", version = "1", optional = true }
[target.'cfg(windows)'.dependencies]
w = "1"
[dev-dependencies]
d = "1"
w = "1"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Manifest{Name: "acme", License: "MIT OR Apache-2.0", Dependencies: map[string]Kind{"a": Required, "real": Optional, "w": Required, "d": Development}}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
	doc := "version = 4\n[[package]]\nname = \"acme\"\nversion = \"1.0.0\"\ndependencies = [\"a\", \"d\", \"real\", \"w\"]\n"
	for _, p := range []string{"a:x", "d:x,y", "real:z", "w:", "x:", "y:", "z:"} {
		name, needs, _ := strings.Cut(p, ":")
		doc += "[[package]]\nname = \"" + name + "\"\nversion = \"1.0.0\"\nsource = \"" + crates + "\"\n"
		if needs != "" {
			doc += "dependencies = [\"" + strings.ReplaceAll(needs, ",", `", "`) + "\"]\n"
		}
	}
	l, err := ParseLock([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Kind{}
	for i, k := range l.Kinds(map[string]*Manifest{"acme": m}) {
		got[l.Packages[i].Name] = k
	}
	if diff := cmp.Diff(map[string]Kind{"acme": Required, "a": Required, "d": Development, "real": Optional, "w": Required, "x": Required, "y": Development, "z": Optional}, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("version = 4\n[[package]]\nname = \"a\"\nversion = \"1\"\ndependencies = [\"a 1\"]\n"))
	f.Add([]byte("[package]\nname = \"a\"\n[dependencies]\nb = { package = \"c\", optional = true }\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseManifest(b)
		l, err2 := ParseLock(b)
		for _, err := range []error{err, err2} {
			if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrVersion) {
				t.Errorf("error without a sentinel: %v", err)
			}
		}
		if l != nil {
			l.Kinds(map[string]*Manifest{"a": m})
		}
	})
}
