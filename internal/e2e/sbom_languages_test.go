//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// The SBOMs of real servers in Python, Go and Rust, held to what the tools of
// those languages say: recall against what they need, precision against what
// they know of.

// versions is what a tool names, as "name version".
type versions map[string]bool

// holdTo compares a document with the truth.
func holdTo(t *testing.T, what string, got, need, known versions) {
	t.Helper()
	if len(need) < 3 {
		t.Fatalf("%s: the truth names only %d packages", what, len(need))
	}
	found, right := 0, 0
	for p := range need {
		if got[p] {
			found++
		}
	}
	for p := range got {
		if known[p] {
			right++
		}
	}
	recall, precision := float64(found)/float64(len(need)), float64(right)/float64(max(len(got), 1))
	count(t, "SBOM of %s: %d packages, recall %.3f, precision %.3f", what, len(need), recall, precision)
	if recall < .99 || precision < .99 {
		missed := maps.Clone(need)
		maps.DeleteFunc(missed, func(p string, _ bool) bool { return got[p] })
		extra := maps.Clone(got)
		maps.DeleteFunc(extra, func(p string, _ bool) bool { return known[p] })
		t.Errorf("%s: missed %q, made up %q", what, slices.Sorted(maps.Keys(missed)), slices.Sorted(maps.Keys(extra)))
	}
}

// listed is what `bartizan sbom generate` lists of an artifact.
func listed(t *testing.T, kind, artifact string) versions {
	t.Helper()
	var doc struct {
		Components []struct {
			Name    string `json:"name"`
			Version string `json:"version"`
			Purl    string `json:"purl"`
		} `json:"components"`
	}
	if err := json.Unmarshal(tool(t, "", filepath.Join(bin(t), "bartizan"), "sbom", "generate", artifact), &doc); err != nil {
		t.Fatal(err)
	}
	out := versions{}
	for _, c := range doc.Components {
		if strings.HasPrefix(c.Purl, "pkg:"+kind+"/") {
			out[c.Name+" "+c.Version] = true
		}
	}
	return out
}

func tool(t *testing.T, dir, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", filepath.Base(program), args, err, problems.String())
	}
	return out
}

func lines(b []byte) versions {
	out := versions{}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" {
			out[line] = true
		}
	}
	return out
}

func written(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range files {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What uv locks, read by Python's own TOML parser.
const lockedByUV = `
import tomllib
for p in tomllib.load(open("uv.lock", "rb"))["package"]:
    if not {"virtual", "editable"} & set(p["source"]):
        print(p["name"], p["version"])
`

// What is installed in a folder, by Python's own reader of metadata.
const installedIn = `
import importlib.metadata, re, sys
for d in importlib.metadata.distributions(path=[sys.argv[1]]):
    print(re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower(), d.version)
`

func TestSBOMOfPython(t *testing.T) {
	uv := filepath.Join(bin(t), "venv", "bin", "uv")
	for _, server := range []string{"mcp-server-fetch==2025.4.7", "mcp-server-time==2026.10.19"} {
		t.Run(server, func(t *testing.T) {
			name, _, _ := strings.Cut(server, "==")
			dir := written(t, map[string]string{"pyproject.toml": fmt.Sprintf(
				"[project]\nname = \"deployment\"\nversion = \"1.0.0\"\nrequires-python = \">=3.11\"\ndependencies = [%q]\n[dependency-groups]\ndev = [\"pytest>=8\"]\n", server)})
			tool(t, dir, uv, "lock", "--quiet")
			locked := lines(tool(t, dir, python(t), "-c", lockedByUV))
			holdTo(t, name+" (uv.lock)", listed(t, "pypi", dir), locked, locked)

			exported := t.TempDir()
			tool(t, dir, uv, "export", "--quiet", "--all-groups", "--no-emit-project", "--output-file", filepath.Join(exported, "requirements.txt"))
			holdTo(t, name+" (requirements with hashes)", listed(t, "pypi", exported), locked, locked)

			installed := filepath.Join(t.TempDir(), "lib")
			tool(t, dir, uv, "pip", "install", "--quiet", "--python", python(t), "--target", installed, "--requirements", filepath.Join(exported, "requirements.txt"))
			there := lines(tool(t, dir, python(t), "-c", installedIn, installed))
			holdTo(t, name+" (installed)", listed(t, "pypi", installed), there, there)
		})
	}
}

func TestSBOMOfGo(t *testing.T) {
	for _, program := range []string{filepath.Join("fixtures", "everything-server"), "bartizan-gateway"} {
		at := filepath.Join(bin(t), program)
		linked := versions{}
		for line := range strings.Lines(string(tool(t, "", "go", "version", "-m", at))) {
			switch f := strings.Fields(line); {
			case len(f) >= 3 && (f[0] == "dep" || f[0] == "=>"):
				linked[f[1]+" "+f[2]] = true
			case len(f) == 2 && strings.HasPrefix(f[1], "go1"):
				linked["stdlib "+strings.TrimPrefix(f[1], "go")] = true
			}
		}
		holdTo(t, filepath.Base(program)+" (go version -m)", listed(t, "golang", at), linked, linked)
	}
	// A go.mod lists the modules that packages come from; `go list -m all` also
	// those that only other modules' tests know.
	module := strings.TrimSpace(string(tool(t, "", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/modelcontextprotocol/go-sdk")))
	needed := versions{}
	for line := range lines(tool(t, module, "go", "list", "-deps", "-test", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", "./...")) {
		needed[line] = true
	}
	known := lines(tool(t, module, "go", "list", "-m", "-f", "{{if not .Main}}{{.Path}} {{.Version}}{{end}}", "all"))
	holdTo(t, "go-sdk (go.mod, go list)", listed(t, "golang", module), needed, known)
}

func TestSBOMOfCargo(t *testing.T) {
	cargo, err := exec.LookPath("cargo")
	if err != nil {
		t.Skip("no cargo on this machine")
	}
	dir := written(t, map[string]string{
		"Cargo.toml":  "[package]\nname = \"deployment\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[dependencies]\nrmcp = { version = \"0.8\", features = [\"server\", \"transport-io\"] }\n[dev-dependencies]\ntempfile = \"3\"\n",
		"src/main.rs": "fn main() {}\n",
	})
	var meta struct {
		Packages []struct {
			Name    string  `json:"name"`
			Version string  `json:"version"`
			Source  *string `json:"source"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(tool(t, dir, cargo, "metadata", "--quiet", "--all-features", "--format-version", "1"), &meta); err != nil {
		t.Fatal(err)
	}
	want := versions{}
	for _, p := range meta.Packages {
		if p.Source != nil {
			want[p.Name+" "+p.Version] = true
		}
	}
	holdTo(t, "a server with rmcp (Cargo.lock)", listed(t, "cargo", dir), want, want)
}
