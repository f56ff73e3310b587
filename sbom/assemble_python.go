package sbom

import (
	"fmt"
	"path"
	"strings"

	"github.com/anchore/packageurl-go"
	"github.com/github/go-spdx/v2/spdxexp"

	"github.com/bartizan-mcp/bartizan/sbom/catalogue"
	"github.com/bartizan-mcp/bartizan/sbom/npm"
	"github.com/bartizan-mcp/bartizan/sbom/python"
)

// pythonCoverage is which Python packages are known by version, by name: what a
// project asks for without locking it may be installed beside it.
type pythonCoverage struct {
	installed map[string][]string // versions
	pinned    map[string][]string // by requirements files that leave nothing out
}

// addPython lists what Python's manifests name: lockfiles and installed packages
// first, then what requirements files and projects ask for beyond them.
func (g *graph) addPython() {
	g.python = pythonCoverage{map[string][]string{}, map[string][]string{}}
	dirs := sorted(g.st.py.projects)
	for _, dir := range dirs { // upper ones first: a workspace names its members
		g.addPythonProject(dir, g.st.py.projects[dir])
	}
	for _, dir := range dirs {
		for _, name := range sorted(g.st.py.projects[dir].locks) {
			g.addPythonLock(dir, path.Join(dir, name), g.st.py.projects[dir].locks[name])
		}
	}
	g.addInstalledPython()
	g.addRequirements()
	for _, dir := range dirs {
		g.settlePythonProject(dir, g.st.py.projects[dir])
	}
}

// told counts what Python said, so that nothing found is not taken for nothing there.
func (p pythonStage) told() int {
	n := len(p.installed) + len(p.requirements)
	for _, project := range p.projects {
		if project.isProject() {
			n++
		}
	}
	return n
}

// isProject: a pyproject.toml may only hold the settings of tools.
func (p *pythonProject) isProject() bool {
	return p.info != nil || len(p.locks) > 0 || p.legacy != "" || p.manifest != nil && p.manifest.Project
}

// self is what the project says it is: PKG-INFO is what it was built as.
func (p *pythonProject) self() *python.Manifest {
	switch {
	case p.info != nil:
		return p.info
	case p.manifest != nil && p.manifest.Name != "":
		return p.manifest
	}
	for _, name := range sorted(p.locks) {
		for _, l := range p.locks[name].Packages {
			if l.Local && l.Dir == "." && l.Name != "" {
				return &python.Manifest{Project: true, Name: l.Name, Version: l.Version}
			}
		}
	}
	return nil
}

// pythonRoot is the artifact as a whole, when it is a Python project or a wheel.
func (g *graph) pythonRoot() *python.Manifest {
	if dir := g.st.wheel(g.info.Kind); dir != "" {
		return g.st.py.installed[dir].manifest
	}
	if p := g.st.py.projects[g.base()]; p != nil && p.isProject() {
		return p.self()
	}
	return nil
}

func pypiNode(m *python.Manifest) *node {
	n := &node{kind: "pypi", name: m.Name, version: m.Version, scope: required, purl: pypiPurl(m.Name, m.Version, "")}
	for _, l := range m.Licenses {
		n.licenses = append(n.licenses, catalogue.License{Value: l, SPDX: isSPDX(l)})
	}
	return n
}

// isSPDX tells an SPDX expression from a licence's other names.
func isSPDX(s string) bool {
	if len(s) > maxLicense {
		return false
	}
	ok, _ := spdxexp.ValidateLicenses([]string{s})
	return ok
}

// pypiPurl is a package URL by https://github.com/package-url/purl-spec; what
// comes from no index says where from.
func pypiPurl(name, version, source string) string {
	var q packageurl.Qualifiers
	switch {
	case strings.HasPrefix(source, "git+"):
		q = packageurl.QualifiersFromMap(map[string]string{"vcs_url": source})
	case strings.Contains(source, "://"):
		q = packageurl.QualifiersFromMap(map[string]string{"download_url": source})
	}
	return packageurl.NewPackageURL(packageurl.TypePyPi, "", name, version, q, "").ToString()
}

// addPyPI adds a Python package under the spelling of its version that came first.
func (g *graph) addPyPI(n *node, at string) string {
	key := n.name + "@" + python.SameVersion(n.version) + strings.TrimPrefix(n.purl, pypiPurl(n.name, n.version, ""))
	if have := g.versions[key]; have != "" {
		n.purl = have
	} else {
		g.versions[key] = n.purl
	}
	return g.add(n, at)
}

func (g *graph) addPythonProject(dir string, p *pythonProject) {
	if !p.isProject() {
		return
	}
	if ref, ok := g.members[dir]; ok {
		g.projects[dir] = ref
		return
	}
	n := &node{}
	if m := p.self(); m != nil {
		n = pypiNode(m)
	}
	g.besides(dir, n, path.Join(dir, p.manifestName()))
	for name, lock := range p.locks {
		for _, l := range lock.Packages {
			if l.Local && l.Dir != "." {
				member := path.Join(dir, l.Dir)
				g.members[member] = g.addPyPI(lockedPython(l), path.Join(dir, name))
			}
		}
	}
}

// besides is project, told apart from what another language has there.
func (g *graph) besides(dir string, n *node, at string) string {
	if have, ok := g.projects[dir]; ok && dir != g.base() {
		g.edge(have, g.project(dir, n, at))
		return g.projects[dir]
	}
	return g.project(dir, n, at)
}

