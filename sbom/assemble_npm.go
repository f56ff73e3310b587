package sbom

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/sbom/npm"
)

// addNPM lists what the lockfiles of a project name, with their exact edges.
// More than one may be there; none of them can hide a package from the others.
func (g *graph) addNPM(dir string, p *npmProject) {
	name, version := p.identity()
	at := path.Join(dir, "package.json")
	if len(p.locks) == 0 {
		g.addLockless(dir, p, at)
		return
	}
	if !p.hasPackageJSON {
		at = path.Join(dir, p.locks[0].name)
	}
	self := g.project(dir, npmNode(name, version), at)
	g.exact[self] = true
	for _, l := range p.locks {
		g.addLock(dir, self, p, l)
	}
	g.compareLocks(dir, p.locks)
}

func (g *graph) addLock(dir, self string, p *npmProject, l npmLock) {
	lockAt := path.Join(dir, l.name)
	var missing []string
	if p.manifest != nil && l.Version != 0 {
		missing = l.Adopt(p.manifest)
	} else if l.Version == 1 {
		g.exact[self] = false // version 1 leaves the direct dependencies to package.json
	}
	refs := make([]string, len(l.Packages))
	unresolved := len(l.Root.Unresolved) + len(missing)
	for i, locked := range l.Packages {
		refs[i] = g.locked(dir, self, locked, lockAt)
		g.exact[refs[i]] = true
		if !locked.Optional { // an optional package may stay uninstalled, and its own needs with it
			unresolved += len(locked.Unresolved)
		}
	}
	for i, locked := range l.Packages {
		for _, to := range locked.DependsOn {
			g.edge(refs[i], refs[to])
		}
		if locked.Local {
			g.edge(self, refs[i])
		}
	}
	for _, to := range l.Root.DependsOn {
		g.edge(self, refs[to])
	}
	if unresolved > 0 {
		g.gap(lockAt, fmt.Sprintf("does not lock %s", count(unresolved, "dependency that is asked for", "dependencies that are asked for")))
	}
	g.compareManifests(dir, l, missing)
}

// locked lists one package. A workspace is called what its own package.json
// says; one that nothing names is part of the project.
func (g *graph) locked(dir, self string, l npm.Package, at string) string {
	if l.Local {
		if p := g.st.npm[path.Join(dir, l.Path)]; p != nil && p.manifest != nil && p.manifest.Name != "" {
			l.Name, l.Version = p.manifest.Name, p.manifest.Version
		}
		if l.Name == "" {
			return self
		}
	}
	return g.add(lockedNode(l), at)
}

func lockedNode(l npm.Package) *node {
	n := npmNode(l.Name, l.Version)
	n.application, n.bundled, n.source = l.Local, l.Bundled, l.Source
	switch {
	case l.Development:
		n.scope = excluded
	case l.Optional:
		n.scope = optionally
	}
	n.hashes = map[npm.Hash]bool{}
	for _, h := range l.Hashes {
		n.hashes[h] = true
	}
	return n
}

// addLockless: what package.json asks for is not known until it is resolved,
// and bundled code is not visible at all.
func (g *graph) addLockless(dir string, p *npmProject, at string) {
	if dir != g.base() && (g.coveredByLock(dir) || p.asked() == 0) {
		return // part of the project above it, or no project at all
	}
	name, version := p.identity()
	self := g.project(dir, npmNode(name, version), at)
	g.exact[self] = false
}

// asked counts what installing the package would bring with it.
func (p *npmProject) asked() int {
	if p.manifest == nil {
		return 0
	}
	return len(p.manifest.Dependencies)
}

// coveredByLock: a lockfile above dir names it as one of its projects.
func (g *graph) coveredByLock(dir string) bool {
	for above := dir; above != "."; {
		above = path.Dir(above)
		p := g.st.npm[above]
		if p == nil {
			continue
		}
		within := strings.TrimPrefix(strings.TrimPrefix(dir, above), "/")
		for _, l := range p.locks {
			if slices.ContainsFunc(l.Packages, func(m npm.Package) bool { return m.Local && m.Path == within }) {
				return true
			}
		}
	}
	return false
}

// owner is the nearest npm project above a path.
func (g *graph) owner(at string) (string, *npmProject) {
	for dir := path.Dir(at); ; dir = path.Dir(dir) {
		if p := g.st.npm[dir]; p != nil && !inDependencies(dir) {
			return dir, p
		}
		if dir == "." {
			return "", nil
		}
	}
}
