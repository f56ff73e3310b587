package python

import (
	"fmt"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/stricttoml"
)

// parsePoetry reads poetry.lock, lock-version 1.0 to 2.x
// (https://python-poetry.org/docs/basic-usage/#installing-with-poetrylock). It
// never says what the project itself asks for; before 1.5 it has categories and
// since 2.0 groups, in between neither.
func parsePoetry(b []byte, project *Manifest) (*Lock, error) {
	doc, err := readTOML(b, MaxLockBytes)
	if err != nil {
		return nil, err
	}
	meta, err := doc.Table("metadata")
	if err != nil {
		return nil, err
	}
	v, err := meta.Text("lock-version")
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(v, "1.") && !strings.HasPrefix(v, "2.") {
		return nil, fmt.Errorf("%w: poetry.lock %.20q", ErrVersion, v)
	}
	files, err := meta.Table("files") // up to lock-version 1.1
	if err != nil {
		return nil, err
	}
	packages, err := doc.Tables("package")
	if err != nil {
		return nil, err
	}
	var entries []*entry
	known := len(packages) > 0
	for _, t := range packages {
		e, scoped, err := poetryPackage(t, files)
		if err != nil {
			return nil, err
		}
		known = known && scoped
		entries = append(entries, e)
	}
	if project != nil && project.Project {
		entries = append(entries, project.entry())
	}
	return settle(entries, known)
}

func poetryPackage(t, files stricttoml.Table) (e *entry, scoped bool, err error) {
	e = &entry{}
	if e.Name, err = t.Text("name"); err != nil {
		return nil, false, err
	}
	if e.Version, err = t.Text("version"); err != nil {
		return nil, false, err
	}
	if scoped, err = e.poetryScope(t); err != nil {
		return nil, false, err
	}
	if e.Markers, err = poetryMarkers(t); err != nil {
		return nil, false, err
	}
	from := t
	if !t.Has("files") {
		t = stricttoml.Table{"files": files[e.Name]}
		if files[e.Name] == nil {
			t = nil
		}
	}
	list, err := t.Tables("files")
	if err != nil {
		return nil, false, err
	}
	for _, f := range list {
		s, err := f.Text("hash")
		if err != nil {
			return nil, false, err
		}
		h, ok, err := parseHash(s)
		if err != nil {
			return nil, false, err
		}
		if ok {
			e.Hashes = append(e.Hashes, h)
		}
	}
	source, err := from.Table("source")
	if err != nil {
		return nil, false, err
	}
	if err := e.poetrySource(source); err != nil {
		return nil, false, err
	}
	return e, scoped, e.poetryNeeds(from)
}

func (e *entry) poetryScope(t stricttoml.Table) (known bool, err error) {
	optional, err := t.Bool("optional")
	if err != nil {
		return false, err
	}
	groups, err := t.Texts("groups")
	if err != nil {
		return false, err
	}
	category, err := t.Text("category")
	if err != nil {
		return false, err
	}
	if category != "" {
		groups = []string{category}
	}
	for _, g := range groups {
		if g == "main" || g == "default" {
			e.Scope = Required
			if optional {
				e.Scope = Optional
			}
		}
	}
	return len(groups) > 0, nil
}

// poetryMarkers: since lock-version 2.1 a marker, or one by group.
func poetryMarkers(t stricttoml.Table) ([]string, error) {
	by, ok := t["markers"].(map[string]any)
	if !ok {
		one, err := t.Text("markers")
		if one == "" || err != nil {
			return nil, err
		}
		return []string{one}, nil
	}
	groups, err := t.Texts("groups")
	if err != nil {
		return nil, err
	}
	var out []string
	for g := range by {
		m, err := stricttoml.Table(by).Text(g)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	if len(out) < len(groups) { // one of its groups takes it on every platform
		return nil, nil
	}
	return out, nil
}

func (e *entry) poetrySource(t stricttoml.Table) error {
	kind, err := t.Text("type")
	if err != nil {
		return err
	}
	url, err := t.Text("url")
	if err != nil {
		return err
	}
	commit, err := t.Text("resolved_reference")
	if err != nil {
		return err
	}
	if len(url) > 4096 || len(commit) > 256 || !printable(url+commit) {
		return fmt.Errorf("%w: source of %.100q", ErrMalformed, e.Name)
	}
	switch kind {
	case "", "legacy": // an index
	case "git":
		e.Source = "git+" + url + "@" + commit
	default:
		e.Source = url
	}
	return nil
}

func (e *entry) poetryNeeds(t stricttoml.Table) error {
	deps, err := t.Table("dependencies")
	if err != nil {
		return err
	}
	optional := map[string][]need{}
	for name, v := range deps {
		normal, err := Normalise(name)
		if err != nil {
			return err
		}
		list, err := constraints(deps, name, v)
		if err != nil {
			return err
		}
		for _, c := range list {
			n := need{name: normal}
			if n.marker, err = c.Text("markers"); err != nil {
				return err
			}
			names, err := c.Texts("extras")
			if err != nil {
				return err
			}
			if n.extras, err = extras(names); err != nil {
				return err
			}
			may, err := c.Bool("optional")
			if err != nil {
				return err
			}
			if may {
				n.may = true
				optional[normal] = append(optional[normal], n)
			} else {
				n.may = n.marker != "" // what holds on no locked platform is left out
				e.needs = append(e.needs, n)
			}
		}
	}
	ex, err := t.Table("extras")
	if err != nil {
		return err
	}
	e.extras = map[string][]need{}
	for name := range ex {
		extra, err := Normalise(name)
		if err != nil {
			return err
		}
		list, err := ex.Texts(name)
		if err != nil {
			return err
		}
		for _, s := range list {
			r, err := ParseRequirement(s)
			if err != nil {
				return err
			}
			e.extras[extra] = append(e.extras[extra], optional[r.Name]...)
		}
	}
	return nil
}

// constraints are the alternatives of one Poetry dependency: a version, a table,
// or a list of either.
func constraints(t stricttoml.Table, name string, v any) ([]stricttoml.Table, error) {
	switch v := v.(type) {
	case string:
		return []stricttoml.Table{{"version": v}}, nil
	case map[string]any:
		return []stricttoml.Table{v}, nil
	case []any:
		var out []stricttoml.Table
		for _, x := range v {
			switch x := x.(type) {
			case string:
				out = append(out, stricttoml.Table{"version": x})
			case map[string]any:
				out = append(out, x)
			default:
				return nil, fmt.Errorf("%w: dependency %.100q", ErrMalformed, name)
			}
		}
		return out, nil
	}
	return t.Tables(name)
}
