package sbom

import (
	"fmt"
	"path"
)

// settle writes the reasons that need the whole picture.
func (g *graph) settle() {
	for dir, p := range g.st.npm {
		if _, listed := g.projects[dir]; len(p.locks) > 0 || !listed || !p.hasPackageJSON || g.ofDistribution(dir, "package.json") {
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
		g.gap(path.Join(dir, g.st.npm[dir].locks[0].name), fmt.Sprintf("does not name %s found in node_modules", count(n, "package", "packages")))
	}
	for at := range g.st.binaries {
		if !g.explained[at] {
			g.gap(at, "is an executable that does not say what it was built from")
		}
	}
	g.settleImages()
	if b := g.st.bundle; b != nil && g.info.Kind == KindZip {
		g.rootNotes = append(g.rootNotes, note{propBundleType, b.ServerType})
		if b.EntryPoint != "" {
			g.rootNotes = append(g.rootNotes, note{propBundleEntry, b.EntryPoint})
			if !g.st.files[b.EntryPoint] {
				g.gap("manifest.json", "starts "+shown(b.EntryPoint)+", which is not in the bundle")
			}
		}
	}
	if len(g.nodes)+len(g.st.npm)+len(g.st.modules)+len(g.st.binaries)+len(g.st.crates)+g.st.py.told() == 0 {
		g.gap("", "no manifest, lockfile or executable was found that says what the artifact is made of")
	}
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
