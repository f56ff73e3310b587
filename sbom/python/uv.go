package python

import (
	"fmt"
	"path"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/stricttoml"
)

// parseUV reads uv.lock, version 1
// (https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile). It is one
// resolution for all platforms: a package may be there in several versions, and
// dependencies carry the markers that choose among them.
func parseUV(b []byte, _ *Manifest) (*Lock, error) {
	doc, err := readTOML(b, MaxLockBytes)
	if err != nil {
		return nil, err
	}
	if v, ok, err := doc.Int("version"); err != nil || !ok || v != 1 {
		return nil, fmt.Errorf("%w: uv.lock %d", ErrVersion, v)
	}
	packages, err := doc.Tables("package")
	if err != nil {
		return nil, err
	}
	var entries []*entry
	for _, t := range packages {
		e, err := uvPackage(t)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return settle(entries, false)
}

func uvPackage(t stricttoml.Table) (e *entry, err error) {
	e = &entry{}
	if e.Name, err = t.Text("name"); err != nil {
		return nil, err
	}
	if e.Version, err = t.Text("version"); err != nil {
		return nil, err
	}
	source, err := t.Table("source")
	if err != nil {
		return nil, err
	}
	if err := e.uvSource(source); err != nil {
		return nil, err
	}
	if e.Hashes, err = fileHashes(t, "hash"); err != nil {
		return nil, err
	}
	if e.needs, err = uvNeeds(t, "dependencies"); err != nil {
		return nil, err
	}
	if e.extras, err = uvGroups(t, "optional-dependencies"); err != nil {
		return nil, err
	}
	groups := "dev-dependencies"
	if !t.Has(groups) {
		groups = "dependency-groups"
	}
	e.groups, err = uvGroups(t, groups)
	return e, err
}

// uvSource says where a package comes from. Editable and virtual ones are the
// project's own; so are directories within it.
func (e *entry) uvSource(t stricttoml.Table) error {
	for _, kind := range []string{"registry", "git", "url", "path", "directory", "editable", "virtual"} {
		at, err := t.Text(kind)
		if err != nil {
			return err
		}
		if at == "" {
			continue
		}
		if len(at) > 4096 || !printable(at) {
			return fmt.Errorf("%w: source of %.100q", ErrMalformed, e.Name)
		}
		switch kind {
		case "registry":
		case "git":
			e.Source = "git+" + at
		case "editable", "virtual", "directory":
			dir := path.Clean(at)
			if inside(dir) {
				e.Local, e.Dir = true, dir
			} else {
				e.Source = at
			}
		default:
			e.Source = at
		}
		return nil
	}
	return fmt.Errorf("%w: %.100q has no source", ErrMalformed, e.Name)
}

// inside tells whether a clean path stays in the directory that it is relative to.
func inside(p string) bool {
	return p == "." || p != ".." && !strings.HasPrefix(p, "../") && !strings.HasPrefix(p, "/") && !strings.Contains(p, `\`)
}

func uvNeeds(t stricttoml.Table, key string) ([]need, error) {
	list, err := t.Tables(key)
	if err != nil {
		return nil, err
	}
	var out []need
	for _, d := range list {
		var n need
		if n.name, err = d.Text("name"); err != nil {
			return nil, err
		}
		if n.name, err = Normalise(n.name); err != nil {
			return nil, err
		}
		if n.version, err = d.Text("version"); err != nil {
			return nil, err
		}
		if n.marker, err = d.Text("marker"); err != nil {
			return nil, err
		}
		names, err := d.Texts("extra")
		if err != nil {
			return nil, err
		}
		if n.extras, err = extras(names); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

func uvGroups(t stricttoml.Table, key string) (map[string][]need, error) {
	groups, err := t.Table(key)
	if err != nil {
		return nil, err
	}
	out := map[string][]need{}
	for name := range groups {
		list, err := uvNeeds(groups, name)
		if err != nil {
			return nil, err
		}
		group, err := Normalise(name)
		if err != nil {
			return nil, err
		}
		out[group] = append(out[group], list...)
	}
	return out, nil
}

// fileHashes collects the digests of an sdist and wheels. Under key stands
// "algorithm:hex" (uv), or a table of them (PEP 751).
func fileHashes(t stricttoml.Table, key string) ([]Hash, error) {
	files, err := t.Tables("wheels")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"sdist", "archive"} {
		one, err := t.Table(name)
		if err != nil {
			return nil, err
		}
		if one != nil {
			files = append(files, one)
		}
	}
	var out []Hash
	for _, f := range files {
		if key == "hashes" {
			set, err := f.Table(key)
			if err != nil {
				return nil, err
			}
			for alg := range set {
				digits, err := set.Text(alg)
				if err != nil {
					return nil, err
				}
				if h, ok, err := newHash(alg, digits); err != nil {
					return nil, err
				} else if ok {
					out = append(out, h)
				}
			}
			continue
		}
		s, err := f.Text(key)
		if err != nil {
			return nil, err
		}
		if s == "" { // of what comes from a path or a commit
			continue
		}
		if h, ok, err := parseHash(s); err != nil {
			return nil, err
		} else if ok {
			out = append(out, h)
		}
	}
	return out, nil
}
