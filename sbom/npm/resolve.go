package npm

import (
	"path"
	"slices"
)

// wanted is what an entry of the lockfile asks for, by name.
type wanted struct {
	need []string // must be locked
	may  []string // optional, peer and, for the project's own packages, development dependencies
	link string   // the entry is a link to this path
}

// resolve turns names into edges as Node looks modules up.
func (l *Lock) resolve(wants map[string]wanted) {
	at := make(map[string]int, len(l.Packages))
	for i, p := range l.Packages {
		at[p.Path] = i
	}
	edges := func(p *Package) {
		w := wants[p.Path]
		for _, name := range w.need {
			if i, ok := lookup(p.Path, name, at, wants); ok {
				p.DependsOn = append(p.DependsOn, i)
			} else if !slices.Contains(w.may, name) { // npm repeats optional ones among the others
				p.Unresolved = append(p.Unresolved, name)
			}
		}
		for _, name := range w.may {
			if i, ok := lookup(p.Path, name, at, wants); ok {
				p.DependsOn = append(p.DependsOn, i)
			}
		}
		slices.Sort(p.DependsOn)
		p.DependsOn = slices.Compact(p.DependsOn)
	}
	edges(&l.Root)
	for i := range l.Packages {
		edges(&l.Packages[i])
	}
}

// Direct resolves names that the project's package.json asks for, and returns
// the names that are not locked.
func (l *Lock) Direct(names []string) (found []int, missing []string) {
	at := make(map[string]int, len(l.Packages))
	for i, p := range l.Packages {
		at[p.Path] = i
	}
	for _, name := range names {
		if i, ok := at[path.Join("node_modules", name)]; ok {
			found = append(found, i)
		} else if !slices.ContainsFunc(l.Packages, func(p Package) bool { return p.Local && p.Name == name }) {
			missing = append(missing, name)
		}
	}
	return found, missing
}

// lookup walks from the directory of a package to the root, as
// https://nodejs.org/api/modules.html#loading-from-node_modules-folders does.
func lookup(from, name string, at map[string]int, wants map[string]wanted) (int, bool) {
	for dir := from; ; dir = path.Dir(dir) {
		if dir == "." {
			dir = ""
		}
		if path.Base(dir) != "node_modules" {
			candidate := path.Join(dir, "node_modules", name)
			if target := wants[candidate].link; target != "" {
				candidate = target
			}
			if i, ok := at[candidate]; ok {
				return i, true
			}
		}
		if dir == "" {
			return 0, false
		}
	}
}
