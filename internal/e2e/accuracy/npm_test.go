//go:build e2e

package accuracy

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"
)

// npmServers are asked for as their users do: as the one dependency of a folder.
// All are resolved by npm; for the table all are installed too, which takes most
// of the time, else one large tree and one that is not the same on every system.
var npmServers = []server{
	npmServer("@modelcontextprotocol/server-everything", "2026.8.31", true),
	npmServer("@modelcontextprotocol/server-filesystem", "2026.8.31", false),
	npmServer("@upstash/context7-mcp", "4.1.1", false),
	npmServer("@playwright/mcp", "0.0.83", true),
	npmServer("tavily-mcp", "0.2.22", false),
}

func npmServer(name, version string, always bool) server {
	install := func() bool { return always || *update }
	return server{
		name: name, version: version,
		prepare: func(t *testing.T, s server, dir string) { prepareNPM(t, s, dir, install()) },
		truth:   func(t *testing.T, dir string) truth { return npmLs(t, dir, install()) },
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

// prepareNPM writes a folder that asks for the server, without a lockfile, and
// the same folder resolved, or installed as well, by npm.
func prepareNPM(t *testing.T, s server, dir string, install bool) {
	manifest := fmt.Sprintf(`{"name":"deployment","version":"1.0.0","dependencies":{%q:%q}}`, s.name, s.version)
	for _, folder := range []string{"artifact", "installed"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, folder, "package.json"), []byte(manifest), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	command(t, filepath.Join(dir, "installed"), "npm", "install", fmt.Sprintf("--package-lock-only=%t", !install), "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--silent")
}

// npmLs is what npm says: of node_modules, and of the tree that it resolved.
// Where nothing is installed, all of the tree has to be found.
func npmLs(t *testing.T, dir string, installed bool) truth {
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
	all := truth{resolved: list("--package-lock-only")}
	all.installed = all.resolved
	if installed {
		all.installed = list()
	}
	return all
}
