package sbom

import (
	"fmt"
	"path"
	"strings"

	"github.com/anchore/packageurl-go"

	"github.com/bartizan-mcp/bartizan/sbom/cargo"
	"github.com/bartizan-mcp/bartizan/sbom/catalogue"
	"github.com/bartizan-mcp/bartizan/sbom/npm"
)

// The two forms in which a lockfile names the index that packages come from when
// nothing else is said.
const (
	gitIndex    = "registry+https://github.com/rust-lang/" + rustRegistry + "-index"
	sparseIndex = "sparse+https://index." + rustRegistry + "/"

	rustRegistry = "crates" + ".io" // as the Rust project calls it
)

func (g *graph) addCargo() {
	for _, dir := range sorted(g.st.crates) {
		p := g.st.crates[dir]
		switch {
		case p.lock != nil:
			g.addCargoLock(dir, p)
		case p.manifest == nil || g.cargoCovered(dir):
		default:
			g.addLocklessCargo(dir, p)
		}
	}
}

func crateNode(m *cargo.Manifest) *node {
	n := &node{kind: "cargo", name: m.Name, version: m.Version, scope: required, purl: cratePurl(m.Name, m.Version, "")}
	if m.License != "" {
		n.licenses = []catalogue.License{{Value: m.License, SPDX: isSPDX(m.License)}}
	}
	return n
}

// cratePurl is a package URL; what comes from elsewhere than the default index says where from.
func cratePurl(name, version, source string) string {
	q := map[string]string{}
	if source == gitIndex || source == sparseIndex {
		source = ""
	}
	switch kind, url, _ := strings.Cut(source, "+"); kind {
	case "git":
		q["vcs_url"] = source
	case "registry", "sparse":
		q["repository_url"] = url
	}
	return packageurl.NewPackageURL("cargo", "", name, version, packageurl.QualifiersFromMap(q), "").ToString()
}

// cargoManifests are those of a lockfile's own packages, by name: its folder's
// and the ones below it.
func (g *graph) cargoManifests(dir string) map[string]*cargo.Manifest {
	out := map[string]*cargo.Manifest{}
	for at, p := range g.st.crates {
		if p.manifest != nil && p.manifest.Name != "" && (at == dir || dir == "." || strings.HasPrefix(at, dir+"/")) {
			if have := out[p.manifest.Name]; have == nil || at == dir {
				out[p.manifest.Name] = p.manifest
			}
		}
	}
	return out
}

// cargoCovered: a workspace above has a lockfile, or Cargo put the folder there.
func (g *graph) cargoCovered(dir string) bool {
	for dir != "." {
		dir = path.Dir(dir)
		if p := g.st.crates[dir]; p != nil && p.lock != nil {
			return true
		}
	}
	return false
}

func (g *graph) addCargoLock(dir string, p *cargoProject) {
	at := path.Join(dir, "Cargo.lock")
	manifests := g.cargoManifests(dir)
	self := &node{}
	if p.manifest != nil && p.manifest.Name != "" {
		self = crateNode(p.manifest)
		for _, l := range p.lock.Packages { // the version may stand in the workspace
			if l.Local() && l.Name == self.name {
				self.version, self.purl = l.Version, cratePurl(l.Name, l.Version, "")
			}
		}
	}
	own := g.besides(dir, self, path.Join(dir, "Cargo.toml"))
	kinds := p.lock.Kinds(manifests)
	refs := make([]string, len(p.lock.Packages))
	unresolved := 0
	for i, l := range p.lock.Packages {
		unresolved += len(l.Unresolved)
		if l.Local() && l.Name == self.name {
			refs[i] = own
		} else {
			refs[i] = g.add(lockedCrate(l, kinds[i], manifests[l.Name]), at)
		}
		g.exact[refs[i]] = true
		if l.Local() {
			g.edge(own, refs[i])
		}
	}
	for i, l := range p.lock.Packages {
		for _, to := range l.DependsOn {
			g.edge(refs[i], refs[to])
		}
	}
	for _, m := range manifests { // stale: asked for, and nowhere in the file
		for name := range m.Dependencies {
			found := false
			for _, l := range p.lock.Packages {
				found = found || l.Name == name
			}
			if !found && g.memberOf(p.lock, m) {
				unresolved++
			}
		}
	}
	if unresolved > 0 {
		g.gap(at, fmt.Sprintf("does not lock %s", count(unresolved, "dependency that is asked for", "dependencies that are asked for")))
	}
}

// memberOf: the lockfile names the manifest's package as its own.
func (g *graph) memberOf(l *cargo.Lock, m *cargo.Manifest) bool {
	for _, p := range l.Packages {
		if p.Local() && p.Name == m.Name {
			return true
		}
	}
	return false
}

func lockedCrate(l cargo.Package, kind cargo.Kind, m *cargo.Manifest) *node {
	n := &node{
		kind: "cargo", name: l.Name, version: l.Version, purl: cratePurl(l.Name, l.Version, l.Source), application: l.Local(),
		scope: map[cargo.Kind]scope{cargo.Required: required, cargo.Optional: optionally, cargo.Development: excluded}[kind],
	}
	if l.SHA256 != "" {
		n.hashes = map[npm.Hash]bool{{Algorithm: "sha256", Hex: l.SHA256}: true}
	}
	if m != nil && l.Local() && m.License != "" {
		n.licenses = []catalogue.License{{Value: m.License, SPDX: isSPDX(m.License)}}
	}
	if strings.HasPrefix(l.Source, "git+") {
		n.note(propCrateSource, l.Source)
	}
	return n
}

func (g *graph) addLocklessCargo(dir string, p *cargoProject) {
	if p.manifest.Name == "" && len(p.manifest.Dependencies) == 0 && !p.manifest.Workspace {
		return
	}
	n := &node{}
	if p.manifest.Name != "" {
		n = crateNode(p.manifest)
	}
	at := path.Join(dir, "Cargo.toml")
	g.exact[g.besides(dir, n, at)] = false
	text := "has no lockfile"
	if n := len(p.manifest.Dependencies); n > 0 {
		text = fmt.Sprintf("asks for %s and has no lockfile", count(n, "dependency", "dependencies"))
	}
	g.gap(at, text)
}
