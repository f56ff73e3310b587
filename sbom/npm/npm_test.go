package npm

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// edges shows the resolved tree as "path -> path".
func edges(l *Lock) []string {
	var out []string
	show := func(p Package) {
		for _, to := range p.DependsOn {
			out = append(out, fmt.Sprintf("%s -> %s", p.Path, l.Packages[to].Path))
		}
		for _, name := range p.Unresolved {
			out = append(out, fmt.Sprintf("%s -> ?%s", p.Path, name))
		}
	}
	show(l.Root)
	for _, p := range l.Packages {
		show(p)
	}
	return out
}

func TestResolution(t *testing.T) {
	for name, tc := range map[string]struct {
		lock string
		want []string
	}{
		"nearest wins": {`{"lockfileVersion":3,"packages":{
			"":{"dependencies":{"a":"1","b":"1"}},
			"node_modules/a":{"version":"1","dependencies":{"b":"2"}},
			"node_modules/a/node_modules/b":{"version":"2","dependencies":{"a":"1"}},
			"node_modules/b":{"version":"1"}}}`,
			[]string{" -> node_modules/a", " -> node_modules/b", "node_modules/a -> node_modules/a/node_modules/b", "node_modules/a/node_modules/b -> node_modules/a"}},
		"workspace link": {`{"lockfileVersion":2,"packages":{
			"":{"dependencies":{"w":"*"}},
			"node_modules/w":{"resolved":"packages/w","link":true},
			"packages/w":{"version":"1","dependencies":{"a":"1"},"devDependencies":{"b":"1"}},
			"packages/w/node_modules/a":{"version":"1"},
			"node_modules/b":{"version":"1"}}}`,
			[]string{" -> packages/w", "packages/w -> node_modules/b", "packages/w -> packages/w/node_modules/a"}},
		"scoped": {`{"lockfileVersion":3,"packages":{"":{"dependencies":{"@s/a":"1"}},"node_modules/@s/a":{"version":"1","dependencies":{"@s/b":"1"}},"node_modules/@s/b":{"version":"1"}}}`,
			[]string{" -> node_modules/@s/a", "node_modules/@s/a -> node_modules/@s/b"}},
		"optional and peer may miss": {`{"lockfileVersion":3,"packages":{"":{"dependencies":{"o":"1"},"optionalDependencies":{"o":"1"},"peerDependencies":{"p":"1"}}}}`, nil},
		"required may not":           {`{"lockfileVersion":3,"packages":{"":{"dependencies":{"r":"1"}}}}`, []string{" -> ?r"}},
		"version 1 nests": {`{"lockfileVersion":1,"requires":true,"dependencies":{
			"a":{"version":"1","requires":{"b":"2"},"dependencies":{"b":{"version":"2"}}},
			"b":{"version":"1","requires":{"a":"1"}}}}`,
			[]string{"node_modules/a -> node_modules/a/node_modules/b", "node_modules/b -> node_modules/a"}},
		"names like our keys": {`{"lockfileVersion":1,"dependencies":{"requires":{"version":"1","requires":{"packages":"1"}},"packages":{"version":"1"},"Packages":{"version":"1"},"dependencies":{"version":"1"}}}`,
			[]string{"node_modules/requires -> node_modules/packages"}},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := ParseLock([]byte(tc.lock))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, edges(l)); diff != "" {
				t.Errorf("edges (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIntegrity(t *testing.T) {
	sum := sha512.Sum512([]byte("x"))
	b64 := base64.StdEncoding.EncodeToString(sum[:])
	got, err := parseIntegrity("sha512-" + b64)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Hash{{"sha512", hex.EncodeToString(sum[:])}}, got); diff != "" {
		t.Error(diff)
	}
	for name, bad := range map[string]string{
		"no algorithm": b64, "md5": "md5-1B2M2Y8AsgTpgAmY7PhCfg==", "short": "sha512-AAAA",
		"wrong size": "sha256-" + b64, "url alphabet": "sha512-" + strings.NewReplacer("+", "-", "/", "_").Replace(b64) + "_",
		"padding": "sha512-" + strings.TrimRight(b64, "="), "options": "sha512-" + b64 + "?x",
		"case": "SHA512-" + b64, "trailing bits": "sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAB=",
	} {
		if _, err := parseIntegrity(bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
}

func TestLockRefuses(t *testing.T) {
	many := strings.Builder{}
	many.WriteString(`{"lockfileVersion":3,"packages":{"":{}`)
	for i := range MaxPackages + 1 {
		fmt.Fprintf(&many, `,"node_modules/p%d":{"version":"1"}`, i)
	}
	many.WriteString(`}}`)
	nested := strings.Repeat(`{"a":{"version":"1","dependencies":`, 100) + `{}` + strings.Repeat(`}}`, 100)
	for name, tc := range map[string]struct {
		lock string
		want error
	}{
		"too many packages":  {many.String(), ErrTooLarge},
		"too deep":           {`{"lockfileVersion":1,"dependencies":` + nested + `}`, ErrTooLarge},
		"too long":           {strings.Repeat(" ", MaxLockBytes+1), ErrTooLarge},
		"no version":         {`{"packages":{}}`, ErrVersion},
		"future":             {`{"lockfileVersion":9}`, ErrVersion},
		"version as text":    {`{"lockfileVersion":"3"}`, ErrMalformed},
		"null package":       {`{"lockfileVersion":3,"packages":{"node_modules/a":null}}`, ErrMalformed},
		"null dependency":    {`{"lockfileVersion":1,"dependencies":{"a":null}}`, ErrMalformed},
		"escaping path":      {`{"lockfileVersion":3,"packages":{"../a/node_modules/../b":{"version":"1"}}}`, ErrMalformed},
		"absolute path":      {`{"lockfileVersion":3,"packages":{"/a":{"version":"1"}}}`, ErrMalformed},
		"no package version": {`{"lockfileVersion":3,"packages":{"node_modules/a":{}}}`, ErrMalformed},
		"lone surrogate":     {`{"lockfileVersion":3,"name":"\ud800"}`, ErrMalformed},
		"truncated":          {`{"lockfileVersion":3,`, ErrMalformed},
		"empty":              {``, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseLock([]byte(tc.lock)); !errors.Is(err, tc.want) {
				t.Errorf("error = %v, want %v", err, tc.want)
			}
		})
	}
}

func TestWorkspacePatterns(t *testing.T) {
	for _, tc := range []struct {
		patterns string
		dir      string
		want     bool
	}{
		{"packages/*", "packages/a", true}, {"packages/*", "packages/a/b", false}, {"./packages/*/", "packages/a", true},
		{"packages/**", "packages/a/b", true}, {"**/lib", "a/b/lib", true}, {"**/lib", "a/lib/c", false},
		{"packages/* !packages/a", "packages/a", false}, {"*", "packages/a", false}, {"[", "[", false},
		{strings.Repeat("**/", 200) + "x", strings.Repeat("a/", 200) + "y", false},
	} {
		if got := Member(strings.Fields(tc.patterns), tc.dir); got != tc.want {
			t.Errorf("%.40s of %.40s: %v", tc.dir, tc.patterns, got)
		}
	}
}

func TestParseManifest(t *testing.T) {
	m, err := ParseManifest([]byte("\xef\xbb\xbf" + `{"name":"a","version":"1.0.0","license":{"type":"MIT"},"author":{"Name":"x"},
		"dependencies":{"b":"1","a":"1"},"optionalDependencies":{"c":"1"},"devDependencies":{"d":"1"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Manifest{Name: "a", Version: "1.0.0", Dependencies: []string{"a", "b", "c"}, Development: []string{"d"},
		Optional: []string{"c"}, Specifiers: map[string]string{"a": "1", "b": "1", "c": "1", "d": "1"}, Resolutions: map[string]string{}}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
}

func FuzzParseLock(f *testing.F) {
	f.Add([]byte(`{"lockfileVersion":3,"packages":{"":{"dependencies":{"a":"1"}},"node_modules/a":{"version":"1","link":false}}}`))
	f.Add([]byte(`{"lockfileVersion":1,"dependencies":{"a":{"version":"npm:b@1","requires":{"b":"1"},"dependencies":{"b":{"version":"1"}}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ParseLock(b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrVersion) {
				t.Errorf("error without a sentinel: %v", err)
			}
			return
		}
		for _, p := range append(l.Packages, l.Root) {
			for _, to := range p.DependsOn {
				if to < 0 || to >= len(l.Packages) {
					t.Errorf("edge to %d of %d", to, len(l.Packages))
				}
			}
		}
	})
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"name":"a","version":"1","dependencies":{"b":"1"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := ParseManifest(b); err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("error without a sentinel: %v", err)
		}
	})
}
