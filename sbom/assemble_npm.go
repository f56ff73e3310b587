package sbom

import (
	"fmt"
	"path"

	"github.com/bartizan-mcp/bartizan/sbom/npm"
)

// addNPM lists what a lockfile names, with its exact edges.
func (g *graph) addNPM(dir string, p *npmProject) {
	name, version := p.identity()
	at := path.Join(dir, "package.json")
	if p.lock == nil {
		g.addLockless(dir, p, at)
		return
	}
	lockAt := path.Join(dir, p.lockName)
	if !p.hasPackageJSON {
		at = lockAt
	}
	self := g.project(dir, npmNode(name, version), at)
	refs := make([]string, len(p.lock.Packages))
	unresolved := len(p.lock.Root.Unresolved)
	for i, l := range p.lock.Packages {
		refs[i] = g.add(lockedNode(l), lockAt)
		g.exact[refs[i]] = true
		if !l.Optional { // an optional package may stay uninstalled, and its own needs with it
			unresolved += len(l.Unresolved)
		}
	}
	for i, l := range p.lock.Packages {
		for _, to := range l.DependsOn {
			g.edge(refs[i], refs[to])
		}
		if l.Local {
			g.edge(self, refs[i])
		}
	}
	for _, to := range p.lock.Root.DependsOn {
		g.edge(self, refs[to])
	}
	g.exact[self] = true
	if p.manifest != nil {
		found, missing := p.lock.Direct(p.manifest.Dependencies)
		for _, to := range found {
			g.edge(self, refs[to])
		}
		development, _ := p.lock.Direct(p.manifest.Development)
		for _, to := range development {
			g.edge(self, refs[to])
		}
		unresolved += len(missing)
	} else if p.lock.Version == 1 {
		g.exact[self] = false // version 1 leaves the direct dependencies to package.json
	}
	if unresolved > 0 {
		g.gap(lockAt, fmt.Sprintf("does not lock %s", count(unresolved, "dependency that is asked for", "dependencies that are asked for")))
	}
}

func lockedNode(l npm.Package) *node {
	n := npmNode(l.Name, l.Version)
	n.application, n.bundled = l.Local, l.Bundled
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

// coveredByLock: an npm project above dir has a lockfile.
func (g *graph) coveredByLock(dir string) bool {
	for dir != "." {
		dir = path.Dir(dir)
		if p := g.st.npm[dir]; p != nil && p.lock != nil {
			return true
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
