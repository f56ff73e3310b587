package python

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Lock is a lockfile, whichever tool wrote it.
type Lock struct {
	Packages []Package // sorted by name, version and source
}

// Scope says what reaches a package; the higher one wins.
type Scope int

// Scopes.
const (
	Development Scope = iota // dependency groups only
	Optional                 // an extra of the project
	Required
)

// Package is one locked package.
type Package struct {
	Name, Version string // Name is normalised; a Local one may have no version
	Source        string // of what comes from no index: git+URL@commit, URL, or a path
	Local         bool   // the project itself, or another of its workspace
	Dir           string // of a Local one, relative to the lockfile
	Hashes        []Hash // of all of its files, any of which an installer may take
	Scope         Scope
	Conditional   bool     // needed by some platforms or versions of Python only
	Markers       []string // conditions as the lockfile states them, sorted
	DependsOn     []int    // indexes into Lock.Packages, sorted
	Guessed       bool     // the file names dependencies without saying which version of several
	Unresolved    []string // dependencies that are not locked
}

// entry is a package while its lockfile is read.
type entry struct {
	Package
	extra  string // the entry stands for this extra only
	needs  []need
	extras map[string][]need
	groups map[string][]need
}

// need is a dependency as a lockfile states it.
type need struct {
	name, version string // version is "" where the name alone says it
	extras        []string
	marker        string
	may           bool // need not be locked
}

// kindsOf lockfiles by file name.
var readers = map[string]func([]byte, *Manifest) (*Lock, error){
	"uv.lock": parseUV, "poetry.lock": parsePoetry, "pdm.lock": parsePDM, "Pipfile.lock": parsePipfile, "pylock.toml": parsePylock,
}

// IsLock reports whether a file of this name is a lockfile that ParseLock reads.
// PEP 751 allows pylock.NAME.toml beside pylock.toml.
func IsLock(base string) bool { return readers[lockKind(base)] != nil }

func lockKind(base string) string {
	if name, ok := strings.CutPrefix(base, "pylock."); ok {
		if name, ok = strings.CutSuffix(name, ".toml"); ok && name != "" && !strings.Contains(name, ".") {
			return "pylock.toml"
		}
	}
	return base
}

// ParseLock reads a lockfile by the name that it has. Some of them do not say
// what the project itself asks for: that is read from its pyproject.toml, which
// may be nil.
func ParseLock(base string, b []byte, project *Manifest) (*Lock, error) {
	if len(b) > MaxLockBytes {
		return nil, fmt.Errorf("%w: lockfile of more than %d bytes", ErrTooLarge, MaxLockBytes)
	}
	read := readers[lockKind(base)]
	if read == nil {
		return nil, fmt.Errorf("%w: %q is the name of none", ErrVersion, base)
	}
	l, err := read(b, project)
	return l, ours(err)
}

func (e *entry) check() error {
	if e.Name != "" || !e.Local { // a project need not have a name
		name, err := Normalise(e.Name)
		if err != nil {
			return err
		}
		e.Name = name
	}
	if err := version(e.Version); err != nil {
		return err
	}
	for i := range e.Markers {
		if len(e.Markers[i]) > maxMarker || !printable(e.Markers[i]) {
			return fmt.Errorf("%w: marker of %q", ErrMalformed, e.Name)
		}
	}
	if e.Version == "" && !e.Local && e.Source == "" {
		return fmt.Errorf("%w: %q has no version", ErrMalformed, e.Name)
	}
	e.Hashes = sortHashes(e.Hashes)
	return nil
}

// settle sorts the entries and makes their dependencies edges. known says that
// the scopes are in the file; otherwise they follow from what the Local entries
// ask for, and where there is none everything is Required.
func settle(entries []*entry, known bool) (*Lock, error) {
	if len(entries) > MaxPackages {
		return nil, fmt.Errorf("%w: more than %d packages", ErrTooLarge, MaxPackages)
	}
	for _, e := range entries {
		if err := e.check(); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(entries, func(a, b *entry) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version),
			strings.Compare(a.Source, b.Source), strings.Compare(a.extra, b.extra))
	})
	for i := 1; i < len(entries); i++ {
		a, b := entries[i-1], entries[i]
		if a.Name == b.Name && a.Version == b.Version && a.Source == b.Source && a.extra == b.extra {
			return nil, fmt.Errorf("%w: %s %s is locked twice", ErrMalformed, a.Name, a.Version)
		}
	}
	r := newResolver(entries)
	if err := r.bounded(); err != nil {
		return nil, err
	}
	r.link()
	if known {
		r.raise()
	} else {
		r.scopes()
	}
	r.conditions()
	l := &Lock{Packages: make([]Package, len(entries))}
	for i, e := range entries {
		slices.Sort(e.DependsOn)
		e.DependsOn = slices.Compact(e.DependsOn)
		slices.Sort(e.Unresolved)
		e.Unresolved = slices.Compact(e.Unresolved)
		slices.Sort(e.Markers)
		e.Markers = slices.Compact(e.Markers)
		l.Packages[i] = e.Package
	}
	return l, nil
}

// Named returns the packages of a normalised name.
func (l *Lock) Named(name string) []Package {
	i, _ := slices.BinarySearchFunc(l.Packages, name, func(p Package, name string) int { return strings.Compare(p.Name, name) })
	j := i
	for j < len(l.Packages) && l.Packages[j].Name == name {
		j++
	}
	return l.Packages[i:j]
}
