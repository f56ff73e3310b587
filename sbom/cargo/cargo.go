// Package cargo reads Cargo.lock (versions 1 to 4) and Cargo.toml strictly.
//
// It knows Cargo's formats (https://doc.rust-lang.org/cargo/reference/manifest.html
// and https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html); it must
// not know archives, CycloneDX or the network, and it runs nothing.
package cargo

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bartizan-mcp/bartizan/internal/stricttoml"
)

// Errors of the package.
var (
	ErrMalformed = errors.New("malformed manifest of Cargo")
	ErrTooLarge  = errors.New("manifest of Cargo exceeds a limit")
	// ErrVersion: a lockfile newer than version 4.
	ErrVersion = errors.New("unknown version of Cargo.lock")
)

// Limits of one file.
const (
	MaxLockBytes     = 16 << 20
	MaxManifestBytes = 1 << 20
	MaxPackages      = 50_000
	maxNeeds         = 500_000
	maxText          = 4096
)

// Manifest is the part of a Cargo.toml that matters here.
type Manifest struct {
	Name, Version string // empty for the root of a virtual workspace
	License       string
	Workspace     bool
	Dependencies  map[string]Kind // by the name of the package, under whatever name it is used
}

// Kind says what a package is needed for; the higher one wins.
type Kind int

// Kinds.
const (
	Development Kind = iota
	Optional
	Required
)

// ParseManifest reads a Cargo.toml. What a member inherits from its workspace is
// left out.
func ParseManifest(b []byte) (*Manifest, error) {
	doc, err := stricttoml.Parse(b, MaxManifestBytes)
	if err != nil {
		return nil, ours(err)
	}
	m := &Manifest{Workspace: doc.Has("workspace"), Dependencies: map[string]Kind{}}
	if err := m.read(doc); err != nil {
		return nil, ours(err)
	}
	return m, nil
}

