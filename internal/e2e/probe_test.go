//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/registry/probe"
)

// TestProbe lists real servers of npm and PyPI in isolation. Honest servers
// must come out of it without a finding: a probe that cries wolf is waived.
func TestProbe(t *testing.T) {
	node, py := oldNode(t), python(t)
	real, err := filepath.EvalSymlinks(py)
	if err != nil {
		t.Fatal(err)
	}
	site, err := filepath.Glob(filepath.Join(bin(t), "venv", "lib", "*", "site-packages"))
	if err != nil || len(site) != 1 {
		t.Fatalf("%v, %v", site, err)
	}
	p, err := probe.New(probe.Config{Scratch: t.TempDir(), Runtimes: []string{filepath.Dir(filepath.Dir(real))}, Linger: 200 * time.Millisecond, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	project := t.TempDir() // node looks for a folder of that name
	if out, err := exec.Command("cp", "-a", "node_modules/.", filepath.Join(project, "node_modules")).CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	modules := packed(t, project)
	packages := packed(t, site[0])
	for _, s := range []struct {
		name  string
		job   probe.Job
		tools int
	}{
		{"server-everything", probe.Job{Artifact: modules, Command: []string{node, "{tree}/node_modules/@modelcontextprotocol/server-everything/dist/index.js", "stdio"}}, 10},
		{"server-memory", probe.Job{Artifact: modules, Command: []string{node, "{tree}/node_modules/@modelcontextprotocol/server-memory/dist/index.js"}, EnvNames: []string{"MEMORY_FILE_PATH"}}, 9},
		{"mcp-server-time", probe.Job{Artifact: packages, Command: []string{real, "-m", "mcp_server_time"}, Env: map[string]string{"PYTHONPATH": "{tree}"}}, 2},
	} {
		t.Run(s.name, func(t *testing.T) {
			began := time.Now()
			c, r, err := p.Probe(t.Context(), s.job)
			if err != nil {
				doc, _ := json.Marshal(r)
				t.Fatalf("%v: %s", err, doc)
			}
			if len(c.Listings[0].Tools) < s.tools {
				t.Errorf("%d tools", len(c.Listings[0].Tools))
			}
			for what, found := range map[string][]string{
				"undeclared network": r.Network, "undeclared files": r.Files, "undeclared programs": r.Exec, "leaks": r.Leaks, "attacks": r.Attacks, "differences": r.Differences,
			} {
				if len(found) > 0 {
					t.Errorf("%s: %s", what, strings.Join(found, "; "))
				}
			}
			count(t, "probe %s: %d tools in %d eras, %d runs in %.1f s, nothing undeclared", s.name, len(c.Listings[0].Tools), len(c.Listings), len(r.Runs), time.Since(began).Seconds())
		})
	}
}

// packed is a folder as an artifact.
func packed(t *testing.T, dir string) string {
	t.Helper()
	b, err := archive.Pack(dir, archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "artifact")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
