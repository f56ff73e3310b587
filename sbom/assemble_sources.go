package sbom

import (
	"fmt"
	"path"
	"strings"

	"github.com/bartizan-mcp/bartizan/sbom/catalogue"
	"github.com/bartizan-mcp/bartizan/sbom/gomod"
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

// addModule lists the requirements of a go.mod. Which module needs which is
// not in the file, beyond what the main module itself requires.
func (g *graph) addModule(dir string, f *gomod.File) {
	at := path.Join(dir, "go.mod")
	self := g.project(dir, goNode(gomod.Module{Path: f.Path}), at)
	for _, m := range f.Modules {
		ref := g.add(goNode(m), at)
		if m.Direct {
			g.edge(self, ref)
		}
	}
	if !f.Pruned {
		g.gap(at, "is of go 1.16 or earlier and does not list indirect modules")
	}
}

// addBinary lists the modules linked into an executable. The linker records
// which modules, not which of them needs which: the edges are flat.
func (g *graph) addBinary(at string, b *gomod.Binary) {
	if b == nil {
		return // settled after syft had its look
	}
	g.explained[at] = true
	main := goNode(b.Main)
	main.application = true
	self := g.add(main, at)
	g.edge(rootRef, self)
	g.exact[self] = false
	for _, m := range b.Modules {
		g.edge(self, g.add(goNode(m), at))
	}
	if b.GoVersion != "" {
		g.edge(self, g.add(goNode(gomod.Module{Path: "stdlib", Version: b.GoVersion}), at))
	}
}

// addFound merges one package that syft found.
func (g *graph) addFound(p catalogue.Package) {
	n := &node{name: p.Name, version: p.Version, purl: p.Purl, licenses: p.Licenses, goSum: p.GoSum, scope: required}
	n.kind, _, _ = strings.Cut(strings.TrimPrefix(p.Purl, "pkg:"), "/")
	for _, at := range p.Locations {
		at = g.st.original(at)
		switch base := path.Base(at); {
		case base == "package-lock.json":
			g.foundLocked(n, at)
		case base == "package.json" && inDependencies(path.Dir(at)):
			g.foundInstalled(n, at)
		case base == "go.mod":
			g.annotate(n) // our reader applies replacements and exclusions as go does
		case p.Binary:
			g.foundLinked(n, p.Main, at)
		}
	}
}

// annotate adds licences and sums to a component that is already listed.
func (g *graph) annotate(n *node) bool {
	if n.purl == g.root.purl && n.purl != "" {
		g.add(n, "")
		return true
	}
	have := g.nodes[n.purl]
	if have == nil {
		return false
	}
	have.licenses = append(have.licenses, n.licenses...)
	if have.goSum == "" {
		have.goSum = n.goSum
	}
	return true
}

// foundLocked: our reader lists every locked package. What syft sees besides are
// links to workspaces, which carry no version, and the project itself.
func (g *graph) foundLocked(n *node, at string) {
	if g.annotate(n) {
		return
	}
	dir := path.Dir(at)
	p := g.st.npm[dir]
	name, _ := p.identity()
	if n.version == "" || n.name == name || n.name == p.lock.Root.Name {
		return
	}
	g.add(n, path.Join(dir, p.lockName))
	g.gap(path.Join(dir, p.lockName), "is read differently by two readers")
}

// foundInstalled: a package.json below node_modules.
func (g *graph) foundInstalled(n *node, at string) {
	if n.name == "" || n.version == "" {
		g.gap(at, "does not say which package it is")
		return
	}
	_, locked := g.nodes[n.purl]
	dir, owner := g.owner(at)
	ref := g.add(n, at)
	switch {
	case owner == nil:
		g.installed["."]++
	case owner.lock == nil:
		g.installed[dir]++
	case !locked && ref != rootRef:
		g.extra[dir]++
	}
}

// foundLinked: a module of an executable. When ours could not read it, syft's
// reading (of packed executables) is all there is.
func (g *graph) foundLinked(n *node, main bool, at string) {
	if g.st.binaries[at] != nil {
		g.annotate(n)
		return
	}
	g.explained[at] = true
	n.application = main
	ref := g.add(n, at)
	g.edge(rootRef, ref)
	g.exact[rootRef] = false
}

// settle writes the reasons that need the whole picture.
func (g *graph) settle() {
	for dir, p := range g.st.npm {
		if _, listed := g.projects[dir]; p.lock != nil || !listed {
			continue
		}
		text := "has no lockfile; code bundled into the package cannot be told apart"
		if n := p.asked(); n > 0 {
			text = fmt.Sprintf("asks for %s and has no lockfile", count(n, "dependency", "dependencies"))
		}
		if n := g.installed[dir]; n > 0 {
			text += fmt.Sprintf("; listed are the %s found in node_modules", count(n, "package", "packages"))
		}
		g.gap(path.Join(dir, "package.json"), text)
	}
	for dir, n := range g.extra {
		g.gap(path.Join(dir, g.st.npm[dir].lockName), fmt.Sprintf("does not name %s found in node_modules", count(n, "package", "packages")))
	}
	for at := range g.st.binaries {
		if !g.explained[at] {
			g.gap(at, "is an executable that does not say what it was built from")
		}
	}
	if len(g.st.npm)+len(g.st.modules)+len(g.st.binaries) == 0 {
		g.gap("", "no manifest, lockfile or executable was found that says what the artifact is made of")
	}
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
