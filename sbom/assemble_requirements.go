package sbom

import (
	"fmt"
	"path"
	"strings"

	"github.com/bartizan-mcp/bartizan/sbom/python"
)

// maxNamed is how many open requirements of one file are named one by one.
const maxNamed = 20

// addRequirements lists what requirements files pin. Files that another one
// includes are listed on their own too: each is what its name says.
func (g *graph) addRequirements() {
	constraints := map[string]bool{} // files that others use as constraints
	for _, at := range sorted(g.st.py.requirements) {
		for _, inc := range g.st.py.requirements[at].Includes {
			if inc.Constraints {
				constraints[path.Join(path.Dir(at), inc.Path)] = true
			}
		}
	}
	for _, at := range sorted(g.st.py.requirements) {
		f := g.st.py.requirements[at]
		if constraints[at] || strings.Contains(strings.ToLower(path.Base(at)), "constraints") {
			continue // it says which version, not that there is any
		}
		g.addRequirementsFile(at, f)
	}
}

func (g *graph) addRequirementsFile(at string, f *python.Requirements) {
	limits := map[string]python.RequirementLine{}
	g.include(at, at, f, limits, map[string]bool{})
	dir, owner := g.pythonOwner(path.Dir(at))
	scope := required
	if python.ForDevelopment(g.location(at)) {
		scope = excluded
	}
	g.exact[owner] = false // whether the project or a package asks for a line is not said
	var open []string
	unhashed := 0
	for _, line := range f.Lines {
		if line.Version == "" {
			if c, ok := limits[line.Name]; ok {
				line.Version, line.Hashes, line.Hashed = c.Version, append(line.Hashes, c.Hashes...), line.Hashed || c.Hashed
			}
		}
		if line.Version == "" && (line.URL == "" || !line.Hashed) {
			if !g.lockedBeside(dir, line.Requirement) && !g.python.covers(line.Requirement) {
				open = append(open, line.Requirement.String())
			}
			if line.URL == "" {
				continue
			}
		}
		n := &node{
			kind: "pypi", name: line.Name, version: line.Version, scope: scope, hashes: hashes(line.Hashes),
			purl: pypiPurl(line.Name, line.Version, line.URL), conditional: line.Marker != "",
		}
		if line.Marker != "" {
			n.note(propPyMarker, line.Marker)
		}
		if line.URL != "" {
			n.note(propPySource, line.URL)
		}
		ref := g.addPyPI(n, at)
		g.edge(owner, ref)
		if _, stated := g.exact[ref]; !stated {
			g.exact[ref] = false
		}
		if !line.Hashed {
			unhashed++
		}
		if line.Hashed || f.Compiled {
			g.python.pinned[line.Name] = append(g.python.pinned[line.Name], line.Version)
		}
	}
	g.openRequirements(at, open)
	if p := g.st.py.projects[dir]; unhashed > 0 && !f.Compiled && (p == nil || len(p.locks) == 0) && len(g.python.installed) == 0 {
		g.gap(at, fmt.Sprintf("pins %s without hashes: what they need in turn may be installed without being named", count(unhashed, "package", "packages")))
	}
	for _, e := range f.Editable {
		if target := path.Join(path.Dir(at), strings.TrimPrefix(e, "file:")); g.projects[target] == "" {
			g.gap(at, fmt.Sprintf("installs %s, which was not read", shown(e)))
		}
	}
	for _, line := range f.Unread {
		g.gap(at, "has a line that is not understood: "+shown(line))
	}
}

// openRequirements says which requirements stand for more than one version.
func (g *graph) openRequirements(at string, open []string) {
	for _, r := range open[:min(len(open), maxNamed)] {
		g.gap(at, "asks for "+shown(r)+" without locking a version")
	}
	if n := len(open) - maxNamed; n > 0 {
		g.gap(at, fmt.Sprintf("asks for %s without locking a version", count(n, "further package", "further packages")))
	}
}

// include collects the versions that constraints files allow, and says which
// includes are not in the artifact. Each file is looked at once.
func (g *graph) include(top, at string, f *python.Requirements, limits map[string]python.RequirementLine, seen map[string]bool) {
	if seen[at] {
		return
	}
	seen[at] = true
	for _, inc := range f.Includes {
		target := path.Join(path.Dir(at), inc.Path)
		included := g.st.py.requirements[target]
		if strings.HasPrefix(inc.Path, "/") || strings.Contains(inc.Path, "://") || included == nil {
			g.gap(at, fmt.Sprintf("includes %s, which was not read", shown(inc.Path)))
			continue
		}
		if inc.Constraints {
			for _, line := range included.Lines {
				if line.Version != "" {
					limits[line.Name] = line
				}
			}
		}
		g.include(top, target, included, limits, seen)
	}
}

// lockedBeside: a lockfile of the same project answers the requirement.
func (g *graph) lockedBeside(dir string, r python.Requirement) bool {
	p := g.st.py.projects[dir]
	if p == nil || len(p.locks) == 0 {
		return false
	}
	return g.unlocked(p.locks, &python.Manifest{Dependencies: []python.Requirement{r}}) == 0
}

// pythonOwner is the nearest project at or above a directory: its directory and ref.
func (g *graph) pythonOwner(dir string) (string, string) {
	for ; ; dir = path.Dir(dir) {
		if p := g.st.py.projects[dir]; p != nil && p.isProject() && g.projects[dir] != "" {
			return dir, g.projects[dir]
		}
		if dir == "." || dir == "/" {
			return g.base(), rootRef
		}
	}
}

// shown quotes what a stranger wrote, shortened.
func shown(s string) string {
	if len(s) > 120 {
		s = strings.ToValidUTF8(s[:120], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}
