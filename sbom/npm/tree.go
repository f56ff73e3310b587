package npm

import (
	"fmt"
	"maps"
	"slices"
)

// Lock is a lockfile of npm, or of another client of its registry in the same
// terms (sbom/pnpm, sbom/yarn).
type Lock struct {
	Version  int       // lockfileVersion of npm itself; 0 for other clients
	Root     Package   // the project itself; Path is ""
	Packages []Package // every other locked package, sorted by Path
	// Asked is what the lockfile says that the package.json of a project and of
	// its workspaces ask for: by directory, name to specifier. Nil where a format
	// does not record it.
	Asked map[string]map[string]string
	// Overridden names dependencies whose specifier is replaced by the project,
	// so that the one in Asked may differ from the one in package.json.
	Overridden map[string]bool

	at    map[string]int    // packages by Path, for lookups as Node does them
	links map[string]string // places of links to their targets
}

// Package is one locked package at one place of the tree.
type Package struct {
	Path, Name, Version string // Path tells packages of one lockfile apart; npm's is where it installs them. A local one may have no name
	License             string
	Source              string // where it comes from, if that is not a registry's tarball of this name and version
	Hashes              []Hash // of the tarball, from integrity
	Development         bool   // reachable through devDependencies only
	Optional            bool   // reachable through optional dependencies only
	Bundled             bool   // shipped inside its parent's package
	Local               bool   // a workspace of the project itself
	DependsOn           []int  // indexes into Lock.Packages, sorted
	Weak                []int  // those of DependsOn that are only optional
	ForDevelopment      []int  // those of DependsOn that only devDependencies name
	Unresolved          []string

	edges map[int]edge
}

// Add appends a package with its Subresource Integrity, which may be empty.
func (l *Lock) Add(p Package, integrity string) error {
	if len(l.Packages) >= MaxPackages {
		return fmt.Errorf("%w: more than %d packages", ErrTooLarge, MaxPackages)
	}
	if !p.Local && (p.Name == "" || p.Version == "") {
		return fmt.Errorf("%w: package %q has no name or version", ErrMalformed, p.Path)
	}
	hashes, err := parseIntegrity(integrity)
	if err != nil {
		return fmt.Errorf("integrity of %q: %w", p.Path, err)
	}
	p.Hashes = append(p.Hashes, hashes...)
	l.Packages = append(l.Packages, p)
	return nil
}

// Raise lifts the scope of packages that the edges prove to be needed: the
// lockfile's own marks can only be believed where nothing contradicts them.
func (l *Lock) Raise() {
	needed, used := l.reach(false, false), l.reach(true, false)
	for i := range l.Packages {
		p := &l.Packages[i]
		p.Development = p.Development && !used[i]
		p.Optional = p.Optional && !needed[i]
	}
}

// Classify sets the scope of every package from the edges alone, for formats
// that mark none. What nothing leads to counts as needed.
func (l *Lock) Classify() {
	all := l.reach(true, true)
	for i := range l.Packages {
		p := &l.Packages[i]
		p.Development, p.Optional = all[i] && !p.Local, all[i] && !p.Local
	}
	l.Raise()
	needed := l.reach(false, true)
	for i := range l.Packages {
		if p := &l.Packages[i]; p.Development {
			p.Optional = !needed[i]
		}
	}
}

// reach marks what the project and its workspaces lead to.
func (l *Lock) reach(weak, development bool) []bool {
	seen := make([]bool, len(l.Packages))
	var queue []int
	follow := func(p *Package) {
		for to, e := range p.edges {
			if seen[to] || e.weak && !weak || e.development && !development {
				continue
			}
			seen[to] = true
			queue = append(queue, to)
		}
	}
	follow(&l.Root)
	for i := range l.Packages {
		if l.Packages[i].Local && !seen[i] {
			seen[i] = true
			queue = append(queue, i)
		}
	}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		follow(&l.Packages[next])
	}
	return seen
}

// Link adds an edge. One that is reached in several ways keeps a reservation
// only when every way has it. Settle must follow.
func (p *Package) Link(to int, weak, development bool) {
	if p.edges == nil {
		p.edges = map[int]edge{}
	}
	if have, ok := p.edges[to]; ok {
		weak, development = weak && have.weak, development && have.development
	}
	p.edges[to] = edge{weak, development}
}

// edge is how a package leads to another.
type edge struct{ weak, development bool }

// Settle writes down the edges of every package, sorted.
func (l *Lock) Settle() {
	settle := func(p *Package) {
		p.DependsOn = slices.Sorted(maps.Keys(p.edges))
		p.Weak, p.ForDevelopment = nil, nil
		for _, to := range p.DependsOn {
			if p.edges[to].weak {
				p.Weak = append(p.Weak, to)
			}
			if p.edges[to].development {
				p.ForDevelopment = append(p.ForDevelopment, to)
			}
		}
		slices.Sort(p.Unresolved)
		p.Unresolved = slices.Compact(p.Unresolved)
	}
	settle(&l.Root)
	for i := range l.Packages {
		settle(&l.Packages[i])
	}
}
