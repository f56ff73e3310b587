//go:build e2e

package e2e

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

const schema = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"

// admit publishes a local server with its lockfile, signed, and approves it.
func (w *world) admit(t *testing.T, name, pkg string, args ...string) {
	t.Helper()
	w.publishAndApprove(t, map[string]any{
		"$schema": schema, "name": "io.github.modelcontextprotocol/" + name,
		"description": "A reference server", "version": "2026.8.31",
		"packages": []any{map[string]any{
			"registryType": "npm", "identifier": pkg, "version": "2026.8.31",
			"transport": map[string]any{"type": "stdio"},
		}},
	}, append([]string{"--artifact", lockfile(t)}, args...)...)
}

// admitRemote publishes an endpoint over streamable HTTP, which the registry
// captures itself.
func (w *world) admitRemote(t *testing.T, name, url string) {
	t.Helper()
	w.publishAndApprove(t, remote(name, "streamable-http", url))
}

// remote is the server.json of an endpoint over a transport.
func remote(name, transport, url string) map[string]any {
	return map[string]any{
		"$schema": schema, "name": "io.github.modelcontextprotocol/" + name,
		"description": "A reference server", "version": "2026.8.31",
		"remotes": []any{map[string]any{"type": transport, "url": url}},
	}
}

func (w *world) publishAndApprove(t *testing.T, server map[string]any, args ...string) {
	t.Helper()
	defer func(was testing.TB) { w.t = was }(w.t)
	w.t = t
	body, err := json.Marshal(server, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "server.json")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	out := w.cli(w.publisher, 0, append([]string{"publish", file, "-o", "json", "--key", w.path("author.key")}, args...)...)
	var v struct {
		State    string `json:"state"`
		Review   string `json:"review"`
		Findings []struct {
			Rule    string `json:"rule"`
			Pointer string `json:"pointer"`
			Action  string `json:"action"`
		} `json:"findings"`
	}
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatal(err)
	}
	if v.State != "in_review" {
		t.Fatalf("published into state %q:\n%s", v.State, out)
	}
	// What the scanners only flag is for a person to judge; these are the
	// reference servers, and the waivers are logged.
	for _, f := range v.Findings {
		if f.Action == "flag" {
			t.Logf("waived: %s at %s", f.Rule, f.Pointer)
			w.cli(w.reviewer, 0, "review", "waive", v.Review, "--rule", f.Rule, "--pointer", f.Pointer, "--reason", "read by a person")
		}
	}
	w.cli(w.reviewer, 0, "review", "vote", v.Review, "--key", w.path("reviewer.key"))
	w.cli(w.reviewer, 0, "review", "approve", v.Review)
}

// lockfile is a folder with this module's package.json and package-lock.json.
func lockfile(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json"} {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// entryPoint is the script that a package's command runs.
func entryPoint(t *testing.T, pkg string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("node_modules", pkg, "dist", "index.js"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v; run make e2e", err)
	}
	return path
}

// fill writes what the filesystem server is asked for. The times are fixed:
// get_file_info prints them.
func fill(t *testing.T, dir string) {
	t.Helper()
	dot := []byte("\x89PNG\r\n\x1a\n")
	for name, body := range map[string][]byte{"notes.txt": []byte("tide tables\nhigh at noon\n"), "dot.png": dot} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

// waitFor waits until an MCP endpoint answers a POST.
func waitFor(t *testing.T, url string) {
	t.Helper()
	for range 200 {
		resp, err := http.Post(url, "application/json", bytes.NewReader([]byte("{}")))
		if err == nil {
			resp.Body.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s does not answer", url)
}
