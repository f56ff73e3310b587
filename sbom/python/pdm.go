package python

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/stricttoml"
)

// parsePDM reads pdm.lock, lock_version 4
// (https://pdm-project.org/latest/usage/lockfile/). A package with extras has an
// entry of its own beside that of the package.
func parsePDM(b []byte, project *Manifest) (*Lock, error) {
	doc, err := readTOML(b, MaxLockBytes)
	if err != nil {
		return nil, err
	}
	meta, err := doc.Table("metadata")
	if err != nil {
		return nil, err
	}
	v, err := meta.Text("lock_version")
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(v, "4.") {
		return nil, fmt.Errorf("%w: pdm.lock %.20q", ErrVersion, v)
	}
	packages, err := doc.Tables("package")
	if err != nil {
		return nil, err
	}
	var order []*entry
	at := map[string]*entry{}
	for _, t := range packages {
		e, err := pdmPackage(t, project)
		if err != nil {
			return nil, err
		}
		key := e.Name + "\x00" + e.Version + "\x00" + e.Source
		have := at[key]
		if have == nil {
			at[key], order = e, append(order, e)
			continue
		}
		if have.extra == e.extra {
			return nil, fmt.Errorf("%w: %s %s is locked twice", ErrMalformed, e.Name, e.Version)
		}
		// The entry with extras is the package once more.
		have.extra += "," + e.extra
		have.Scope = max(have.Scope, e.Scope)
		have.needs = append(have.needs, e.needs...)
		have.Hashes = append(have.Hashes, e.Hashes...)
		if len(have.Markers) == 0 || len(e.Markers) == 0 {
			have.Markers = nil
		}
	}
	for _, e := range order {
		e.extra = ""
	}
	if project != nil && project.Project {
		order = append(order, project.entry())
	}
	return settle(order, true)
}

func pdmPackage(t stricttoml.Table, project *Manifest) (e *entry, err error) {
	e = &entry{}
	if e.Name, err = t.Text("name"); err != nil {
		return nil, err
	}
	if e.Version, err = t.Text("version"); err != nil {
		return nil, err
	}
	names, err := t.Texts("extras")
	if err != nil {
		return nil, err
	}
	e.extra = strings.Join(names, ",")
	groups, err := t.Texts("groups")
	if err != nil {
		return nil, err
	}
	switch {
	case len(groups) == 0 || slices.Contains(groups, "default"):
		e.Scope = Required
	case project != nil && slices.ContainsFunc(groups, func(g string) bool { return project.Extras[g] != nil }):
		e.Scope = Optional
	}
	marker, err := t.Text("marker")
	if err != nil {
		return nil, err
	}
	if marker != "" {
		e.Markers = []string{marker}
	}
	for _, key := range []string{"git", "url", "path"} {
		at, err := t.Text(key)
		if err != nil {
			return nil, err
		}
		if at == "" {
			continue
		}
		if len(at) > 4096 || !printable(at) {
			return nil, fmt.Errorf("%w: source of %.100q", ErrMalformed, e.Name)
		}
		e.Source = at
		if key == "git" {
			commit, err := t.Text("revision")
			if err != nil {
				return nil, err
			}
			e.Source = "git+" + at + "@" + commit
		}
		if dir := path.Clean(at); key == "path" && inside(dir) && dir != "." {
			e.Local, e.Dir, e.Source = true, dir, ""
		}
	}
	files, err := t.Tables("files")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		s, err := f.Text("hash")
		if err != nil {
			return nil, err
		}
		h, ok, err := parseHash(s)
		if err != nil {
			return nil, err
		}
		if ok {
			e.Hashes = append(e.Hashes, h)
		}
	}
	list, err := t.Texts("dependencies")
	if err != nil {
		return nil, err
	}
	deps, err := parseRequirements(list)
	if err != nil {
		return nil, err
	}
	for _, d := range deps {
		e.needs = append(e.needs, need{name: d.Name, version: d.Pin(), extras: d.Extras, marker: d.Marker, may: d.Marker != ""})
	}
	return e, nil
}
