package python

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// told shows a lock as "name version scope? -> name name", one line a package.
func told(l *Lock) []string {
	var out []string
	for _, p := range l.Packages {
		s := fmt.Sprintf("%s %s %s", p.Name, p.Version, [...]string{"dev", "optional", "required"}[p.Scope])
		if p.Local {
			s += " local:" + p.Dir
		}
		if p.Conditional {
			s += " if " + strings.Join(p.Markers, "; ")
		}
		if p.Source != "" {
			s += " from " + p.Source
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

const sum = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

var project = &Manifest{
	Project: true, Name: "acme", Version: "1.0",
	Dependencies: []Requirement{{Name: "a"}},
	Extras:       map[string][]Requirement{"cli": {{Name: "c"}}},
	Groups:       map[string][]Requirement{"dev": {{Name: "d"}}},
}

var locks = []struct {
	name, file string
	project    *Manifest
	doc        string
	want       []string
}{
	{"uv", "uv.lock", nil, `
version = 1
revision = 3
[[package]]
name = "acme"
version = "1.0"
source = { editable = "." }
dependencies = [ { name = "a", extra = ["x"] }, { name = "w", marker = "sys_platform == 'win32'" } ]
[package.optional-dependencies]
cli = [ { name = "c" } ]
[package.dev-dependencies]
dev = [ { name = "d" } ]
[[package]]
name = "a"
version = "1"
source = { registry = "https://example.org/simple" }
dependencies = [ { name = "b", version = "2", marker = "python_version < '3.11'" }, { name = "b", version = "3", marker = "python_version >= '3.11'" } ]
sdist = { url = "https://example.org/a.tar.gz", hash = "` + sum + `", size = 1 }
[package.optional-dependencies]
x = [ { name = "e" } ]
y = [ { name = "unasked" } ]
[[package]]
name = "b"
version = "2"
source = { registry = "https://example.org/simple" }
[[package]]
name = "b"
version = "3"
source = { git = "https://example.org/b.git?rev=main#abc" }
[[package]]
name = "c"
version = "1"
source = { registry = "https://example.org/simple" }
dependencies = [ { name = "d" } ]
[[package]]
name = "d"
version = "1"
source = { registry = "https://example.org/simple" }
[[package]]
name = "e"
version = "1"
source = { path = "vendor/e.whl" }
[[package]]
name = "member"
version = "0"
source = { editable = "packages/member" }
dependencies = [ { name = "gone" } ]
[[package]]
name = "w"
version = "1"
source = { registry = "https://example.org/simple" }
dependencies = [ { name = "v" } ]
[[package]]
name = "v"
version = "1"
source = { registry = "https://example.org/simple" }
`, []string{
		"a 1 required -> b 2 -> b 3 -> e 1",
		"acme 1.0 required local:. -> a 1 -> c 1 -> d 1 -> w 1",
		"b 2 required if python_version < '3.11'",
		"b 3 required if python_version >= '3.11' from git+https://example.org/b.git?rev=main#abc",
		"c 1 optional -> d 1",
		"d 1 optional",
		"e 1 required from vendor/e.whl",
		"member 0 required local:packages/member -> ?gone",
		"v 1 required if ",
		"w 1 required if sys_platform == 'win32' -> v 1",
	}},
	{"poetry with categories", "poetry.lock", nil, `
[[package]]
name = "A_a"
version = "1"
category = "main"
optional = false
[package.dependencies]
B = {version = "*", extras = ["x"]}
later = {version = "*", markers = "python_version > '4'"}
[[package]]
name = "b"
version = "1"
category = "dev"
optional = false
[package.dependencies]
c = {version = "*", optional = true}
[package.extras]
x = ["c (>=1)"]
[[package]]
name = "c"
version = "1"
category = "main"
optional = true
[package.source]
type = "git"
url = "https://example.org/c.git"
resolved_reference = "abc"
[metadata]
lock-version = "1.1"
[metadata.files]
A_a = [ {file = "a.whl", hash = "` + sum + `"} ]
`, []string{
		"a-a 1 required -> b 1",
		"b 1 required -> c 1", // its category is dev, and a-a needs it
		"c 1 optional from git+https://example.org/c.git@abc",
	}},
	{"poetry with neither", "poetry.lock", project, `
[[package]]
name = "a"
version = "1"
optional = false
files = [ {file = "a.whl", hash = "` + sum + `"} ]
[[package]]
name = "c"
version = "1"
optional = true
[[package]]
name = "d"
version = "1"
optional = false
[metadata]
lock-version = "2.0"
`, []string{"a 1 required", "acme 1.0 required local:. -> a 1 -> c 1 -> d 1", "c 1 optional", "d 1 dev"}},
	{"poetry with groups", "poetry.lock", project, `
[[package]]
name = "a"
version = "1"
optional = false
groups = ["main", "dev"]
markers = {main = "sys_platform == 'win32'"}
[[package]]
name = "c"
version = "1"
optional = true
groups = ["main"]
markers = "sys_platform == 'win32'"
files = [ {file = "c.whl", hash = "` + sum + `"} ]
[[package]]
name = "d"
version = "1"
optional = false
groups = ["dev"]
[metadata]
lock-version = "2.1"
`, []string{"a 1 required", "acme 1.0 required local:. -> a 1 -> c 1 -> d 1", "c 1 optional if sys_platform == 'win32'", "d 1 dev"}},
	{"pdm", "pdm.lock", project, `
[metadata]
groups = ["default", "dev", "cli"]
lock_version = "4.5.0"
[[package]]
name = "a"
version = "1"
groups = ["default"]
dependencies = ["c>=1; python_version < '3'"]
files = [ {file = "a.whl", hash = "` + sum + `"} ]
[[package]]
name = "a"
version = "1"
extras = ["x"]
groups = ["default"]
dependencies = ["a==1", "d"]
[[package]]
name = "c"
version = "1"
groups = ["cli"]
marker = "python_version < '3'"
[[package]]
name = "d"
version = "1"
groups = ["dev"]
git = "https://example.org/d.git"
revision = "abc"
`, []string{
		"a 1 required -> c 1 -> d 1", "acme 1.0 required local:. -> a 1 -> c 1 -> d 1",
		"c 1 required if python_version < '3'", "d 1 required from git+https://example.org/d.git@abc",
	}},
	{"PEP 751", "pylock.prod.toml", nil, `
lock-version = "1.0"
created-by = "hand"
[[packages]]
name = "a"
version = "1"
dependencies = [ {name = "b"} ]
wheels = [ {url = "https://example.org/a.whl", hashes = {sha256 = "` + strings.TrimPrefix(sum, "sha256:") + `"}} ]
[[packages]]
name = "b"
marker = "'dev' in dependency_groups"
vcs = {type = "git", url = "https://example.org/b.git", commit-id = "abc"}
[[packages]]
name = "c"
version = "1"
marker = "'cli' in extras or 'dev' in dependency_groups"
archive = {url = "https://example.org/c.zip", hashes = {sha256 = "` + strings.TrimPrefix(sum, "sha256:") + `"}}
[[packages]]
name = "self"
directory = {path = ".", editable = true}
`, []string{
		"a 1 required -> b ",
		"b  required if 'dev' in dependency_groups from git+https://example.org/b.git@abc",
		"c 1 required if 'cli' in extras or 'dev' in dependency_groups from https://example.org/c.zip",
		"self  required local:.",
	}},
	{"Pipfile", "Pipfile.lock", nil, `{
"_meta": {"hash": {"sha256": "x"}, "pipfile-spec": 6, "requires": {}, "sources": []},
"default": {"a": {"hashes": ["` + sum + `"], "version": "==1"}, "g": {"git": "https://example.org/g.git", "ref": "abc"}},
"develop": {"A": {"hashes": ["` + sum + `"], "version": "==1", "markers": "python_version < '3'"}, "d": {"version": "==2", "markers": "python_version < '3'"}}
}`, []string{"a 1 required", "d 2 dev if python_version < '3'", "g  required from git+https://example.org/g.git@abc"}},
}

func TestLocks(t *testing.T) {
	for _, tc := range locks {
		t.Run(tc.name, func(t *testing.T) {
			l, err := ParseLock(tc.file, []byte(tc.doc), tc.project)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, told(l)); diff != "" {
				t.Errorf("lock (-want +got):\n%s", diff)
			}
			hashed := 0
			for _, p := range l.Packages {
				hashed += len(p.Hashes)
			}
			if hashed == 0 {
				t.Error("no hash was read")
			}
		})
	}
}

func TestLocksRefused(t *testing.T) {
	many := strings.Builder{}
	many.WriteString("version = 1\n")
	for i := range maxSameName + 1 {
		fmt.Fprintf(&many, "[[package]]\nname = \"a\"\nversion = \"%d\"\nsource = {registry = \"x\"}\n", i)
	}
	uv := func(s string) string {
		return "version = 1\n[[package]]\nname = \"a\"\nversion = \"1\"\n" + s
	}
	for name, tc := range map[string]struct {
		file, doc string
		want      error
	}{
		"future uv":         {"uv.lock", "version = 2", ErrVersion},
		"future poetry":     {"poetry.lock", "[metadata]\nlock-version = '3.0'", ErrVersion},
		"future pdm":        {"pdm.lock", "[metadata]\nlock_version = '5.0'", ErrVersion},
		"future pylock":     {"pylock.toml", "lock-version = '2.0'", ErrVersion},
		"future Pipfile":    {"Pipfile.lock", `{"_meta":{"pipfile-spec":7}}`, ErrVersion},
		"no source":         {"uv.lock", uv(""), ErrMalformed},
		"short hash":        {"uv.lock", uv("source = {registry='x'}\nwheels = [{hash='sha256:00'}]"), ErrMalformed},
		"unknown hash":      {"uv.lock", uv("source = {registry='x'}\nwheels = [{hash='rot13:00'}]"), ErrMalformed},
		"name of another":   {"uv.lock", "version = 1\n[[package]]\nname = \"../a\"\nversion = \"1\"\nsource = {registry='x'}", ErrMalformed},
		"version as path":   {"uv.lock", "version = 1\n[[package]]\nname = \"a\"\nversion = \"../1\"\nsource = {registry='x'}", ErrMalformed},
		"no version":        {"uv.lock", "version = 1\n[[package]]\nname = \"a\"\nsource = {registry='x'}", ErrMalformed},
		"version as number": {"uv.lock", "version = 1\n[[package]]\nname = \"a\"\nversion = 1.0\nsource = {registry='x'}", ErrMalformed},
		"twice":             {"uv.lock", uv("source={registry='x'}\n[[package]]\nname = 'A'\nversion='1'\nsource={registry='x'}"), ErrMalformed},
		"duplicate key":     {"uv.lock", uv("version = '2'"), ErrMalformed},
		"one name":          {"uv.lock", many.String(), ErrTooLarge},
		"deep":              {"uv.lock", "x = " + strings.Repeat("[", 10_000), ErrTooLarge},
		"deep JSON":         {"Pipfile.lock", strings.Repeat(`{"a":`, 10_000), ErrTooLarge},
		"duplicate JSON":    {"Pipfile.lock", `{"_meta":{"pipfile-spec":6},"default":{"a":{"version":"==1"},"a":{"version":"==2"}}}`, ErrMalformed},
		"long":              {"uv.lock", strings.Repeat(" ", MaxLockBytes+1), ErrTooLarge},
	} {
		if _, err := ParseLock(tc.file, []byte(tc.doc), nil); !errors.Is(err, tc.want) {
			t.Errorf("%s: error = %v, want %v", name, err, tc.want)
		}
	}
}

func FuzzParseLock(f *testing.F) {
	for _, tc := range locks {
		f.Add(tc.file, []byte(tc.doc))
	}
	f.Fuzz(func(t *testing.T, file string, b []byte) {
		l, err := ParseLock(file, b, project)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrVersion) {
				t.Errorf("error without a sentinel: %v", err)
			}
			return
		}
		for _, p := range l.Packages {
			if n, err := Normalise(p.Name); p.Name != "" && (err != nil || n != p.Name) {
				t.Errorf("name %q", p.Name)
			}
			if p.Local && !inside(p.Dir) {
				t.Errorf("a local package at %q", p.Dir)
			}
			for _, to := range p.DependsOn {
				if to < 0 || to >= len(l.Packages) {
					t.Errorf("edge to %d of %d", to, len(l.Packages))
				}
			}
		}
	})
}
