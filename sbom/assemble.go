package sbom

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/anchore/packageurl-go"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/sbom/catalogue"
	"github.com/bartizan-mcp/bartizan/sbom/gomod"
	"github.com/bartizan-mcp/bartizan/sbom/npm"
)

// assemble joins what our strict readers know (which packages, hashes, edges,
// scopes) with what syft found (installed packages, licences, packed binaries).
// A component that either of them sees is listed once, by package URL.
func assemble(st *stage, info archive.Info, found *catalogue.Result) *Document {
	g := newGraph(st, info)
	g.chooseRoot()
	for _, dir := range sorted(st.npm) {
		g.addNPM(dir, st.npm[dir])
	}
	for _, dir := range sorted(st.modules) {
		g.addModule(dir, st.modules[dir])
	}
	for _, at := range sorted(st.binaries) {
		g.addBinary(at, st.binaries[at])
	}
	g.addPython()
	g.addCargo()
	g.addImages()
	for _, p := range found.Packages {
		g.addFound(p)
	}
	for _, at := range found.Unread {
		g.gap(st.original(at), "could not be read by the cataloguing library")
	}
	g.addPlanted()
	g.settle()
	g.resolutions = g.resolved()
	return g.document()
}

// graph is a bill of materials in the making.
type graph struct {
	st     *stage
	info   archive.Info
	prefix string // of every path in the artifact

	root      node
	nodes     map[string]*node           // by package URL, the root excluded
	edges     map[string]map[string]bool // by ref
	exact     map[string]bool            // refs whose edges are exactly known
	gaps      map[gap]bool
	installed map[string]int // directory of a lockless project to packages found in node_modules
	extra     map[string]int // directory of a locked project to packages that its lock does not name
	projects  map[string]string
	explained map[string]bool // executables whose modules are known

	members  map[string]string // directories of Python workspaces to refs
	versions map[string]string // of Python packages: spellings of one version to the package URL that is used
	python   pythonCoverage

	rootNotes []note // further properties of the document

	resolutions []Resolution // lockfiles that the publisher's tool made
}

// node is one component.
type node struct {
	kind            string // npm, golang, pypi, ...: the type of its package URL; "" for an unknown root
	name, version   string
	purl            string
	application     bool // first party: a project or executable of the artifact
	scope           scope
	licenses        []catalogue.License
	hashes          map[npm.Hash]bool
	locations       map[string]bool
	goSum, replaces string
	source          string // of an npm package that no registry served
	bundled         bool
	conditional     bool          // by markers, needed on some platforms only
	notes           map[note]bool // further properties
}

// note is a property of a component that its manifest gives it.
type note struct{ name, value string }

// scope in CycloneDX's words; the higher one wins when a package is reached twice.
type scope int

const (
	excluded scope = iota // development only
	optionally
	required
)

func newGraph(st *stage, info archive.Info) *graph {
	return &graph{
		st: st, info: info, prefix: st.prefix(info.Kind),
		nodes: map[string]*node{}, edges: map[string]map[string]bool{}, exact: map[string]bool{},
		gaps: maps.Clone(st.gaps), installed: map[string]int{}, extra: map[string]int{},
		projects: map[string]string{}, explained: map[string]bool{}, versions: map[string]string{}, members: map[string]string{},
	}
}

// base is the directory that counts as the top of the artifact.
func (g *graph) base() string {
	if g.prefix != "" {
		return g.prefix
	}
	return "."
}

// location is a path as the document states it.
func (g *graph) location(at string) string {
	at = valid(at)
	if g.prefix != "" {
		return strings.TrimPrefix(at, g.prefix+"/")
	}
	return at
}

func (g *graph) gap(at, text string) { g.gaps[gap{at, text}] = true }

