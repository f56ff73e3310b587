package npm

import (
	"path"
	"slices"
)

// wanted is what an entry of the lockfile asks for, by name.
type wanted struct {
	need []string // must be locked
	weak []string // optional, optional peers among them
	peer []string // may be left out by configuration; when locked they are needed
	dev  []string // the project's own packages only
	link string   // the entry is a link to this path
}

// resolve turns names into edges as Node looks modules up.
func (l *Lock) resolve(wants map[string]wanted) {
	l.at = make(map[string]int, len(l.Packages))
	l.links = map[string]string{}
	for i, p := range l.Packages {
		l.at[p.Path] = i
	}
	for at, w := range wants {
		if w.link != "" {
			l.links[at] = w.link
		}
	}
	l.edges(&l.Root, wants[""])
	for i := range l.Packages {
		l.edges(&l.Packages[i], wants[l.Packages[i].Path])
	}
	l.Settle()
}

func (l *Lock) edges(p *Package, w wanted) {
	for _, name := range w.need {
		optional := slices.Contains(w.weak, name) // npm repeats optional ones among the others
		if i, ok := l.lookup(p.Path, name); ok {
			p.Link(i, optional, false)
		} else if !optional {
			p.Unresolved = append(p.Unresolved, name)
		}
	}
	for _, group := range []struct {
		names     []string
		weak, dev bool
	}{{w.weak, true, false}, {w.peer, false, false}, {w.dev, false, true}} {
		for _, name := range group.names {
			optional := group.weak || slices.Contains(w.weak, name)
			if i, ok := l.lookup(p.Path, name); ok {
				p.Link(i, optional, group.dev)
			}
		}
	}
}

// Adopt adds to the project's edges what its package.json asks for, and returns
// the names that are not locked. Version 1 has no other record of it.
func (l *Lock) Adopt(m *Manifest) (missing []string) {
	for _, name := range m.Dependencies {
		optional := slices.Contains(m.Optional, name)
		if i, ok := l.lookup("", name); ok {
			l.Root.Link(i, optional, false)
		} else if !optional && !slices.ContainsFunc(l.Packages, func(p Package) bool { return p.Local && p.Name == name }) {
			missing = append(missing, name)
		}
	}
	for _, name := range m.Development {
		if i, ok := l.lookup("", name); ok {
			l.Root.Link(i, false, true)
		}
	}
	l.Settle()
	l.Raise()
	return missing
}

// lookup walks from the directory of a package to the root, as
// https://nodejs.org/api/modules.html#loading-from-node_modules-folders does.
func (l *Lock) lookup(from, name string) (int, bool) {
	for dir := from; ; dir = path.Dir(dir) {
		if dir == "." {
			dir = ""
		}
		if path.Base(dir) != "node_modules" {
			candidate := path.Join(dir, "node_modules", name)
			if target := l.links[candidate]; target != "" {
				candidate = target
			}
			if i, ok := l.at[candidate]; ok {
				return i, true
			}
		}
		if dir == "" {
			return 0, false
		}
	}
}
