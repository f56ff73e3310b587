package python

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type pipfilePackage struct {
	Version string   `json:"version"`
	Hashes  []string `json:"hashes"`
	Markers string   `json:"markers"`
	Git     string   `json:"git"`
	Ref     string   `json:"ref"`
	File    string   `json:"file"`
	Path    string   `json:"path"`
}

// parsePipfile reads Pipfile.lock, pipfile-spec 6
// (https://pipenv.pypa.io/en/latest/pipfile.html). It records no dependencies
// between packages; beside "default" and "develop" it may have named categories.
func parsePipfile(b []byte, _ *Manifest) (*Lock, error) {
	if err := shallow(b); err != nil {
		return nil, err
	}
	sections := map[string]jsontext.Value{}
	if err := decode(b, &sections); err != nil {
		return nil, err
	}
	var meta struct {
		Spec int `json:"pipfile-spec"`
	}
	if err := decode(sections["_meta"], &meta); err != nil {
		return nil, err
	}
	if meta.Spec != 6 {
		return nil, fmt.Errorf("%w: pipfile-spec %d", ErrVersion, meta.Spec)
	}
	delete(sections, "_meta")
	at := map[string]*entry{}
	var entries []*entry
	for section, content := range sections {
		var packages map[string]pipfilePackage
		if err := decode(content, &packages); err != nil {
			return nil, err
		}
		scope := Required
		if section != "default" {
			scope = Development
		}
		for name, p := range packages {
			e, err := p.entry(name)
			if err != nil {
				return nil, err
			}
			e.Scope = scope
			if err := e.check(); err != nil {
				return nil, err
			}
			key := e.Name + "\x00" + e.Version + "\x00" + e.Source
			if have := at[key]; have != nil {
				have.Scope = max(have.Scope, scope)
				have.Hashes = append(have.Hashes, e.Hashes...)
				if len(e.Markers) == 0 {
					have.Markers = nil
				}
				continue
			}
			at[key] = e
			entries = append(entries, e)
		}
	}
	return settle(entries, true)
}

func decode(b []byte, into any) error {
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%w: Pipfile.lock: %.200s", ErrMalformed, strings.ToValidUTF8(err.Error(), "?"))
	}
	return nil
}

func (p pipfilePackage) entry(name string) (*entry, error) {
	e := &entry{Package: Package{Name: name, Version: strings.TrimLeft(p.Version, "=")}}
	switch {
	case p.Git != "":
		e.Source = "git+" + p.Git + "@" + p.Ref
	case p.File != "":
		e.Source = p.File
	case p.Path != "":
		e.Source = p.Path
	}
	if len(e.Source) > 4096 || !printable(e.Source) {
		return nil, fmt.Errorf("%w: source of %.100q", ErrMalformed, name)
	}
	if p.Markers != "" {
		e.Markers = []string{p.Markers}
	}
	for _, s := range p.Hashes {
		h, ok, err := parseHash(s)
		if err != nil {
			return nil, err
		}
		if ok {
			e.Hashes = append(e.Hashes, h)
		}
	}
	return e, nil
}

// shallow refuses nesting before a decoder recurses into it. The library itself
// refuses duplicate keys and text that is not UTF-8.
func shallow(b []byte) error {
	depth, inString := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > 64 {
				return fmt.Errorf("%w: nested more than 64 deep", ErrTooLarge)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	if len(b) == 0 || !jsontext.Value(b).IsValid() {
		return fmt.Errorf("%w: not JSON", ErrMalformed)
	}
	return nil
}
