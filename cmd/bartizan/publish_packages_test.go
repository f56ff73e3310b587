package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/internal/tree"
	"github.com/bartizan-mcp/bartizan/sbom"
)

// onePackage is a registry of npm packages that serves dep 2.0.0, and a user
// whose npm asks it.
func onePackage(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("npm is not installed")
	}
	const manifest = `{"name":"dep","version":"2.0.0","license":"MIT","scripts":{"postinstall":"touch canary"}}`
	var tarball bytes.Buffer
	gz := gzip.NewWriter(&tarball)
	tw := tar.NewWriter(gz)
	err := tw.WriteHeader(&tar.Header{Name: "package/package.json", Mode: 0o644, Size: int64(len(manifest))})
	_, werr := io.WriteString(tw, manifest)
	if err := errors.Join(err, werr, tw.Close(), gz.Close()); err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(tarball.Bytes())
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	mux.HandleFunc("GET /dep", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"name":"dep","dist-tags":{"latest":"2.0.0"},"versions":{"2.0.0":{"name":"dep","version":"2.0.0","dist":{"tarball":"%s/dep.tgz","integrity":"sha512-%s"}}}}`,
			srv.URL, base64.StdEncoding.EncodeToString(sum[:]))
	})
	mux.HandleFunc("GET /dep.tgz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(tarball.Bytes()) })

	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".npmrc"), []byte("registry="+srv.URL+"/\nupdate-notifier=false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"npm_config_registry", "npm_config_userconfig", "npm_config_cache", "NPM_CONFIG_REGISTRY", "NPM_CONFIG_USERCONFIG", "NPM_CONFIG_CACHE",
		"XDG_CONFIG_HOME", "XDG_DATA_HOME", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, "") // restored at the end
		os.Unsetenv(name)
	}
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
}

// TestResolvedPackages: a project without a lockfile is locked, its packages come
// along, and the folder that it lies in stays as it was.
func TestResolvedPackages(t *testing.T) {
	onePackage(t)
	project := t.TempDir()
	for name, text := range map[string]string{"package.json": `{"name":"server","version":"1.0.0","dependencies":{"dep":"^2.0.0"}}`, "index.js": "require('dep')\n"} {
		if err := os.WriteFile(filepath.Join(project, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	cmd.SetErr(t.Output())
	p := publication{artifact: project, packages: "npm", resolution: resolution{wanted: true}}
	packed, err := p.artifactBytes(cmd)
	if err != nil {
		t.Fatal(err)
	}
	file, dir := filepath.Join(t.TempDir(), "artifact"), filepath.Join(t.TempDir(), "tree")
	if err := os.WriteFile(file, packed, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tree.Remove(dir) })
	if _, err := tree.Materialise(t.Context(), file, dir, archive.Limits{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"index.js", "package-lock.json", sbom.ResolutionFile, "node_modules/dep/package.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules/dep/canary")); err == nil {
		t.Error("a script ran")
	}
	doc, err := sbom.Generate(t.Context(), sbom.Input{Artifact: file, Tree: dir}, sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c := doc.Completeness(); c.Level != sbom.Complete || len(doc.Resolved()) != 1 {
		t.Errorf("completeness %+v, resolved %q", c, doc.Resolved())
	}
	left, err := filepath.Glob(filepath.Join(project, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{filepath.Join(project, "index.js"), filepath.Join(project, "package.json")}, left); diff != "" {
		t.Error(diff)
	}
}