func (p *pythonProject) manifestName() string {
	switch {
	case p.info != nil:
		return "PKG-INFO"
	case p.manifest != nil:
		return "pyproject.toml"
	case len(p.locks) > 0:
		return sorted(p.locks)[0]
	}
	return p.legacy
}

// addPythonLock lists what a lockfile names.
func (g *graph) addPythonLock(dir, at string, lock *python.Lock) {
	self := g.projects[dir]
	refs := make([]string, len(lock.Packages))
	exact, unresolved, rooted := true, 0, false
	for i, l := range lock.Packages {
		exact = exact && !l.Guessed
		unresolved += len(l.Unresolved)
		switch {
		case l.Local && l.Dir == ".":
			refs[i], rooted = self, true
		case l.Local:
			refs[i] = g.addPyPI(lockedPython(l), at)
			g.edge(self, refs[i])
		default:
			refs[i] = g.addPyPI(lockedPython(l), at)
		}
	}
	edges := false
	for i, l := range lock.Packages {
		for _, to := range l.DependsOn {
			g.edge(refs[i], refs[to])
			edges = true
		}
	}
	if !rooted { // what the project itself asks for is not in the file
		for i := range lock.Packages {
			g.edge(self, refs[i])
		}
	}
	for i := range refs {
		g.exact[refs[i]] = exact && edges && (rooted || refs[i] != self)
	}
	if !rooted || !edges {
		g.exact[self] = false
	}
	if unresolved > 0 {
		g.gap(at, fmt.Sprintf("does not lock %s", count(unresolved, "dependency that is asked for", "dependencies that are asked for")))
	}
}

func lockedPython(l python.Package) *node {
	n := &node{
		kind: "pypi", name: l.Name, version: l.Version, purl: pypiPurl(l.Name, l.Version, l.Source),
		application: l.Local, conditional: l.Conditional, hashes: hashes(l.Hashes),
		scope: map[python.Scope]scope{python.Required: required, python.Optional: optionally, python.Development: excluded}[l.Scope],
	}
	for _, m := range l.Markers {
		n.note(propPyMarker, m)
	}
	if l.Source != "" {
		n.note(propPySource, l.Source)
	}
	return n
}

func hashes(list []python.Hash) map[npm.Hash]bool {
	out := map[npm.Hash]bool{}
	for _, h := range list {
		out[npm.Hash{Algorithm: h.Algorithm, Hex: h.Hex}] = true
	}
	return out
}

// settlePythonProject says what a project asks for that nothing in the artifact
// answers: no lockfile, no requirements with hashes, no installed package.
func (g *graph) settlePythonProject(dir string, p *pythonProject) {
	if !p.isProject() {
		return
	}
	at, m := path.Join(dir, p.manifestName()), p.manifest
	if p.info != nil {
		m = p.info
	}
	locked := len(p.locks) > 0
	if _, member := g.members[dir]; member {
		locked = true
	}
	switch {
	case m == nil && p.legacy != "" && !locked:
		g.gap(path.Join(dir, p.legacy), "is a program that decides when it is run what the project needs; it was not run")
	case m == nil:
	case locked:
		if n := g.unlocked(p.locks, m); n > 0 && len(p.locks) > 0 {
			g.gap(at, fmt.Sprintf("asks for %s that its lockfile does not lock", count(n, "dependency", "dependencies")))
		}
	case m.Dynamic && p.info == nil:
		g.gap(at, "computes its dependencies when it is built and has no lockfile")
	default:
		g.unlockedPython(g.projects[dir], at, m)
	}
}

// unlocked counts what a lockfile should name and none of them does. A marker
// may have ruled a dependency out.
func (g *graph) unlocked(locks map[string]*python.Lock, m *python.Manifest) int {
	n := 0
	for _, r := range m.Dependencies {
		found := r.Marker != ""
		for _, l := range locks {
			for _, p := range l.Named(r.Name) {
				found = found || !ordered(r.Specifier) || python.Satisfies(p.Version, r.Specifier)
			}
		}
		if !found {
			n++
		}
	}
	return n
}

// ordered: a specifier of PEP 440, and not a constraint in Poetry's language.
func ordered(specifier string) bool { return !strings.HasPrefix(specifier, " ") }

// unlockedPython: a project, sdist or wheel without a lockfile.
func (g *graph) unlockedPython(ref, at string, m *python.Manifest) {
	missing := 0
	for _, r := range m.Dependencies {
		if !g.python.covers(r) {
			missing++
		}
	}
	installed := len(g.python.installed)
	var text string
	switch {
	case missing > 0:
		text = fmt.Sprintf("asks for %s and has no lockfile", count(missing, "dependency", "dependencies"))
	case len(m.Dependencies) == 0 && installed == 0:
		text = "has no lockfile; code copied into the package cannot be told apart"
	default:
		return
	}
	if installed > 0 {
		text += fmt.Sprintf("; listed are the %s found installed", count(installed, "package", "packages"))
	}
	g.exact[ref] = false
	g.gap(at, text)
}

func (c pythonCoverage) covers(r python.Requirement) bool {
	for _, v := range append(c.installed[r.Name], c.pinned[r.Name]...) {
		if !ordered(r.Specifier) || r.URL != "" || python.Satisfies(v, r.Specifier) {
			return true
		}
	}
	return false
}
