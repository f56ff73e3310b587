package sbom

import (
	"path"

	"github.com/bartizan-mcp/bartizan/sbom/python"
)

// addInstalledPython lists what METADATA and PKG-INFO files name. The package of
// a wheel is the artifact itself.
func (g *graph) addInstalledPython() {
	wheel := g.st.wheel(g.info.Kind)
	bySite := map[string]map[string]string{} // site to name to ref
	refs := map[string]string{}
	for _, dir := range sorted(g.st.py.installed) {
		d := g.st.py.installed[dir]
		if d.manifest == nil {
			g.gap(dir, "does not say which package it is")
			continue
		}
		at := d.at
		ref := rootRef
		if dir != wheel {
			ref = g.addPyPI(pypiNode(d.manifest), at)
			g.python.installed[d.manifest.Name] = append(g.python.installed[d.manifest.Name], d.manifest.Version)
		}
		refs[dir] = ref
		site := path.Dir(dir)
		if bySite[site] == nil {
			bySite[site] = map[string]string{}
		}
		bySite[site][d.manifest.Name] = ref
		g.explain(site, d.record)
	}
	for _, dir := range sorted(refs) {
		g.installedEdges(dir, refs[dir], bySite[path.Dir(dir)])
	}
	if wheel != "" {
		g.unlockedPython(rootRef, g.st.py.installed[wheel].at, g.st.py.installed[wheel].manifest)
	}
}

// installedEdges follow requirements to what is installed beside. Whether an
// extra was asked for is not recorded; such edges are left open.
func (g *graph) installedEdges(dir, ref string, beside map[string]string) {
	m := g.st.py.installed[dir].manifest
	if _, stated := g.exact[ref]; !stated {
		g.exact[ref] = true
	}
	for _, r := range m.Dependencies {
		if to := beside[r.Name]; to != "" {
			g.edge(ref, to)
		} else if r.Marker == "" && dir != g.st.wheel(g.info.Kind) && !g.python.covers(r) {
			g.gap(g.st.py.installed[dir].at, "asks for "+r.Name+", which is not installed beside it")
		}
	}
	for _, list := range m.Extras {
		for _, r := range list {
			if beside[r.Name] != "" {
				g.exact[ref] = false
			}
		}
	}
}

// explain: executables that a RECORD names belong to a listed package.
func (g *graph) explain(site string, record []python.File) {
	for _, f := range record {
		if at := path.Join(site, f.Path); g.st.isBinary(at) || g.st.image.strays[at] {
			g.explained[at] = true
		}
	}
}

func (s *stage) isBinary(at string) bool { _, ok := s.binaries[at]; return ok }
