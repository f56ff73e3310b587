package sbom

import (
	"path"
	"strings"

	"github.com/bartizan-mcp/bartizan/sbom/catalogue"
)

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
	l := p.locks[0] // npm's own come first, and one of them is what syft read
	if n.version == "" || n.name == name || n.name == l.Root.Name {
		return
	}
	g.add(n, path.Join(dir, l.name))
	g.gap(path.Join(dir, l.name), "is read differently by two readers")
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
	case len(owner.locks) == 0:
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