func (m *Manifest) read(doc stricttoml.Table) error {
	p, err := doc.Table("package")
	if err != nil {
		return err
	}
	if p != nil {
		if m.Name, err = p.Text("name"); err != nil {
			return err
		}
		if err := checkName(m.Name); err != nil {
			return err
		}
		for key, into := range map[string]*string{"version": &m.Version, "license": &m.License} {
			if s, ok := p[key].(string); ok && plain(s) {
				*into = s // otherwise it is the workspace's
			}
		}
	}
	if err := m.dependencies(doc); err != nil {
		return err
	}
	targets, err := doc.Table("target")
	if err != nil {
		return err
	}
	for name := range targets {
		t, err := targets.Table(name)
		if err != nil {
			return err
		}
		if err := m.dependencies(t); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manifest) dependencies(t stricttoml.Table) error {
	for key, kind := range map[string]Kind{
		"dependencies": Required, "build-dependencies": Required, "build_dependencies": Required,
		"dev-dependencies": Development, "dev_dependencies": Development,
	} {
		list, err := t.Table(key)
		if err != nil {
			return err
		}
		for name, v := range list {
			kind := kind
			if d, ok := v.(map[string]any); ok {
				real, err := stricttoml.Table(d).Text("package")
				if err != nil {
					return err
				}
				if real != "" {
					name = real
				}
				optional, err := stricttoml.Table(d).Bool("optional")
				if err != nil {
					return err
				}
				if optional {
					kind = min(kind, Optional)
				}
			}
			if err := checkName(name); err != nil {
				return err
			}
			if have, ok := m.Dependencies[name]; !ok || have < kind {
				m.Dependencies[name] = kind
			}
		}
	}
	return nil
}

// Lock is a Cargo.lock.
type Lock struct {
	Version  int
	Packages []Package // sorted by name, version and source
}

// Package is one locked package.
type Package struct {
	Name, Version string
	Source        string // "registry+URL" or "git+URL#commit"; "" for a path
	SHA256        string // of the .crate file, lower-case hex
	DependsOn     []int  // indexes into Lock.Packages, sorted
	Unresolved    []string
}

// Local packages are the project's own, or lie at a path beside it.
func (p Package) Local() bool { return p.Source == "" }

type entry struct {
	Package
	needs []string
}

// ParseLock reads a Cargo.lock.
func ParseLock(b []byte) (*Lock, error) {
	doc, err := stricttoml.Parse(b, MaxLockBytes)
	if err != nil {
		return nil, ours(err)
	}
	l, err := readLock(doc)
	return l, ours(err)
}

func readLock(doc stricttoml.Table) (*Lock, error) {
	v, stated, err := doc.Int("version")
	if err != nil {
		return nil, err
	}
	if !stated {
		v = 2 // 1 and 2 do not say; they differ in where checksums stand
	}
	if v < 1 || v > 4 {
		return nil, fmt.Errorf("%w: %d", ErrVersion, v)
	}
	tables, err := doc.Tables("package")
	if err != nil {
		return nil, err
	}
	root, err := doc.Table("root") // before 2018
	if err != nil {
		return nil, err
	}
	if root != nil {
		tables = append(tables, root)
	}
	if len(tables) > MaxPackages {
		return nil, fmt.Errorf("%w: more than %d packages", ErrTooLarge, MaxPackages)
	}
	sums, err := doc.Table("metadata")
	if err != nil {
		return nil, err
	}
	var entries []entry
	for _, t := range tables {
		e, err := readPackage(t, sums)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return resolve(int(v), entries)
}

func readPackage(t, sums stricttoml.Table) (e entry, err error) {
	for key, into := range map[string]*string{"name": &e.Name, "version": &e.Version, "source": &e.Source, "checksum": &e.SHA256} {
		if *into, err = t.Text(key); err != nil {
			return e, err
		}
	}
	if err := checkName(e.Name); err != nil {
		return e, err
	}
	if e.Version == "" || !plain(e.Version) || !plain(e.Source) || strings.ContainsAny(e.Version, " /") || strings.Contains(e.Source, " ") {
		return e, fmt.Errorf("%w: package %q", ErrMalformed, e.Name)
	}
	if e.SHA256 == "" && e.Source != "" {
		if e.SHA256, err = sums.Text("checksum " + e.Name + " " + e.Version + " (" + e.Source + ")"); err != nil {
			return e, err
		}
	}
	if e.SHA256 == "<none>" {
		e.SHA256 = ""
	}
	if raw, err := hex.DecodeString(e.SHA256); err != nil || len(raw) != 0 && len(raw) != 32 || strings.ToLower(e.SHA256) != e.SHA256 {
		return e, fmt.Errorf("%w: checksum of %q", ErrMalformed, e.Name)
	}
	e.needs, err = t.Texts("dependencies")
	return e, err
}

// resolve makes edges of "name", "name version" and "name version (source)": each
// says as much as tells the package apart.
func resolve(version int, entries []entry) (*Lock, error) {
	slices.SortFunc(entries, func(a, b entry) int {
		return strings.Compare(a.Name+"\x00"+a.Version+"\x00"+a.Source, b.Name+"\x00"+b.Version+"\x00"+b.Source)
	})
	at := map[string][]int{}
	needs := 0
	for i, e := range entries {
		if i > 0 && e.Name == entries[i-1].Name && e.Version == entries[i-1].Version && e.Source == entries[i-1].Source {
			return nil, fmt.Errorf("%w: %s %s is locked twice", ErrMalformed, e.Name, e.Version)
		}
		for _, key := range []string{e.Name, e.Name + " " + e.Version, e.Name + " " + e.Version + " (" + e.Source + ")"} {
			at[key] = append(at[key], i)
		}
		needs += len(e.needs)
	}
	if needs > maxNeeds {
		return nil, fmt.Errorf("%w: %d dependencies", ErrTooLarge, needs)
	}
	l := &Lock{Version: version, Packages: make([]Package, len(entries))}
	for i, e := range entries {
		for _, need := range e.needs {
			switch to := at[need]; len(to) {
			case 0:
				name, _, _ := strings.Cut(need, " ")
				e.Unresolved = append(e.Unresolved, name)
			case 1:
				e.DependsOn = append(e.DependsOn, to[0])
			default:
				return nil, fmt.Errorf("%w: %.100q names several packages", ErrMalformed, need)
			}
		}
		slices.Sort(e.DependsOn)
		e.DependsOn = slices.Compact(e.DependsOn)
		l.Packages[i] = e.Package
	}
	return l, nil
}

// Kinds says what every package is needed for, by what the manifests of the
// local packages say; a local package without one counts all it needs as
// required. The local ones are Required themselves.
func (l *Lock) Kinds(manifests map[string]*Manifest) []Kind {
	kinds := make([]Kind, len(l.Packages))
	var queue []int
	raise := func(i int, k Kind) {
		if kinds[i] < k {
			kinds[i] = k
			queue = append(queue, i)
		}
	}
	for i, p := range l.Packages {
		if p.Local() {
			raise(i, Required)
		}
	}
	for len(queue) > 0 {
		i := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		p := l.Packages[i]
		m := manifests[p.Name]
		for _, to := range p.DependsOn {
			k := kinds[i]
			if p.Local() && m != nil {
				if stated, ok := m.Dependencies[l.Packages[to].Name]; ok {
					k = min(k, stated)
				}
			}
			raise(to, k)
		}
	}
	return kinds
}

func checkName(s string) error {
	if s == "" || len(s) > 256 || strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}) {
		return fmt.Errorf("%w: %.100q is no name of a package", ErrMalformed, s)
	}
	return nil
}

func plain(s string) bool {
	return len(s) <= maxText && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

func ours(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrMalformed), errors.Is(err, ErrTooLarge), errors.Is(err, ErrVersion):
		return err
	case errors.Is(err, stricttoml.ErrTooLarge):
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return fmt.Errorf("%w: %w", ErrMalformed, err)
}
