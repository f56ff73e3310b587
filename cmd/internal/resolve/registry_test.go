package resolve

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-json-experiment/json"
)

// served is a package of a registry of ours: its package.json beside name and
// version.
type served struct {
	name, version string
	manifest      map[string]any
}

const published = "2024-02-29T12:00:00.000Z"

// registry serves packages as npm's clients expect, and counts requests.
func registry(t *testing.T, packages ...served) (address string, requests *atomic.Int64) {
	t.Helper()
	requests = new(atomic.Int64)
	mux := http.NewServeMux()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	for _, p := range packages {
		manifest := map[string]any{"name": p.name, "version": p.version}
		for k, v := range p.manifest {
			manifest[k] = v
		}
		tarball := tarballOf(t, manifest)
		file := "/" + p.name + "/-/" + p.name[strings.LastIndexByte(p.name, '/')+1:] + "-" + p.version + ".tgz"
		sum := sha512.Sum512(tarball)
		manifest["dist"] = map[string]any{"tarball": srv.URL + file, "integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:])}
		packument, err := json.Marshal(map[string]any{"name": p.name, "dist-tags": map[string]any{"latest": p.version}, "versions": map[string]any{p.version: manifest},
			// Yarn holds back what is younger than some days.
			"time": map[string]any{"created": published, "modified": published, p.version: published}})
		if err != nil {
			t.Fatal(err)
		}
		mux.HandleFunc("GET /"+url.PathEscape(p.name), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(packument)
		})
		mux.HandleFunc("GET "+file, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(tarball) })
	}
	return srv.URL, requests
}

func tarballOf(t *testing.T, manifest map[string]any) []byte {
	t.Helper()
	body, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	gz := gzip.NewWriter(&out)
	tw := tar.NewWriter(gz)
	if err := tw.WriteHeader(&tar.Header{Name: "package/package.json", Mode: 0o644, Size: int64(len(body))}); err != nil {
		t.Fatal(err)
	}
	if _, err := tw.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// home is a user whose clients are configured for a registry.
func home(t *testing.T, registry string) string {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("npm is not installed")
	}
	dir := t.TempDir()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(".npmrc", "registry="+registry+"/\nupdate-notifier=false\n")
	put(".yarnrc", "registry \""+registry+"/\"\n")
	put(".yarnrc.yml", "npmRegistryServer: \""+registry+"\"\nunsafeHttpWhitelist: [\"127.0.0.1\"]\n")
	for _, name := range []string{"npm_config_registry", "npm_config_userconfig", "npm_config_cache", "NPM_CONFIG_REGISTRY", "NPM_CONFIG_USERCONFIG", "NPM_CONFIG_CACHE",
		"XDG_CONFIG_HOME", "XDG_DATA_HOME", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, "") // restored at the end
		os.Unsetenv(name)
	}
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	return dir
}

func project(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
