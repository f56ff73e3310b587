package npm

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type lockFile struct {
	LockfileVersion int                        `json:"lockfileVersion"`
	Name            string                     `json:"name"`
	Version         string                     `json:"version"`
	Dependencies    map[string]*lockDependency `json:"dependencies"`
	Packages        map[string]*lockPackage    `json:"packages"`
}

// lockDependency is an entry of lockfileVersion 1.
type lockDependency struct {
	Version      string                     `json:"version"`
	Resolved     jsontext.Value             `json:"resolved"`
	Integrity    string                     `json:"integrity"`
	Dev          bool                       `json:"dev"`
	Optional     bool                       `json:"optional"`
	Bundled      bool                       `json:"bundled"`
	Requires     jsontext.Value             `json:"requires"` // an object of names, or a boolean
	Dependencies map[string]*lockDependency `json:"dependencies"`
}

// lockPackage is an entry of lockfileVersion 2 and 3.
type lockPackage struct {
	Name                 string                    `json:"name"`
	Version              string                    `json:"version"`
	Resolved             jsontext.Value            `json:"resolved"` // false when left out by configuration
	Integrity            string                    `json:"integrity"`
	License              jsontext.Value            `json:"license"`
	Link                 bool                      `json:"link"`
	Dev                  bool                      `json:"dev"`
	Optional             bool                      `json:"optional"`
	DevOptional          bool                      `json:"devOptional"`
	InBundle             bool                      `json:"inBundle"`
	Dependencies         map[string]jsontext.Value `json:"dependencies"`
	OptionalDependencies map[string]jsontext.Value `json:"optionalDependencies"`
	PeerDependencies     map[string]jsontext.Value `json:"peerDependencies"`
	PeerDependenciesMeta map[string]jsontext.Value `json:"peerDependenciesMeta"`
	DevDependencies      map[string]jsontext.Value `json:"devDependencies"`
}

// ParseLock reads package-lock.json or npm-shrinkwrap.json.
func ParseLock(b []byte) (*Lock, error) {
	if len(b) > MaxLockBytes {
		return nil, fmt.Errorf("%w: lockfile of more than %d bytes", ErrTooLarge, MaxLockBytes)
	}
	if err := check(b); err != nil {
		return nil, err
	}
	var f lockFile
	if err := decode(b, &f); err != nil {
		return nil, err
	}
	lock := &Lock{Version: f.LockfileVersion}
	if f.LockfileVersion != 1 {
		lock.Asked = map[string]map[string]string{}
	}
	lock.Root.Name, lock.Root.Version = f.Name, f.Version
	var wants map[string]wanted
	var err error
	switch f.LockfileVersion {
	case 1:
		wants, err = lock.readV1(f.Dependencies)
	case 2, 3:
		wants, err = lock.readPackages(f.Packages)
	default:
		return nil, fmt.Errorf("%w: %d", ErrVersion, f.LockfileVersion)
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(lock.Packages, func(a, b Package) int { return strings.Compare(a.Path, b.Path) })
	lock.resolve(wants)
	lock.Raise()
	return lock, nil
}

func (l *Lock) readV1(deps map[string]*lockDependency) (map[string]wanted, error) {
	wants := map[string]wanted{}
	var walk func(at string, deps map[string]*lockDependency) error
	walk = func(at string, deps map[string]*lockDependency) error {
		for _, name := range slices.Sorted(maps.Keys(deps)) {
			d := deps[name]
			if d == nil || name == "" {
				return fmt.Errorf("%w: empty entry below %q", ErrMalformed, at)
			}
			p := Package{Path: path.Join(at, "node_modules", name), Name: name, Version: d.Version,
				Development: d.Dev, Optional: d.Optional, Bundled: d.Bundled}
			if alias, ok := strings.CutPrefix(d.Version, "npm:"); ok {
				i := strings.LastIndex(alias, "@")
				if i <= 0 {
					return fmt.Errorf("%w: alias of %q", ErrMalformed, p.Path)
				}
				p.Name, p.Version = alias[:i], alias[i+1:]
			} else if !plainVersion(d.Version) { // git, file and tarball specifications stand in its place
				p.Source = d.Version
			}
			if p.Source == "" {
				p.Source = source(p, text(d.Resolved))
			}
			if err := l.Add(p, d.Integrity); err != nil {
				return err
			}
			var requires map[string]jsontext.Value
			if d.Requires.Kind() == '{' {
				if err := decode(d.Requires, &requires); err != nil {
					return err
				}
			}
			wants[p.Path] = wanted{need: sortedKeys(requires)}
			if err := walk(p.Path, d.Dependencies); err != nil {
				return err
			}
		}
		return nil
	}
	// Version 1 does not record what the project itself asks for; see Lock.Adopt.
	return wants, walk("", deps)
}

func (l *Lock) readPackages(packages map[string]*lockPackage) (map[string]wanted, error) {
	wants := map[string]wanted{}
	for at, p := range packages {
		switch {
		case p == nil:
			return nil, fmt.Errorf("%w: package %q is null", ErrMalformed, at)
		case len(at) > maxPath:
			return nil, fmt.Errorf("%w: package path of more than %d bytes", ErrTooLarge, maxPath)
		case at != "" && (path.Clean(at) != at || strings.HasPrefix(at, "/") || strings.Contains(at, `\`)):
			return nil, fmt.Errorf("%w: package path %q", ErrMalformed, at)
		case p.Link:
			target := text(p.Resolved)
			if packages[target] == nil {
				return nil, fmt.Errorf("%w: link %q to what is not locked", ErrMalformed, at)
			}
			wants[at] = wanted{link: target}
			continue
		}
		local := !strings.Contains("/"+at, "/node_modules/")
		wants[at] = p.wanted(local)
		if local {
			l.Asked[at] = specifiers(p.DevDependencies, p.Dependencies, p.OptionalDependencies)
		}
		if at == "" {
			l.Root.Name, l.Root.Version, l.Root.License = or(p.Name, l.Root.Name), or(p.Version, l.Root.Version), text(p.License)
			continue
		}
		locked := Package{Path: at, Name: or(p.Name, nameAt(at)), Version: p.Version, License: text(p.License),
			Development: p.Dev, Optional: p.Optional || p.DevOptional, Bundled: p.InBundle, Local: local}
		if !local {
			locked.Source = source(locked, text(p.Resolved))
		}
		if err := l.Add(locked, p.Integrity); err != nil {
			return nil, err
		}
	}
	return wants, nil
}

func (p *lockPackage) wanted(local bool) wanted {
	w := wanted{
		need: sortedKeys(p.Dependencies),
		weak: sortedKeys(p.OptionalDependencies),
		peer: sortedKeys(p.PeerDependencies),
	}
	for name := range p.PeerDependenciesMeta {
		var meta struct {
			Optional bool `json:"optional"`
		}
		if json.Unmarshal(p.PeerDependenciesMeta[name], &meta) == nil && meta.Optional {
			w.weak = append(w.weak, name)
		}
	}
	if local {
		w.dev = sortedKeys(p.DevDependencies)
	}
	return w
}

// nameAt is the package name that an install path implies.
func nameAt(at string) string {
	const dir = "node_modules/"
	if i := strings.LastIndex(at, dir); i >= 0 {
		return at[i+len(dir):]
	}
	return path.Base(at)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func sortedKeys(sets ...map[string]jsontext.Value) []string {
	all := map[string]bool{}
	for _, m := range sets {
		for k := range m {
			all[k] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