// chooseRoot decides what the artifact as a whole is called until Enrich says better.
func (g *graph) chooseRoot() {
	g.root = node{name: "artifact", application: true}
	if len(g.st.image.images) > 0 {
		g.root = g.imageRoot()
	}
	switch p, m := g.st.npm[g.base()], g.st.modules[g.base()]; {
	case g.info.Kind == KindZip && g.st.bundles[g.base()] != nil:
		b := g.st.bundles[g.base()]
		g.root.name, g.root.version = b.Name, b.Version
	case p != nil:
		if name, version := p.identity(); name != "" {
			g.root = *npmNode(name, version)
		}
		if p.manifest != nil && p.manifest.License != "" {
			g.root.licenses = append(g.root.licenses, catalogue.License{Value: p.manifest.License})
		}
	case g.pythonRoot() != nil:
		g.root = *pypiNode(g.pythonRoot())
	case g.st.crates[g.base()] != nil && g.st.crates[g.base()].manifest != nil && g.st.crates[g.base()].manifest.Name != "":
		g.root = *crateNode(g.st.crates[g.base()].manifest)
	case m != nil:
		g.root = *goNode(gomod.Module{Path: m.Path})
	case len(g.st.npm)+len(g.st.modules)+len(g.st.py.projects)+len(g.st.crates) == 0 && len(g.st.binaries) == 1:
		for _, b := range g.st.binaries {
			if b != nil && b.Main.Path != "" {
				g.root = *goNode(b.Main)
			}
		}
	}
	g.root.application = true
	g.root.name, g.root.version = valid(g.root.name), valid(g.root.version)
	g.exact[rootRef] = true
}

// identity of a project: its package.json's, else its lockfile's.
func (p *npmProject) identity() (name, version string) {
	if p.manifest != nil && p.manifest.Name != "" {
		return p.manifest.Name, p.manifest.Version
	}
	for _, l := range p.locks {
		if l.Root.Name != "" {
			return l.Root.Name, l.Root.Version
		}
	}
	return "", ""
}

// valid keeps the document UTF-8: executables and file systems hold any bytes.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// add merges a component and returns its ref. The root is never its own part.
func (g *graph) add(n *node, at string) string {
	if n.purl != "" && n.purl == g.root.purl {
		g.root.licenses = append(g.root.licenses, n.licenses...)
		return rootRef
	}
	n.name, n.version, n.purl = valid(n.name), valid(n.version), valid(n.purl)
	have := g.nodes[n.purl]
	if have == nil {
		have = n
		have.locations = map[string]bool{}
		g.nodes[n.purl] = have
	} else {
		have.merge(n)
	}
	if at != "" {
		have.locations[g.location(at)] = true
	}
	return n.purl
}

func (n *node) merge(m *node) {
	n.scope = max(n.scope, m.scope)
	n.application = n.application || m.application
	n.licenses = append(n.licenses, m.licenses...)
	n.bundled = n.bundled && m.bundled
	n.conditional = n.conditional && m.conditional
	for x := range m.notes {
		n.note(x.name, x.value)
	}
	if n.goSum == "" {
		n.goSum = m.goSum
	}
	if n.replaces == "" {
		n.replaces = m.replaces
	}
	if n.source == "" {
		n.source = m.source
	}
	for h := range m.hashes {
		if n.hashes == nil {
			n.hashes = map[npm.Hash]bool{}
		}
		n.hashes[h] = true
	}
}

func (n *node) note(name, value string) {
	if n.notes == nil {
		n.notes = map[note]bool{}
	}
	n.notes[note{name, value}] = true
}

func (g *graph) edge(from, to string) {
	if from == to {
		return
	}
	if g.edges[from] == nil {
		g.edges[from] = map[string]bool{}
	}
	g.edges[from][to] = true
}

// project is the ref of a first-party project: the root, or a component that
// the root depends on. A project without a name is part of the root.
func (g *graph) project(dir string, n *node, at string) string {
	ref := rootRef
	if dir != g.base() && n.name != "" {
		n.application, n.scope = true, required
		ref = g.add(n, at)
		g.edge(rootRef, ref)
	}
	g.projects[dir] = ref
	return ref
}

func npmNode(name, version string) *node {
	n := &node{kind: "npm", name: name, version: version, scope: required}
	if name != "" {
		space, base := "", name
		if strings.HasPrefix(name, "@") {
			if i := strings.IndexByte(name, '/'); i > 0 {
				space, base = name[:i], name[i+1:]
			}
		}
		n.purl = packageurl.NewPackageURL(packageurl.TypeNPM, space, base, version, nil, "").ToString()
	}
	return n
}

func goNode(m gomod.Module) *node {
	dir, base := path.Split(m.Path)
	return &node{
		kind: "golang", name: m.Path, version: m.Version, replaces: m.Replaces, scope: required,
		purl: packageurl.NewPackageURL(packageurl.TypeGolang, strings.TrimSuffix(dir, "/"), base, m.Version, nil, "").ToString(),
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
