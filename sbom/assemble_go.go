package sbom

import (
	"path"

	"github.com/bartizan-mcp/bartizan/sbom/gomod"
)

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
