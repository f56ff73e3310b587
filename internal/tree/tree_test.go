package tree

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/archive"
)

// TestVector is the vector of docs/spec/tree.md.
func TestVector(t *testing.T) {
	artifact := tarball(t,
		file{name: "server.js", body: "console.log(1)\n"},
		file{name: "bin/run", body: "#!/bin/sh\n", mode: 0o755},
		file{name: "bin/latest", kind: tar.TypeSymlink, link: "run"},
		file{name: "empty/", kind: tar.TypeDir, mode: 0o755},
	)
	_, digest, err := build(t, artifact, archive.Limits{})
	must(t, err)
	const want = "0ce5d2aec239cc8235f90e5b64db282c28bba37fcdfa96ac5e6c48c449dab3fb"
	if digest != want {
		t.Errorf("tree digest %s, the specification says %s", digest, want)
	}
	// The same, written out as the specification words it.
	h := sha256.New()
	put := func(b string) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		h.Write([]byte(b))
	}
	sum := func(s string) string { d := sha256.Sum256([]byte(s)); return string(d[:]) }
	put("bartizan.tree.v1")
	for _, e := range [][3]string{{"l", "bin/latest", "run"}, {"x", "bin/run", sum("#!/bin/sh\n")}, {"f", "server.js", sum("console.log(1)\n")}} {
		h.Write([]byte(e[0]))
		put(e[1])
		put(e[2])
	}
	if worded := hex.EncodeToString(h.Sum(nil)); worded != digest {
		t.Errorf("by the words of the specification %s, by the code %s", worded, digest)
	}
}

// listing is what is on disk, with modes.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		name, _ := filepath.Rel(dir, path)
		found[filepath.ToSlash(name)] = info.Mode().String()
		return err
	}))
	return found
}

func TestNPM(t *testing.T) {
	dir, digest, err := build(t, newProject(t).pack(t), archive.Limits{})
	must(t, err)
	want := map[string]string{
		".": "dr-x------", "index.js": "-r--r--r--", "package-lock.json": "-r--r--r--",
		"node_modules": "dr-xr-xr-x", "node_modules/dep": "dr-xr-xr-x", "node_modules/dep/bin": "dr-xr-xr-x",
		"node_modules/dep/index.js": "-r--r--r--", "node_modules/dep/bin/run.js": "-r-xr-xr-x",
	}
	if diff := cmp.Diff(want, listing(t, dir)); diff != "" {
		t.Error(diff)
	}
	must(t, Verify(t.Context(), dir, digest))
	_, again, err := build(t, newProject(t).pack(t), archive.Limits{})
	if must(t, err); again != digest {
		t.Error("the same bytes gave another tree")
	}
}

func TestWheels(t *testing.T) {
	shared := file{name: "tests/__init__.py"}
	one := zipped(t, file{name: "one/__init__.py", body: "x = 1\n"}, shared, file{name: "one-1.0.data/purelib/extra.py", body: "y = 2\n"}, file{name: "one-1.0.data/scripts/one", body: "#!python\n"})
	two := zipped(t, file{name: "two.py", body: "z = 3\n"}, shared)
	lock := "one==1.0 --hash=sha256:" + hex256(one) + "\ntwo==2.0 --hash=sha256:" + hex256(two) + "\n"
	pack := func(lock string, two []byte) []byte {
		manifest := `{"version":1,"lockfile":"requirements.txt","packages":[` +
			`{"path":"site","archive":".bartizan/packages/one.whl","integrity":"` + sri256(one) + `","format":"wheel"},` +
			`{"path":"site","archive":".bartizan/packages/two.whl","integrity":"` + sri256(two) + `","format":"wheel"}]}`
		return tarball(t, file{name: "requirements.txt", body: lock}, file{name: ".bartizan/tree.json", body: manifest},
			file{name: ".bartizan/packages/one.whl", body: string(one)}, file{name: ".bartizan/packages/two.whl", body: string(two)})
	}
	dir, _, err := build(t, pack(lock, two), archive.Limits{})
	must(t, err)
	found := listing(t, dir)
	for _, name := range []string{"site/one/__init__.py", "site/extra.py", "site/two.py", "site/tests/__init__.py"} {
		if found[name] != "-r--r--r--" {
			t.Errorf("%s is %q", name, found[name])
		}
	}
	if len(found) != 9 {
		t.Errorf("%v", found)
	}
	if _, _, err := build(t, pack("one==1.0 --hash=sha256:"+hex256(one)+"\n", two), archive.Limits{}); !errors.Is(err, ErrIntegrity) {
		t.Errorf("a wheel that the lockfile does not have: %v", err)
	}
	if _, _, err := build(t, pack("ab"+lock[:0]+hex256(one)+"0 "+hex256(two), two), archive.Limits{}); !errors.Is(err, ErrIntegrity) {
		t.Errorf("a digest inside a longer one: %v", err)
	}
	other := zipped(t, file{name: "one/__init__.py", body: "x = 'evil'\n"})
	if _, _, err := build(t, pack(lock+hex256(other), other), archive.Limits{}); !errors.Is(err, ErrHostile) {
		t.Errorf("a wheel that replaces another's file: %v", err)
	}
}

