package resolve

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/sbom/lockyaml"
	"github.com/bartizan-mcp/bartizan/sbom/npm"
)

// npmFamily are the projects of npm, pnpm and yarn.
type npmFamily struct{}

var npmLockfiles = []string{"npm-shrinkwrap.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"}

// projects: a package.json that asks for something, at the top of the artifact
// or in a folder that belongs to no project above it.
func (npmFamily) projects(a *artifact) []string {
	var out []string
	for _, dir := range a.folders("package.json") {
		m, err := npm.ParseManifest(a.files[path.Join(dir, "package.json")])
		switch {
		case a.has(dir, npmLockfiles...):
		case err == nil && len(m.Specifiers) == 0 && len(m.Workspaces) == 0 && !a.has(dir, "pnpm-workspace.yaml"):
		case slices.ContainsFunc(out, func(above string) bool { return inside(dir, above) && a.member(above, dir) }):
		case lockedAbove(a, dir):
		default:
			out = append(out, dir)
		}
	}
	return out
}

func lockedAbove(a *artifact, dir string) bool {
	return slices.ContainsFunc(a.folders("package.json"), func(above string) bool {
		return inside(dir, above) && a.has(above, npmLockfiles...) && a.member(above, dir)
	})
}

// member: a project names a folder as one of its workspaces.
func (a *artifact) member(above, dir string) bool {
	m, err := npm.ParseManifest(a.files[path.Join(above, "package.json")])
	if err != nil {
		return false
	}
	patterns := m.Workspaces
	if doc, err := lockyaml.Parse(a.files[path.Join(above, "pnpm-workspace.yaml")]); err == nil {
		patterns = append(patterns, doc.Get("packages").List()...)
	}
	if above != "." {
		dir = strings.TrimPrefix(dir, above+"/")
	}
	return npm.Member(patterns, dir)
}

// client is one program that resolves projects of the family.
type client struct {
	name, lockfile string
	limit          int64
	lock           func(ctx context.Context, t *tool, version, dir string) error
}

func (npmFamily) lock(ctx context.Context, a *artifact, dir, scratch string) (lockfile, error) {
	within := filepath.Join(scratch, "copy")
	if err := copyManifests(a, dir, within); err != nil {
		return lockfile{}, err
	}
	c := clientOf(a, dir)
	t, err := find(c.name, scratch, "node")
	if err != nil && c.name != npmClient.name { // npm reads the same manifests
		a.notes = append(a.notes, c.name+" is not installed; npm resolved in its place")
		c = npmClient
		t, err = find(c.name, scratch, "node")
	}
	if err != nil {
		return lockfile{}, err
	}
	// Corepack would otherwise run what a project names, from where it says.
	t.env = []string{"COREPACK_ENABLE_PROJECT_SPEC=0", "COREPACK_ENABLE_STRICT=0", "COREPACK_ENABLE_DOWNLOAD_PROMPT=0"}
	version, err := t.version(ctx, within)
	if err != nil {
		return lockfile{}, err
	}
	if err := c.lock(ctx, t, version, within); err != nil {
		return lockfile{}, err
	}
	body, err := made(within, c.lockfile, c.limit)
	return lockfile{c.lockfile, c.name, version, body}, err
}

// clientOf is the client that a project is written for.
func clientOf(a *artifact, dir string) client {
	named := packageManager(a.files[path.Join(dir, "package.json")])
	switch {
	case named == "pnpm" || named == "" && a.has(dir, "pnpm-workspace.yaml"):
		return pnpmClient
	case named == "yarn":
		return yarnClient
	}
	return npmClient
}

// npmClient: the options of a command line stand above those of any file. None
// of npm's versions runs anything for a lockfile alone except to prepare what
// comes from git, which is refused twice, and impossible without git.
var npmClient = client{"npm", "package-lock.json", npm.MaxLockBytes, func(ctx context.Context, t *tool, _, dir string) error {
	_, err := t.run(ctx, dir, "install", "--package-lock-only", "--ignore-scripts", "--prefix="+dir, "--package-lock=true", "--lockfile-version=3",
		"--allow-git=none", "--allow-remote=none", "--allow-file=none", "--git="+filepath.Join(t.bin, "none"), "--no-audit", "--no-fund", "--no-update-notifier",
		"--omit-lockfile-registry-resolved=false", "--loglevel=error")
	return err
}}

// copyManifests writes what a client may see of a project: its package.json,
// those of its workspaces and of the folders that they ask for, each reduced.
func copyManifests(a *artifact, dir, within string) error {
	manifests := map[string]bool{}
	var queue []string
	for _, at := range a.folders("package.json") {
		if at != dir && !inside(at, dir) {
			continue
		}
		manifests[relative(at, dir)] = true
		if at == dir || a.member(dir, at) {
			queue = append(queue, relative(at, dir))
		}
	}
	written := map[string]bool{}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if written[at] {
			continue
		}
		written[at] = true
		reduced, folders, err := reduce(a.files[path.Join(dir, at, "package.json")], at, manifests)
		if err != nil {
			return fmt.Errorf("%s: %w", path.Join(at, "package.json"), err)
		}
		queue = append(queue, folders...)
		if err := put(within, path.Join(at, "package.json"), reduced); err != nil {
			return err
		}
	}
	if b, ok := a.files[path.Join(dir, "pnpm-workspace.yaml")]; ok {
		reduced, err := reduceWorkspace(b)
		if err != nil {
			return fmt.Errorf("pnpm-workspace.yaml: %w", err)
		}
		return put(within, "pnpm-workspace.yaml", reduced)
	}
	return nil
}

func relative(at, dir string) string {
	if dir == "." {
		return at
	}
	if at == dir {
		return "."
	}
	return strings.TrimPrefix(at, dir+"/")
}

func put(dir, name string, body []byte) error {
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, body, 0o600)
}
