package python

import (
	"fmt"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/stricttoml"
)

// Manifest is what a project says of itself: its pyproject.toml, or the METADATA
// or PKG-INFO of a distribution.
type Manifest struct {
	Project       bool     // it describes a project, not only how tools are set
	Name, Version string   // Name is normalised
	Licenses      []string // SPDX expressions, or what the project calls them
	Dependencies  []Requirement
	Extras        map[string][]Requirement
	Groups        map[string][]Requirement // of development
	Dynamic       bool                     // its dependencies are computed when it is built
}

// ParseManifest reads a pyproject.toml:
// https://packaging.python.org/en/latest/specifications/pyproject-toml/ and
// https://python-poetry.org/docs/pyproject/.
func ParseManifest(b []byte) (*Manifest, error) {
	doc, err := readTOML(b, MaxManifestBytes)
	if err != nil {
		return nil, err
	}
	m := &Manifest{Extras: map[string][]Requirement{}, Groups: map[string][]Requirement{}}
	for _, read := range []func(stricttoml.Table) error{m.project, m.groups, m.poetry} {
		if err := read(doc); err != nil {
			return nil, ours(err)
		}
	}
	return m, nil
}

func (m *Manifest) project(doc stricttoml.Table) error {
	t, err := doc.Table("project")
	if err != nil || t == nil {
		return err
	}
	m.Project = true
	if m.Name, err = t.Text("name"); err != nil {
		return err
	}
	if m.Name != "" {
		if m.Name, err = Normalise(m.Name); err != nil {
			return err
		}
	}
	if m.Version, err = t.Text("version"); err != nil {
		return err
	}
	if err := version(m.Version); err != nil {
		return err
	}
	switch t["license"].(type) {
	case string:
		s, _ := t.Text("license")
		m.license(s)
	case map[string]any:
		inner, _ := t.Table("license")
		s, err := inner.Text("text")
		if err != nil {
			return err
		}
		m.license(s)
	}
	classifiers, err := t.Texts("classifiers")
	if err != nil {
		return err
	}
	m.classified(classifiers)
	dynamic, err := t.Texts("dynamic")
	if err != nil {
		return err
	}
	for _, field := range dynamic {
		m.Dynamic = m.Dynamic || field == "dependencies"
	}
	if m.Dependencies, err = requirements(t, "dependencies"); err != nil {
		return err
	}
	optional, err := t.Table("optional-dependencies")
	if err != nil {
		return err
	}
	for name := range optional {
		if m.Extras[name], err = requirements(optional, name); err != nil {
			return err
		}
	}
	return nil
}

func requirements(t stricttoml.Table, key string) ([]Requirement, error) {
	list, err := t.Texts(key)
	if err != nil {
		return nil, err
	}
	return parseRequirements(list)
}

// groups of PEP 735. Includes need no following: the group is there itself.
func (m *Manifest) groups(doc stricttoml.Table) error {
	t, err := doc.Table("dependency-groups")
	if err != nil {
		return err
	}
	for name, v := range t {
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%w: dependency group %.100q", ErrMalformed, name)
		}
		for _, item := range list {
			s, ok := item.(string)
			if !ok {
				continue
			}
			r, err := ParseRequirement(s)
			if err != nil {
				return err
			}
			m.Groups[name] = append(m.Groups[name], r)
		}
	}
	return nil
}

// poetry reads [tool.poetry], whose version constraints are its own language and
// are kept as written.
func (m *Manifest) poetry(doc stricttoml.Table) error {
	tool, err := doc.Table("tool")
	if err != nil {
		return err
	}
	t, err := tool.Table("poetry")
	if err != nil || t == nil {
		return err
	}
	if !m.Project {
		m.Project = t.Has("name") || t.Has("dependencies")
		name, err := t.Text("name")
		if err != nil {
			return err
		}
		if name != "" {
			if m.Name, err = Normalise(name); err != nil {
				return err
			}
		}
		if m.Version, err = t.Text("version"); err != nil {
			return err
		}
		if err := version(m.Version); err != nil {
			return err
		}
		s, err := t.Text("license")
		if err != nil {
			return err
		}
		m.license(s)
	}
	main, optional, err := poetryDependencies(t, "dependencies")
	if err != nil {
		return err
	}
	if len(m.Dependencies) == 0 { // [project] has them too, and poetry only adds their sources
		m.Dependencies = main
	}
	m.Extras["optional"] = append(m.Extras["optional"], optional...)
	dev, _, err := poetryDependencies(t, "dev-dependencies")
	if err != nil {
		return err
	}
	m.Groups["dev"] = append(m.Groups["dev"], dev...)
	groups, err := t.Table("group")
	if err != nil {
		return err
	}
	for name := range groups {
		g, err := groups.Table(name)
		if err != nil {
			return err
		}
		list, _, err := poetryDependencies(g, "dependencies")
		if err != nil {
			return err
		}
		m.Groups[name] = append(m.Groups[name], list...)
	}
	return nil
}

func poetryDependencies(t stricttoml.Table, key string) (must, may []Requirement, err error) {
	deps, err := t.Table(key)
	if err != nil {
		return nil, nil, err
	}
	for name, v := range deps {
		if strings.EqualFold(name, "python") {
			continue
		}
		normal, err := Normalise(name)
		if err != nil {
			return nil, nil, err
		}
		list, err := constraints(deps, name, v)
		if err != nil {
			return nil, nil, err
		}
		for _, c := range list {
			r := Requirement{Name: normal}
			constraint, err := c.Text("version")
			if err != nil {
				return nil, nil, err
			}
			if constraint != "" && constraint != "*" {
				r.Specifier = " " + constraint
			}
			if r.Marker, err = c.Text("markers"); err != nil {
				return nil, nil, err
			}
			names, err := c.Texts("extras")
			if err != nil {
				return nil, nil, err
			}
			if r.Extras, err = extras(names); err != nil {
				return nil, nil, err
			}
			optional, err := c.Bool("optional")
			if err != nil {
				return nil, nil, err
			}
			if optional {
				may = append(may, r)
			} else {
				must = append(must, r)
			}
		}
	}
	return must, may, nil
}

// entry is the project in a lockfile that leaves it out.
func (m *Manifest) entry() *entry {
	e := &entry{
		Package: Package{Name: m.Name, Version: m.Version, Local: true, Dir: ".", Scope: Required},
		extras:  map[string][]need{}, groups: map[string][]need{},
	}
	e.needs = needs(m.Dependencies)
	for name, list := range m.Extras {
		e.extras[name] = needs(list)
	}
	for name, list := range m.Groups {
		e.groups[name] = needs(list)
	}
	return e
}

func needs(list []Requirement) []need {
	var out []need
	for _, r := range list {
		out = append(out, need{name: r.Name, extras: r.Extras, marker: r.Marker, may: r.Marker != ""})
	}
	return out
}
