package python

import (
	"fmt"
	"path"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/stricttoml"
)

// parsePylock reads pylock.toml, lock-version 1
// (https://packaging.python.org/en/latest/specifications/pylock-toml/). Which
// groups and extras a package belongs to is in its marker.
func parsePylock(b []byte, _ *Manifest) (*Lock, error) {
	doc, err := readTOML(b, MaxLockBytes)
	if err != nil {
		return nil, err
	}
	v, err := doc.Text("lock-version")
	if err != nil {
		return nil, err
	}
	if v != "1" && !strings.HasPrefix(v, "1.") {
		return nil, fmt.Errorf("%w: pylock.toml %.20q", ErrVersion, v)
	}
	packages, err := doc.Tables("packages")
	if err != nil {
		return nil, err
	}
	var entries []*entry
	for _, t := range packages {
		e, err := pylockPackage(t)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return settle(entries, true)
}

func pylockPackage(t stricttoml.Table) (e *entry, err error) {
	e = &entry{Package: Package{Scope: Required}}
	if e.Name, err = t.Text("name"); err != nil {
		return nil, err
	}
	if e.Version, err = t.Text("version"); err != nil {
		return nil, err
	}
	marker, err := t.Text("marker")
	if err != nil {
		return nil, err
	}
	if marker != "" {
		e.Markers = []string{marker}
		// A marker may offer the package by another way too; then it has an "or".
		switch alone := !strings.Contains(marker, " or "); {
		case alone && strings.Contains(marker, "in dependency_groups"):
			e.Scope = Development
		case alone && strings.Contains(marker, "in extras"):
			e.Scope = Optional
		}
	}
	if err := e.pylockSource(t); err != nil {
		return nil, err
	}
	if e.Hashes, err = fileHashes(t, "hashes"); err != nil {
		return nil, err
	}
	e.needs, err = uvNeeds(t, "dependencies")
	return e, err
}

func (e *entry) pylockSource(t stricttoml.Table) error {
	text := func(table, key string) string {
		m, err := t.Table(table)
		if err != nil {
			return ""
		}
		s, err := m.Text(key)
		if err != nil || len(s) > 4096 || !printable(s) {
			return ""
		}
		return s
	}
	if t.Has("vcs") {
		at := text("vcs", "url")
		if at == "" {
			at = text("vcs", "path")
		}
		e.Source = text("vcs", "type") + "+" + at + "@" + text("vcs", "commit-id")
	}
	if t.Has("archive") {
		if e.Source = text("archive", "url"); e.Source == "" {
			e.Source = text("archive", "path")
		}
	}
	if t.Has("directory") {
		dir := path.Clean(text("directory", "path"))
		if inside(dir) {
			e.Local, e.Dir = true, dir
		} else {
			e.Source = dir
		}
	}
	return nil
}
