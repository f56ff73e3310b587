package tree

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/archive"
)

// file is one entry of an archive made for a test.
type file struct {
	name, body, link string
	mode             int64
	kind             byte // tar type; 0 is a regular file
}

func tarball(t testing.TB, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	gz := gzip.NewWriter(&out)
	tw := tar.NewWriter(gz)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Typeflag: f.kind, Size: int64(len(f.body)), Mode: f.mode, Linkname: f.link}
		if f.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if f.mode == 0 {
			h.Mode = 0o644
		}
		must(t, tw.WriteHeader(h))
		_, err := io.WriteString(tw, f.body)
		must(t, err)
	}
	must(t, tw.Close())
	must(t, gz.Close())
	return out.Bytes()
}

func zipped(t testing.TB, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	zw := zip.NewWriter(&out)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		h.SetMode(0o644 | os.FileMode(f.mode))
		w, err := zw.CreateHeader(h)
		must(t, err)
		_, err = io.WriteString(w, f.body)
		must(t, err)
	}
	must(t, zw.Close())
	return out.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// build materialises bytes in a fresh place.
func build(t testing.TB, artifact []byte, lim archive.Limits) (dir, digest string, err error) {
	t.Helper()
	at := t.TempDir()
	name := filepath.Join(at, "artifact")
	must(t, os.WriteFile(name, artifact, 0o600))
	dir = filepath.Join(at, "tree")
	t.Cleanup(func() { _ = Remove(dir) })
	digest, err = Materialise(t.Context(), name, dir, lim)
	left, globErr := filepath.Glob(filepath.Join(at, ".packages-*"))
	if must(t, globErr); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, statErr := os.Lstat(dir); err != nil && statErr == nil {
		t.Error("a refused tree was left behind")
	}
	return dir, digest, err
}

func sri512(b []byte) string {
	sum := sha512.Sum512(b)
	return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

func sri256(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func hex256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// project is an npm server with one dependency, packed as publish does.
type project struct {
	dependency []byte
	lock       map[string]any
	manifest   Manifest
	extra      []file
}

func newProject(t testing.TB) *project {
	dep := tarball(t, file{name: "package/index.js", body: "module.exports = 1\n"}, file{name: "package/bin/run.js", body: "#!/usr/bin/env node\n", mode: 0o755},
		file{name: "package/link", kind: tar.TypeSymlink, link: "index.js"})
	return &project{
		dependency: dep,
		lock: map[string]any{"lockfileVersion": 3, "packages": map[string]any{
			"": map[string]any{"name": "server"}, "node_modules/dep": map[string]any{"version": "1.0.0", "integrity": sri512(dep)},
		}},
		manifest: NewManifest("package-lock.json", []Package{{Path: "node_modules/dep", Archive: ".bartizan/packages/dep.tgz", Integrity: sri512(dep), Format: FormatNPM}}),
	}
}

func (p *project) pack(t testing.TB) []byte {
	t.Helper()
	lock, err := json.Marshal(p.lock, json.Deterministic(true))
	must(t, err)
	manifest, err := json.Marshal(p.manifest)
	must(t, err)
	return tarball(t, append([]file{
		{name: ".bartizan/tree.json", body: string(manifest)},
		{name: ".bartizan/packages/dep.tgz", body: string(p.dependency)},
		{name: "index.js", body: "require('dep')\n"},
		{name: "package-lock.json", body: string(lock)},
	}, p.extra...)...)
}
