package python

import (
	"fmt"
	"slices"
	"strings"
)

// Requirement is one dependency specifier:
// https://packaging.python.org/en/latest/specifications/dependency-specifiers/.
type Requirement struct {
	Name      string   // normalised
	Extras    []string // normalised, sorted
	Specifier string   // of versions, such as ">=1,<2"
	URL       string   // of a direct reference
	Marker    string
}

// Pin is the one version that the requirement allows, or "".
func (r Requirement) Pin() string {
	for part := range strings.SplitSeq(r.Specifier, ",") {
		part = strings.TrimSpace(part)
		v, ok := strings.CutPrefix(part, "===")
		if !ok {
			v, ok = strings.CutPrefix(part, "==")
		}
		if v = strings.TrimSpace(v); ok && v != "" && !strings.HasSuffix(v, "*") && version(v) == nil {
			return v
		}
	}
	return ""
}

// String is the requirement as pip would be told it.
func (r Requirement) String() string {
	s := r.Name
	if len(r.Extras) > 0 {
		s += "[" + strings.Join(r.Extras, ",") + "]"
	}
	if r.URL != "" {
		return s + " @ " + r.URL
	}
	return s + r.Specifier
}

// ParseRequirement reads one dependency specifier.
func ParseRequirement(s string) (Requirement, error) {
	bad := func() (Requirement, error) {
		return Requirement{}, fmt.Errorf("%w: %.100q is no requirement", ErrMalformed, s)
	}
	if len(s) > 8192 || !printable(strings.ReplaceAll(s, "\t", " ")) {
		return bad()
	}
	rest := strings.TrimSpace(s)
	end := strings.IndexFunc(rest, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r))
	})
	if end < 0 {
		end = len(rest)
	}
	var r Requirement
	var err error
	if r.Name, err = Normalise(rest[:end]); err != nil {
		return bad()
	}
	rest = strings.TrimSpace(rest[end:])
	if inner, ok := strings.CutPrefix(rest, "["); ok {
		list, after, closed := strings.Cut(inner, "]")
		if !closed {
			return bad()
		}
		if r.Extras, err = extras(strings.Split(list, ",")); err != nil {
			return bad()
		}
		rest = strings.TrimSpace(after)
	}
	if url, ok := strings.CutPrefix(rest, "@"); ok {
		// A URL may hold a semicolon: the marker's has a space before it.
		r.URL, r.Marker, _ = strings.Cut(strings.TrimSpace(url), " ;")
		r.URL, r.Marker = strings.TrimSpace(r.URL), strings.TrimSpace(r.Marker)
		if r.URL == "" || strings.ContainsAny(r.URL, " \t") {
			return bad()
		}
		return r, nil
	}
	r.Specifier, r.Marker, _ = strings.Cut(rest, ";")
	r.Marker = strings.TrimSpace(r.Marker)
	r.Specifier = strings.TrimSpace(r.Specifier)
	if inner, ok := strings.CutPrefix(r.Specifier, "("); ok {
		inner, ok = strings.CutSuffix(inner, ")")
		if !ok {
			return bad()
		}
		r.Specifier = strings.TrimSpace(inner)
	}
	r.Specifier = strings.Join(strings.Fields(r.Specifier), "")
	if r.Specifier != "" && !strings.ContainsRune("<>=!~", rune(r.Specifier[0])) {
		return bad()
	}
	return r, nil
}

func extras(names []string) ([]string, error) {
	var out []string
	for _, name := range names {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		n, err := Normalise(name)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func parseRequirements(list []string) ([]Requirement, error) {
	var out []Requirement
	for _, s := range list {
		r, err := ParseRequirement(s)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// forExtra tells whether a marker asks for an extra of the package itself.
func forExtra(marker string) bool {
	for part := range strings.FieldsFuncSeq(marker, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_')
	}) {
		if part == "extra" {
			return true
		}
	}
	return false
}
