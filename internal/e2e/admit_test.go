//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"
)

const schema = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"

// admit publishes a local server from npm with its lockfile, signed, and approves it.
func (w *world) admit(t *testing.T, name, pkg string, args ...string) {
	t.Helper()
	w.admitPackage(t, "npm", name, pkg, nil, args...)
}

// admitPython does so with a server from PyPI. Bills of materials do not read what
// pins its dependencies, which a person has to waive.
func (w *world) admitPython(t *testing.T, name, pkg string, args ...string) {
	t.Helper()
	w.admitPackage(t, "pypi", name, pkg, []string{"SRC-4"}, args...)
}

func (w *world) admitPackage(t *testing.T, registry, name, pkg string, waived []string, args ...string) {
	t.Helper()
	w.publishAndApprove(t, map[string]any{
		"$schema": schema, "name": "io.github.modelcontextprotocol/" + name,
		"description": "A reference server", "version": "2026.8.31",
		"packages": []any{map[string]any{
			"registryType": registry, "identifier": pkg, "version": "2026.8.31",
			"transport": map[string]any{"type": "stdio"},
		}},
	}, waived, append([]string{"--artifact", lockfile(t, registry)}, args...)...)
}

// admitRemote publishes an endpoint over streamable HTTP, which the registry
// captures itself.
func (w *world) admitRemote(t *testing.T, name, url string) {
	t.Helper()
	w.publishAndApprove(t, remote(name, streamable, url), nil)
}

// remote is the server.json of an endpoint over a transport.
func remote(name, transport, url string) map[string]any {
	return map[string]any{
		"$schema": schema, "name": "io.github.modelcontextprotocol/" + name,
		"description": "A reference server", "version": "2026.8.31",
		"remotes": []any{map[string]any{"type": transport, "url": url}},
	}
}

// publishAndApprove waives what the scanners flag, and of the checklist what is named.
func (w *world) publishAndApprove(t *testing.T, server map[string]any, waived []string, args ...string) {
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
	for _, code := range waived {
		w.cli(w.reviewer, 0, "review", "answer", v.Review, code, "--result", "waived", "--note", "read by a person", "--expires-in", "24h")
	}
	w.cli(w.reviewer, 0, "review", "vote", v.Review, "--key", w.path("reviewer.key"))
	w.cli(w.reviewer, 0, "review", "approve", v.Review)
}

// lockfile is a folder with the files that pin what is installed from a registry.
func lockfile(t *testing.T, registry string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range map[string][]string{"npm": {"package.json", "package-lock.json"}, "pypi": {"clients/requirements.txt"}}[registry] {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), body, 0o600); err != nil {
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