func TestSingleExecutable(t *testing.T) {
	dir, digest, err := build(t, []byte("\x7fELF and the rest"), archive.Limits{})
	must(t, err)
	if mode := listing(t, dir)[archive.BinaryPath]; mode != "-r-xr-xr-x" {
		t.Errorf("mode %s", mode)
	}
	must(t, Verify(t.Context(), dir, digest))
}

// TestPackagesAreTheLockfiles: what the lockfile does not know, or knows by
// other bytes, is not unpacked.
func TestPackagesAreTheLockfiles(t *testing.T) {
	evil := tarball(t, file{name: "package/index.js", body: "evil()\n"})
	dep := map[string]any{}
	tests := map[string]struct {
		change func(*project)
		want   error
	}{
		"other bytes":              {func(p *project) { p.dependency = evil }, ErrIntegrity},
		"other bytes, manifest":    {func(p *project) { p.dependency = evil; p.manifest.Packages[0].Integrity = sri512(evil) }, ErrIntegrity},
		"not in the lockfile":      {func(p *project) { p.lock["packages"] = dep }, ErrIntegrity},
		"another place":            {func(p *project) { p.manifest.Packages[0].Path = "node_modules/other" }, ErrIntegrity},
		"outside":                  {func(p *project) { p.manifest.Packages[0].Path = "../dep" }, ErrManifest},
		"the root":                 {func(p *project) { p.manifest.Packages[0].Path = "." }, ErrManifest},
		"the reserved folder":      {func(p *project) { p.manifest.Packages[0].Path = ".bartizan/x" }, ErrManifest},
		"no lockfile":              {func(p *project) { p.manifest.Lockfile = "" }, ErrManifest},
		"a lockfile that is not":   {func(p *project) { p.manifest.Lockfile = "yarn.lock" }, ErrManifest},
		"npm by another lockfile":  {func(p *project) { p.manifest.Lockfile = "index.js" }, ErrIntegrity},
		"a wheel by npm's":         {func(p *project) { p.manifest.Packages[0].Format = FormatWheel }, ErrIntegrity},
		"an unknown format":        {func(p *project) { p.manifest.Packages[0].Format = "gem" }, ErrManifest},
		"a later version":          {func(p *project) { p.manifest.Version = 2 }, ErrManifest},
		"a weak digest":            {func(p *project) { p.manifest.Packages[0].Integrity = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=" }, ErrManifest},
		"an archive left over":     {func(p *project) { p.manifest.Packages = nil }, ErrManifest},
		"an archive missing":       {func(p *project) { p.manifest.Packages[0].Archive = ".bartizan/packages/x.tgz" }, ErrManifest},
		"an archive outside":       {func(p *project) { p.manifest.Packages[0].Archive = "index.js" }, ErrManifest},
		"a file over the package":  {func(p *project) { p.extra = []file{{name: "node_modules/dep/index.js", body: "evil()\n"}} }, ErrHostile},
		"a link under the package": {func(p *project) { p.extra = []file{{name: "node_modules", kind: tar.TypeSymlink, link: "lib"}} }, ErrHostile},
		"something else reserved":  {func(p *project) { p.extra = []file{{name: ".bartizan/hook.js"}} }, ErrManifest},
		"a package that is a link": {func(p *project) {
			p.extra = []file{{name: ".bartizan/packages/x", kind: tar.TypeSymlink, link: "dep.tgz"}}
		}, ErrManifest},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := newProject(t)
			test.change(p)
			if _, _, err := build(t, p.pack(t), archive.Limits{}); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestHostileArtifacts(t *testing.T) {
	small := archive.Limits{InputBytes: 1 << 20, TotalBytes: 256 << 10, FileBytes: 128 << 10, Files: 20, PathBytes: 200, PathDepth: 8, Ratio: 20, RatioFloor: 64 << 10}
	zeros := string(make([]byte, 100<<10))
	many := slices.Repeat([]file{{name: "n/", kind: tar.TypeDir}}, 21)
	bomb := newProject(t)
	bomb.dependency = tarball(t, file{name: "package/a", body: zeros}, file{name: "package/b", body: zeros}, file{name: "package/c", body: zeros})
	bomb.manifest.Packages[0].Integrity = sri512(bomb.dependency)
	bomb.lock["packages"] = map[string]any{"node_modules/dep": map[string]any{"integrity": sri512(bomb.dependency)}}
	tests := map[string]struct {
		artifact []byte
		want     error
	}{
		"zip slip":              {tarball(t, file{name: "../evil"}), ErrHostile},
		"zip slip, zip":         {zipped(t, file{name: "../evil"}), ErrHostile},
		"absolute":              {tarball(t, file{name: "/etc/passwd"}), ErrHostile},
		"backslash":             {zipped(t, file{name: `..\evil`}), ErrHostile},
		"link out":              {tarball(t, file{name: "a", kind: tar.TypeSymlink, link: "../../etc"}), ErrHostile},
		"link absolute":         {tarball(t, file{name: "a", kind: tar.TypeSymlink, link: "/etc/passwd"}), ErrHostile},
		"through a link":        {tarball(t, file{name: "a", kind: tar.TypeSymlink, link: "b"}, file{name: "a/x"}), ErrHostile},
		"through a later link":  {tarball(t, file{name: "a/x"}, file{name: "a", kind: tar.TypeSymlink, link: "b"}), ErrHostile},
		"hard link":             {tarball(t, file{name: "a"}, file{name: "b", kind: tar.TypeLink, link: "a"}), ErrHostile},
		"device":                {tarball(t, file{name: "a", kind: tar.TypeBlock}), ErrHostile},
		"pipe":                  {tarball(t, file{name: "a", kind: tar.TypeFifo}), ErrHostile},
		"twice":                 {tarball(t, file{name: "a"}, file{name: "a"}), ErrHostile},
		"twice, file by file":   {tarball(t, file{name: "Index.js"}, file{name: "index.js"}), ErrHostile},
		"twice, by folder":      {tarball(t, file{name: "Lib/a"}, file{name: "lib/b"}), ErrHostile},
		"twice, by long s":      {tarball(t, file{name: "s.js"}, file{name: "ſ.js"}), ErrHostile},
		"bomb":                  {tarball(t, file{name: "a", body: zeros}, file{name: "b", body: zeros}), ErrHostile},
		"bomb of packages":      {bomb.pack(t), nil},
		"entries":               {tarball(t, many...), nil},
		"deep":                  {tarball(t, file{name: "1/2/3/4/5/6/7/8/9"}), nil},
		"not an archive at all": {[]byte("#!/bin/sh\nevil\n"), nil},
		"cut off":               {tarball(t, file{name: "a", body: "content"})[:40], ErrHostile},
		"nothing":               {nil, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := build(t, test.artifact, small)
			switch {
			case err == nil:
				t.Error("taken")
			case errors.Is(err, archive.ErrTooLarge), errors.Is(err, archive.ErrUnsupported):
			case test.want == nil || !errors.Is(err, test.want):
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// TestSetuid: no mode of an artifact but "may be executed" comes through.
func TestSetuid(t *testing.T) {
	dir, _, err := build(t, tarball(t, file{name: "a", mode: 0o6777}, file{name: "b", mode: 0o1666}), archive.Limits{})
	must(t, err)
	if diff := cmp.Diff(map[string]string{".": "dr-x------", "a": "-r-xr-xr-x", "b": "-r--r--r--"}, listing(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// TestVerify: whatever somebody does to a tree on disk shows.
func TestVerify(t *testing.T) {
	within := func(dir, name string, act func(path string) error) func() error {
		return func() error {
			path := filepath.Join(dir, name)
			return errors.Join(os.Chmod(dir, 0o700), os.Chmod(filepath.Dir(path), 0o700), act(path))
		}
	}
	tests := map[string]func(dir string) func() error{
		"edited": func(dir string) func() error {
			return within(dir, "index.js", func(p string) error {
				return errors.Join(os.Chmod(p, 0o644), os.WriteFile(p, []byte("evil('dep')!!!!\n"), 0o644), os.Chmod(p, 0o444))
			})
		},
		"one more": func(dir string) func() error {
			return within(dir, "node_modules/x.js", func(p string) error { return os.WriteFile(p, nil, 0o444) })
		},
		"one more, in .git": func(dir string) func() error {
			return within(dir, ".git", func(p string) error {
				return errors.Join(os.Mkdir(p, 0o755), os.WriteFile(filepath.Join(p, "x"), nil, 0o444))
			})
		},
		"an empty folder": func(dir string) func() error {
			return within(dir, "node_modules/x", func(p string) error { return os.Mkdir(p, 0o555) })
		},
		"one less": func(dir string) func() error { return within(dir, "index.js", os.Remove) },
		"writable": func(dir string) func() error {
			return within(dir, "index.js", func(p string) error { return os.Chmod(p, 0o644) })
		},
		"executable": func(dir string) func() error {
			return within(dir, "index.js", func(p string) error { return os.Chmod(p, 0o555) })
		},
		"a link to the same": func(dir string) func() error {
			return within(dir, "index.js", func(p string) error {
				return errors.Join(os.Rename(p, filepath.Join(filepath.Dir(dir), "index.js")), os.Symlink(filepath.Join(filepath.Dir(dir), "index.js"), p))
			})
		},
		"a folder that is a link": func(dir string) func() error {
			return within(dir, "node_modules/dep", func(p string) error {
				out := filepath.Join(filepath.Dir(dir), "dep")
				return errors.Join(os.Chmod(p, 0o700), os.Rename(p, out), os.Symlink(out, p))
			})
		},
		"the tree itself a link": func(dir string) func() error {
			return func() error { return errors.Join(os.Rename(dir, dir+"-moved"), os.Symlink(dir+"-moved", dir)) }
		},
		"gone": func(dir string) func() error { return func() error { return Remove(dir) } },
	}
	for name, attack := range tests {
		t.Run(name, func(t *testing.T) {
			dir, digest, err := build(t, newProject(t).pack(t), archive.Limits{})
			must(t, err)
			must(t, Verify(t.Context(), dir, digest))
			t.Cleanup(func() { _ = Remove(dir + "-moved") })
			must(t, attack(dir)())
			if err := Verify(t.Context(), dir, digest); !errors.Is(err, ErrChanged) {
				t.Errorf("got %v, want ErrChanged", err)
			}
		})
	}
}

func TestLocate(t *testing.T) {
	for in, want := range map[string]string{"{tree}": "/t", "{tree}/a": "/t/a", "x{tree}/a": "x{tree}/a", "{tree}a": "{tree}a", "": ""} {
		if got := Locate(in, "/t"); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"version":1,"lockfile":"package-lock.json","packages":[{"path":"node_modules/a","archive":".bartizan/packages/a.tgz","integrity":"sha256-","format":"npm"}]}`), []byte(`{"packages":{}}`))
	f.Fuzz(func(t *testing.T, manifest, locked []byte) {
		m, err := parseManifest(manifest)
		if err != nil {
			return
		}
		l, err := parseLock(m.Lockfile, locked)
		for _, p := range m.Packages {
			if filepath.IsAbs(p.Path) || !filepath.IsLocal(p.Path) || !filepath.IsLocal(p.Archive) {
				t.Errorf("path %q, archive %q", p.Path, p.Archive)
			}
			if want, ok := parseIntegrity(p.Integrity); ok && err == nil {
				l.allows(p, want)
			}
		}
	})
}
