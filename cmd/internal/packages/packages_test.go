package packages

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/internal/tree"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func tarball(t *testing.T, body string) []byte {
	t.Helper()
	var out bytes.Buffer
	gz := gzip.NewWriter(&out)
	tw := tar.NewWriter(gz)
	must(t, tw.WriteHeader(&tar.Header{Name: "package/index.js", Size: int64(len(body)), Mode: 0o644}))
	_, err := io.WriteString(tw, body)
	must(t, errors.Join(err, tw.Close(), gz.Close()))
	return out.Bytes()
}

// npm stands for the client: `ci` writes what it was told to have installed,
// `config get cache` names a cache.
func npm(t *testing.T, installed string) (cache string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the client is a shell script")
	}
	bin, cache := t.TempDir(), t.TempDir()
	hidden := filepath.Join(bin, "installed.json")
	must(t, os.WriteFile(hidden, []byte(installed), 0o600))
	must(t, os.WriteFile(filepath.Join(bin, "npm"), fmt.Appendf(nil,
		"#!/bin/sh\ncase \"$1 $2\" in\n'ci --ignore-scripts') mkdir node_modules && cp %s node_modules/.package-lock.json;;\n'config get') echo %s;;\n*) exit 9;;\nesac\n", hidden, cache), 0o755))
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	return cache
}

// TestNPM: what the client installed comes along by its digest, unpacks to the
// tree, and nothing of the machine does.
func TestNPM(t *testing.T) {
	dep := tarball(t, "module.exports = 1\n")
	sum := sha512.Sum512(dep)
	integrity, name := "sha512-"+base64.StdEncoding.EncodeToString(sum[:]), hex.EncodeToString(sum[:])
	locked := `{"lockfileVersion":3,"packages":{"":{"name":"server"},"node_modules/dep":{"integrity":"` + integrity + `"}}}`
	cache := npm(t, `{"packages":{"node_modules/dep":{"integrity":"`+integrity+`"},"node_modules/dep/node_modules/inner":{"inBundle":true}}}`)
	stored := filepath.Join(cache, "_cacache/content-v2/sha512", name[:2], name[2:4], name[4:])
	must(t, errors.Join(os.MkdirAll(filepath.Dir(stored), 0o755), os.WriteFile(stored, dep, 0o600)))
	project := t.TempDir()
	for file, body := range map[string]string{
		"package.json": `{"name":"server"}`, "package-lock.json": locked, "dist/index.js": "require('dep')\n",
		".npmrc": "//registry.example/:_authToken=secret\n", ".env": "TOKEN=secret\n", "node_modules/dep/index.js": "evil()\n", ".git/config": "x",
	} {
		at := filepath.Join(project, file)
		must(t, errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(body), 0o600)))
	}
	stage, err := Lay(t.Context(), NPM, project, t.TempDir(), io.Discard)
	must(t, err)
	for _, name := range []string{".npmrc", ".env", ".git", "node_modules"} {
		if _, err := os.Lstat(filepath.Join(stage, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s comes along", name)
		}
	}
	packed, err := archive.Pack(stage, archive.Limits{})
	must(t, err)
	file, dir := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "tree")
	must(t, os.WriteFile(file, packed, 0o600))
	t.Cleanup(func() { _ = tree.Remove(dir) })
	_, err = tree.Materialise(t.Context(), file, dir, archive.Limits{})
	must(t, err)
	if b, err := os.ReadFile(filepath.Join(dir, "node_modules/dep/index.js")); string(b) != "module.exports = 1\n" {
		t.Errorf("%q, %v", b, err)
	}

	must(t, os.WriteFile(stored, append(dep, 0), 0o600))
	if _, err := Lay(t.Context(), NPM, project, t.TempDir(), io.Discard); !errors.Is(err, ErrProject) {
		t.Errorf("a cache with other bytes: %v", err)
	}
	must(t, os.Remove(filepath.Join(project, "package-lock.json")))
	if _, err := Lay(t.Context(), NPM, project, t.TempDir(), io.Discard); !errors.Is(err, ErrProject) {
		t.Errorf("no lockfile: %v", err)
	}
	if _, err := Lay(t.Context(), "gem", project, t.TempDir(), io.Discard); !errors.Is(err, ErrProject) {
		t.Errorf("an unknown ecosystem: %v", err)
	}
}

// TestPackagesThatCannotCome: links to folders, and packages without a digest.
func TestPackagesThatCannotCome(t *testing.T) {
	for name, entry := range map[string]string{
		"a link": `{"link":true}`, "no digest": `{}`, "a weak digest": `{"integrity":"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="}`, "not in the cache": `{"integrity":"sha512-` + base64.StdEncoding.EncodeToString(make([]byte, 64)) + `"}`,
	} {
		npm(t, `{"packages":{"node_modules/dep":`+entry+`}}`)
		project := t.TempDir()
		must(t, errors.Join(os.WriteFile(filepath.Join(project, "package.json"), []byte("{}"), 0o600), os.WriteFile(filepath.Join(project, "package-lock.json"), []byte("{}"), 0o600)))
		if _, err := Lay(t.Context(), NPM, project, t.TempDir(), io.Discard); !errors.Is(err, ErrProject) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
