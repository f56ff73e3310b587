//go:build e2e

package accuracy

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"
)

// npmServers are installed as their users do: as the one dependency of a folder.
var npmServers = []server{
	npmServer("@modelcontextprotocol/server-everything", "2026.8.31"),
	npmServer("@modelcontextprotocol/server-filesystem", "2026.8.31"),
	npmServer("@upstash/context7-mcp", "4.1.1"),
	npmServer("@playwright/mcp", "0.0.83"),
	npmServer("tavily-mcp", "0.2.22"),
}

func npmServer(name, version string) server {
	return server{
		name: name, version: version, prepare: installNPM, truth: npmLs,
		ours: func(t *testing.T, dir string) packages {
			return bartizan(t, "--resolve", filepath.Join(dir, "artifact"))
		},
		others: []tool{
			{"syft, as published", func(t *testing.T, dir string) packages { return plainSyft(t, filepath.Join(dir, "artifact")) }},
			{"syft, installed", func(t *testing.T, dir string) packages { return plainSyft(t, filepath.Join(dir, "installed")) }},
			{"npm sbom", func(t *testing.T, dir string) packages {
				return cycloneDX(t, command(t, filepath.Join(dir, "installed"), "npm", "sbom", "--sbom-format=cyclonedx"))
			}},
			{"cyclonedx-npm", func(t *testing.T, dir string) packages {
				program, err := filepath.Abs("node_modules/@cyclonedx/cyclonedx-npm/bin/cyclonedx-npm-cli.js")
				if err != nil {
					t.Fatal(err)
				}
				return cycloneDX(t, command(t, filepath.Join(dir, "installed"), "node", program, "--ignore-npm-errors", "--output-format=JSON"))
			}},
		},
	}
}

// installNPM writes a folder that asks for the server, without a lockfile, and
// the same folder installed by npm.
func installNPM(t *testing.T, s server, dir string) {
	manifest := fmt.Sprintf(`{"name":"deployment","version":"1.0.0","dependencies":{%q:%q}}`, s.name, s.version)
	for _, folder := range []string{"artifact", "installed"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, folder, "package.json"), []byte(manifest), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	installers.Lock()
	defer installers.Unlock()
	command(t, filepath.Join(dir, "installed"), "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--silent")
}

// npmLs is what npm says: of node_modules, and of the tree that it resolved.
func npmLs(t *testing.T, dir string) truth {
	list := func(args ...string) packages {
		type node struct {
			Version      string          `json:"version"`
			Dependencies map[string]node `json:"dependencies"`
		}
		var root node
		if err := json.Unmarshal(command(t, filepath.Join(dir, "installed"), "npm", append([]string{"ls", "--all", "--json"}, args...)...), &root); err != nil {
			t.Fatal(err)
		}
		out := packages{}
		var walk func(node)
		walk = func(n node) {
			for name, d := range n.Dependencies {
				if d.Version != "" { // without one: not installed on this platform
					out[name+"@"+d.Version] = true
				}
				walk(d)
			}
		}
		walk(root)
		return out
	}
	return truth{installed: list(), resolved: list("--package-lock-only")}
}
