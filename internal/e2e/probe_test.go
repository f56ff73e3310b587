//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

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
	p, err := probe.New(probe.Config{Scratch: t.TempDir(), Runtimes: []string{filepath.Dir(filepath.Dir(real))}, Linger: 200 * time.Millisecond, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	modules, packages := packed(t, npmClosure(t)), packed(t, pythonClosure(t, "mcp-server-time"))
	for _, s := range []struct {
		name  string
		job   probe.Job
		tools int
	}{
		{"server-memory", probe.Job{Artifact: modules, Command: []string{node, "{tree}/node_modules/@modelcontextprotocol/server-memory/dist/index.js"}, EnvNames: []string{"MEMORY_FILE_PATH"}}, 9},
		{"mcp-server-time", probe.Job{Artifact: packages, Command: []string{real, "-B", "-m", "mcp_server_time"}, Env: map[string]string{"PYTHONPATH": "{tree}"}}, 2},
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

// npmClosure is a folder with the packages that the lockfile in bound/ names,
// taken from those of this folder, which are of the same versions.
func npmClosure(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("bound/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]jsontext.Value `json:"packages"`
	}
	if err := json.Unmarshal(raw, &lock); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for at := range lock.Packages {
		if at == "" || strings.Count(at, "node_modules/") > 1 { // comes with the one that it is in
			continue
		}
		if err := os.CopyFS(filepath.Join(dir, at), os.DirFS(at)); err != nil {
			t.Fatalf("%v; run make e2e", err)
		}
	}
	return dir
}

// What a distribution of Python needs, as the metadata of those installed here
// says, copied file by file.
const copyClosure = `
import importlib.metadata, pathlib, re, shutil, sys
seen, left = set(), [sys.argv[1]]
while left:
    name = re.sub("[-_.]+", "-", left.pop()).lower()
    if name in seen:
        continue
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        continue  # of another platform
    seen.add(name)
    left += [re.match("[A-Za-z0-9._-]+", r).group() for r in found.requires or [] if "extra ==" not in r]
    for f in found.files:
        if ".." not in f.parts and f.suffix != ".pyc":
            to = pathlib.Path(sys.argv[2], f)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(f.locate(), to)
`

func pythonClosure(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	tool(t, "", python(t), "-c", copyClosure, name, dir)
	return dir
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
