package sbom

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

func mustGenerate(t *testing.T, artifact string) *Document {
	t.Helper()
	d, err := Generate(t.Context(), Input{Artifact: artifact}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func encoded(t *testing.T, d *Document) []byte {
	t.Helper()
	b, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func purls(list []Component) []string {
	var out []string
	for _, c := range list {
		out = append(out, c.Purl)
	}
	return out
}

// writeTree writes files into dir in the given order.
func writeTree(t *testing.T, dir string, order []string, files map[string]string) string {
	t.Helper()
	for _, name := range order {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[name]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	var order []string
	for name := range files {
		order = append(order, name)
	}
	return writeTree(t, t.TempDir(), order, files)
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func goModule(t *testing.T) string {
	return folder(t, map[string]string{
		"go.mod": readFile(t, "testdata/gomod/module.txt"), "go.sum": readFile(t, "testdata/gomod/sum.txt"),
		"main.go": "package main\n\nfunc main() {}\n",
	})
}

// What the fixtures lock, whatever the version of the lockfile.
var lockedPurls = []string{
	"pkg:npm/%40acme/codec@0.9.0", "pkg:npm/%40acme/codec@1.7.0", "pkg:npm/color-names@1.1.4",
	"pkg:npm/fast-native@0.3.2", "pkg:npm/ms-lite@3.0.0", "pkg:npm/padder@1.0.3", "pkg:npm/padder@2.1.0",
	"pkg:npm/tiny-check@5.0.0", "pkg:npm/wind-tools@2.4.1",
}

func TestGenerateNPMLockfiles(t *testing.T) {
	for _, version := range []string{"v1", "v2", "v3"} {
		t.Run(version, func(t *testing.T) {
			d := mustGenerate(t, "testdata/npm-"+version)
			if diff := cmp.Diff(lockedPurls, purls(d.Components())); diff != "" {
				t.Errorf("components (-want +got):\n%s", diff)
			}
			if c := d.Completeness(); c.Level != Complete {
				t.Errorf("completeness = %+v", c)
			}
			for _, c := range d.Components() {
				if len(c.Hashes) != 1 {
					t.Errorf("%s has hashes %v, want the one of its integrity", c.Purl, c.Hashes)
				}
			}
			golden(t, "npm-"+version+".golden.json", encoded(t, d))
		})
	}
}

func TestGenerateGoModule(t *testing.T) {
	d := mustGenerate(t, goModule(t))
	want := []string{
		"pkg:golang/example.org/acme/codec@v1.7.0", "pkg:golang/example.org/acme/wind/v2@v2.4.1",
		"pkg:golang/example.org/fork@v1.0.1",
		"pkg:golang/example.org/local",
		"pkg:golang/example.org/mslite@v3.0.0%2Bincompatible",
		"pkg:golang/example.org/padder@v1.0.3", // only another version of it is excluded
	}
	if diff := cmp.Diff(want, purls(d.Components())); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
	if c := d.Completeness(); c.Level != Complete {
		t.Errorf("completeness = %+v", c)
	}
	golden(t, "gomod.golden.json", encoded(t, d))
}

func TestGenerateIsByteStable(t *testing.T) {
	files := map[string]string{
		"package.json":                       readFile(t, "testdata/npm-v3/package.json"),
		"package-lock.json":                  readFile(t, "testdata/npm-v3/package-lock.json"),
		"tool/go.mod":                        readFile(t, "testdata/gomod/module.txt"),
		"tool/go.sum":                        readFile(t, "testdata/gomod/sum.txt"),
		"node_modules/stowaway/package.json": `{"name":"stowaway","version":"6.6.6"}`,
	}
	var order []string
	for name := range files {
		order = append(order, name)
	}
	slices.Sort(order)
	one := writeTree(t, t.TempDir(), order, files)
	slices.Reverse(order)
	two := writeTree(t, filepath.Join(t.TempDir(), "elsewhere", "node_modules", "x"), order, files)
	first := encoded(t, mustGenerate(t, one))
	for _, dir := range []string{one, two} {
		if again := encoded(t, mustGenerate(t, dir)); !bytes.Equal(first, again) {
			t.Errorf("second document differs:\n%s", cmp.Diff(string(first), string(again)))
		}
	}
	packed, err := Pack(one)
	if err != nil {
		t.Fatal(err)
	}
	repacked, err := Pack(two)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(packed, repacked) {
		t.Error("Pack depends on where the directory lies")
	}
	file := filepath.Join(t.TempDir(), "blob")
	if err := os.WriteFile(file, packed, 0o600); err != nil {
		t.Fatal(err)
	}
	a, b := mustGenerate(t, file), mustGenerate(t, file)
	if !bytes.Equal(encoded(t, a), encoded(t, b)) {
		t.Error("two documents of one file differ")
	}
	if diff := Diff(mustGenerate(t, one), a); !diff.Empty() {
		t.Errorf("packing changes the document: %+v", diff)
	}
	if len(a.Root().Hashes) != 2 {
		t.Errorf("root hashes = %v, want the artifact's SHA-256 and SHA-512", a.Root().Hashes)
	}
}

func TestGenerateGoBinaryAgainstGoVersion(t *testing.T) {
	gotool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command on this machine")
	}
	bin := filepath.Join(t.TempDir(), "everything-server")
	build := exec.CommandContext(t.Context(), gotool, "build", "-o", bin, "github.com/modelcontextprotocol/go-sdk/conformance/everything-server")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), gotool, "version", "-m", bin).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		switch {
		case len(f) >= 3 && f[0] == "dep":
			want[f[1]+" "+f[2]] = true
		case len(f) == 2 && strings.HasPrefix(f[1], "go1"):
			want["stdlib "+strings.TrimPrefix(f[1], "go")] = true
		}
	}
	d := mustGenerate(t, bin)
	got := map[string]bool{}
	for _, c := range d.Components() {
		got[c.Name+" "+c.Version] = true
	}
	hits := 0
	for k := range want {
		if got[k] {
			hits++
		} else {
			t.Logf("missed %s", k)
		}
	}
	recall, precision := float64(hits)/float64(len(want)), float64(hits)/float64(len(got))
	t.Logf("%d modules: recall %.3f, precision %.3f", len(want), recall, precision)
	if recall < .99 || precision < .99 {
		t.Errorf("recall %.3f, precision %.3f: want .99 of both; got %v", recall, precision, got)
	}
	if root := d.Root(); root.Name != "github.com/bartizan-mcp/bartizan" && root.Name != "github.com/modelcontextprotocol/go-sdk" {
		t.Errorf("root = %+v", root)
	}
	if c := d.Completeness(); c.Level != Complete {
		t.Errorf("completeness = %+v", c)
	}

	// The same executable inside a bundle, beside a locked project.
	bundle := filepath.Join(t.TempDir(), "blob")
	writeZip(t, bundle, map[string]string{
		"manifest.json":            `{"manifest_version":"0.3","name":"acme-bundle","version":"3.0.0","server":{"type":"binary","entry_point":"server/everything-server"}}`,
		"server/everything-server": readFile(t, bin),
		"ui/package.json":          readFile(t, "testdata/npm-v3/package.json"),
		"ui/package-lock.json":     readFile(t, "testdata/npm-v3/package-lock.json"),
	})
	b := mustGenerate(t, bundle)
	if root := b.Root(); root.Name != "acme-bundle" || root.Version != "3.0.0" {
		t.Errorf("root of the bundle = %+v", root)
	}
	all := map[string]bool{}
	for _, c := range b.Components() {
		all[c.Purl] = true
	}
	for _, purl := range append(purls(d.Components()), append(lockedPurls, d.Root().Purl, "pkg:npm/%40acme/weather-mcp@1.2.0")...) {
		if !all[purl] {
			t.Errorf("the bundle's document lacks %s", purl)
		}
	}
	if c := b.Completeness(); c.Level != Complete {
		t.Errorf("completeness of the bundle = %+v", c)
	}
}

func writeZip(t *testing.T, path string, files map[string]string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zw := zip.NewWriter(f)
	for name, body := range files {
		w, err := zw.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
}

// An executable whose path is that of a lockfile is no lockfile to anybody.
func TestExecutablesAreNoManifests(t *testing.T) {
	d := mustGenerate(t, folder(t, map[string]string{
		"Gemfile.lock": "\x7fELF" + strings.Repeat("\x00", 64) + "\n\nghost@1:\n  version \"1.0.0\"\n",
	}))
	if got := d.Components(); len(got) != 0 {
		t.Errorf("components = %v", got)
	}
}

func TestGenerateConcurrently(t *testing.T) {
	want := encoded(t, mustGenerate(t, "testdata/npm-v3"))
	got := make(chan []byte, 4)
	for range cap(got) {
		go func() {
			d, err := Generate(t.Context(), Input{Artifact: "testdata/npm-v3"}, Options{})
			if err != nil {
				got <- nil
				return
			}
			b, _ := d.Encode()
			got <- b
		}()
	}
	for range cap(got) {
		if !bytes.Equal(want, <-got) {
			t.Error("a concurrent document differs")
		}
	}
}

func TestTimeoutIsOurError(t *testing.T) {
	_, err := Generate(t.Context(), Input{Artifact: "testdata/npm-v3"}, Options{Timeout: 1})
	if !errors.Is(err, ErrCatalogue) {
		t.Errorf("error = %v, want %v", err, ErrCatalogue)
	}
}

func TestCompletenessIsHonest(t *testing.T) {
	pkg := func(rest string) string { return `{"name":"acme","version":"1.0.0"` + rest + `}` }
	lock := func(rest string) string { return `{"lockfileVersion":3,"packages":{"":{"name":"acme"}` + rest + `}}` }
	for name, tc := range map[string]struct {
		files map[string]string
		want  []string // substrings of the reasons, one each; none: complete
		purls []string
	}{
		"empty":          {files: map[string]string{"README.md": "hello"}, want: []string{"no manifest"}},
		"lock-less":      {files: map[string]string{"package.json": pkg(`,"dependencies":{"a":"^1.0.0"}`)}, want: []string{"package.json asks for 1 dependency and has no lockfile"}},
		"bundled":        {files: map[string]string{"package.json": pkg(``)}, want: []string{"bundled"}},
		"locked":         {files: map[string]string{"package.json": pkg(``), "package-lock.json": lock(``)}},
		"shrinkwrap":     {files: map[string]string{"package.json": pkg(``), "npm-shrinkwrap.json": lock(`,"node_modules/a":{"version":"1.0.0"}`), "package-lock.json": lock(``)}, want: []string{"package-lock.json disagrees with npm-shrinkwrap.json about a@1.0.0"}, purls: []string{"pkg:npm/a@1.0.0"}},
		"stale lock":     {files: map[string]string{"package.json": pkg(`,"dependencies":{"a":"^1.0.0"}`), "package-lock.json": lock(``)}, want: []string{"does not lock 1 dependency"}},
		"hole in lock":   {files: map[string]string{"package-lock.json": lock(`,"node_modules/a":{"version":"1.0.0","dependencies":{"b":"1"}}`)}, want: []string{"does not lock 1 dependency"}, purls: []string{"pkg:npm/a@1.0.0"}},
		"future lock":    {files: map[string]string{"package.json": pkg(``), "package-lock.json": `{"lockfileVersion":4,"packages":{}}`}, want: []string{"lockfileVersion", "bundled"}},
		"stowaway":       {files: map[string]string{"package-lock.json": lock(``), "node_modules/x/package.json": `{"name":"x","version":"1.0.0"}`}, want: []string{"does not name 1 package found in node_modules"}, purls: []string{"pkg:npm/x@1.0.0"}},
		"installed only": {files: map[string]string{"package.json": pkg(`,"dependencies":{"x":"1"}`), "node_modules/x/package.json": `{"name":"x","version":"1.0.0"}`, "node_modules/x/dist/package.json": `{"type":"module"}`}, want: []string{"listed are the 1 package found"}, purls: []string{"pkg:npm/x@1.0.0"}},
		"python":         {files: map[string]string{"pyproject.toml": "[project]\n"}, want: []string{"pyproject.toml has no lockfile"}},
		"bun":            {files: map[string]string{"package.json": pkg(``), "bun.lock": ""}, want: []string{"bun.lock is present", "bundled"}},
		"native":         {files: map[string]string{"package-lock.json": lock(``), "build/native.node": "\x7fELF" + strings.Repeat("x", 64)}, want: []string{"native.node is an executable"}},
		"lock for another range": {files: map[string]string{"package.json": pkg(`,"dependencies":{"a":"^2.0.0"}`),
			"package-lock.json": `{"lockfileVersion":3,"packages":{"":{"dependencies":{"a":"^1.0.0"}},"node_modules/a":{"version":"1.0.0"}}}`},
			want: []string{"is stale: package.json asks otherwise for a"}, purls: []string{"pkg:npm/a@1.0.0"}},
		"project beside the lock": {files: map[string]string{"package.json": pkg(``), "package-lock.json": lock(``), "tool/package.json": `{"name":"tool","dependencies":{"a":"1"}}`},
			want: []string{"tool/package.json asks for 1 dependency and has no lockfile"}, purls: []string{"pkg:npm/tool"}},
		"old go": {files: map[string]string{"go.mod": "module example.org/x\n\ngo 1.16\n"}, want: []string{"go 1.16 or earlier"}},
		"workspaces": {files: map[string]string{"package.json": pkg(``), "packages/w/package.json": `{"name":"w","version":"2.0.0","dependencies":{"a":"1"}}`,
			"package-lock.json": lock(`,"node_modules/w":{"resolved":"packages/w","link":true},"packages/w":{"name":"w","version":"2.0.0","dependencies":{"a":"1"}},"node_modules/a":{"version":"1.0.0"}`)},
			purls: []string{"pkg:npm/a@1.0.0", "pkg:npm/w@2.0.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			catalogued(t, tc.files, tc.want, tc.purls)
		})
	}
}

// catalogued makes the document of a folder: complete, or for these reasons not.
func catalogued(t *testing.T, files map[string]string, reasons, components []string) {
	t.Helper()
	d := mustGenerate(t, folder(t, files))
	c := d.Completeness()
	if (c.Level == Complete) != (len(reasons) == 0) || len(c.Reasons) != len(reasons) {
		t.Fatalf("completeness = %+v, want reasons %q", c, reasons)
	}
	for i, want := range reasons {
		if !strings.Contains(c.Reasons[i], want) {
			t.Errorf("reason %q, want %q", c.Reasons[i], want)
		}
	}
	if diff := cmp.Diff(components, purls(d.Components())); diff != "" {
		t.Errorf("components (-want +got):\n%s", diff)
	}
}

func TestHostileManifests(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200)
	for name, tc := range map[string]struct {
		files map[string]string
		want  error
	}{
		"duplicate key":         {map[string]string{"package-lock.json": `{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1"},"node_modules/a":{"version":"2"}}}`}, ErrMalformed},
		"two documents":         {map[string]string{"package-lock.json": `{"lockfileVersion":3,"packages":{}}{"lockfileVersion":3}`}, ErrMalformed},
		"case variant":          {map[string]string{"package-lock.json": `{"lockfileVersion":3,"packages":{},"Packages":{}}`}, ErrMalformed},
		"case variant in entry": {map[string]string{"package-lock.json": `{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1","Version":"2"}}}`}, ErrMalformed},
		"deep lock":             {map[string]string{"package-lock.json": `{"lockfileVersion":3,"packages":{},"x":` + deep + `}`}, ErrTooLarge},
		"deep package.json":     {map[string]string{"package.json": deep}, ErrTooLarge},
		"huge lock":             {map[string]string{"package-lock.json": `{"x":"` + strings.Repeat("x", 17<<20) + `"}`}, ErrTooLarge},
		"not UTF-8":             {map[string]string{"package.json": "{\"name\":\"\xff\"}"}, ErrMalformed},
		"bad integrity":         {map[string]string{"package-lock.json": `{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1","integrity":"sha512-AAAA"}}}`}, ErrMalformed},
		"alias without version": {map[string]string{"package-lock.json": `{"lockfileVersion":1,"dependencies":{"a":{"version":"npm:b"}}}`}, ErrMalformed},
		"link to nowhere":       {map[string]string{"package-lock.json": `{"lockfileVersion":3,"packages":{"node_modules/a":{"link":true,"resolved":"../../etc"}}}`}, ErrMalformed},
		"lock is an array":      {map[string]string{"package-lock.json": `[]`}, ErrMalformed},
		"go.mod garbage":        {map[string]string{"go.mod": "module\n(((("}, ErrMalformed},
		"case twin":             {map[string]string{"package.json": `{}`, "Package.json": `{}`}, ErrHostileArchive},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Generate(t.Context(), Input{Artifact: folder(t, tc.files)}, Options{})
			if !errors.Is(err, tc.want) {
				t.Errorf("error = %v, want %v", err, tc.want)
			}
		})
	}
}

func TestLinkedManifestIsHostile(t *testing.T) {
	dir := folder(t, map[string]string{"real.json": `{}`})
	if err := os.Symlink("real.json", filepath.Join(dir, "package-lock.json")); err != nil {
		t.Skip("no symbolic links here")
	}
	if _, err := Generate(t.Context(), Input{Artifact: dir}, Options{}); !errors.Is(err, ErrHostileArchive) {
		t.Errorf("error = %v", err)
	}
}

func TestGenerateEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Generate(ctx, Input{Artifact: "testdata/npm-v3"}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want %v", err, context.Canceled)
	}
}

func TestErrorsNameNoMachinePath(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "nothing-here")
	_, err := Generate(t.Context(), Input{Artifact: missing}, Options{})
	if err == nil || strings.Contains(err.Error(), filepath.Dir(missing)) {
		t.Errorf("error = %v", err)
	}
}

func BenchmarkGenerateNPM(b *testing.B) {
	for b.Loop() {
		if _, err := Generate(b.Context(), Input{Artifact: "testdata/npm-v3"}, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	d, err := Generate(b.Context(), Input{Artifact: "testdata/npm-v3"}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := d.Encode(); err != nil {
			b.Fatal(err)
		}
	}
}
