package python

import (
	"fmt"
	"strings"
)

// ParseMetadata reads the METADATA of a wheel or an installed package, or the
// PKG-INFO of an sdist: https://packaging.python.org/en/latest/specifications/core-metadata/.
// The description below the fields is not looked at.
func ParseMetadata(b []byte) (*Manifest, error) {
	if len(b) > MaxManifestBytes {
		return nil, fmt.Errorf("%w: metadata of more than %d bytes", ErrTooLarge, MaxManifestBytes)
	}
	m := &Manifest{Project: true, Extras: map[string][]Requirement{}}
	var free string
	var classifiers []string
	seen := map[string]bool{}
	for line := range strings.SplitSeq(string(b), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			continue // of a text over several lines, which none of our fields is
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("%w: a line of metadata without a field", ErrMalformed)
		}
		key, value = strings.ToLower(key), strings.TrimSpace(value)
		switch key {
		case "name", "version", "metadata-version", "license-expression", "license":
			if seen[key] {
				return nil, fmt.Errorf("%w: %s twice", ErrMalformed, key)
			}
			seen[key] = true
		}
		var err error
		switch key {
		case "name":
			m.Name, err = Normalise(value)
		case "version":
			m.Version, err = value, version(value)
		case "license-expression":
			m.license(value)
		case "license":
			free = value
		case "classifier":
			classifiers = append(classifiers, value)
		case "dynamic":
			m.Dynamic = m.Dynamic || strings.EqualFold(value, "requires-dist")
		case "requires-dist":
			var r Requirement
			if r, err = ParseRequirement(value); err == nil {
				m.require(r)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if m.Name == "" || m.Version == "" {
		return nil, fmt.Errorf("%w: metadata without name or version", ErrMalformed)
	}
	if len(m.Licenses) == 0 && free != "" && free != "UNKNOWN" {
		m.license(free)
	}
	m.classified(classifiers)
	return m, nil
}

// require files a dependency under what it is for.
func (m *Manifest) require(r Requirement) {
	if forExtra(r.Marker) {
		m.Extras["extra"] = append(m.Extras["extra"], r)
		return
	}
	m.Dependencies = append(m.Dependencies, r)
}
