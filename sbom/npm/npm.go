// Package npm reads package.json and npm lockfiles (versions 1 to 3) strictly.
//
// It knows npm's file formats and Node's resolution of names; it must not know
// archives, CycloneDX or the network. Duplicate keys, keys that differ from a
// meaningful one only in case, invalid UTF-8, deep nesting and malformed
// integrities are errors: npm and a lenient reader may disagree about them.
package npm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Errors of the package.
var (
	ErrMalformed = errors.New("malformed npm manifest")
	ErrTooLarge  = errors.New("npm manifest exceeds a limit")
	// ErrVersion: a lockfileVersion other than 1, 2 or 3.
	ErrVersion = errors.New("unknown lockfileVersion")
)

// Limits of one file.
const (
	MaxManifestBytes = 1 << 20
	MaxLockBytes     = 16 << 20
	MaxDepth         = 128
	MaxPackages      = 50_000
	maxPath          = 4096
)

// Manifest is the part of a package.json that matters here.
type Manifest struct {
	Name, Version string
	License       string            // an SPDX expression or free text, if it is a string
	Dependencies  []string          // names of dependencies and optionalDependencies, sorted
	Development   []string          // names of devDependencies, sorted
	Optional      []string          // those of Dependencies that are optional
	Specifiers    map[string]string // what is asked for, by name, over all of these
	Workspaces    []string          // patterns of folders that are part of the project
	Resolutions   map[string]string // yarn's replacements, by pattern
}

// ParseManifest reads a package.json.
func ParseManifest(b []byte) (*Manifest, error) {
	if len(b) > MaxManifestBytes {
		return nil, fmt.Errorf("%w: package.json of more than %d bytes", ErrTooLarge, MaxManifestBytes)
	}
	if err := check(b); err != nil {
		return nil, err
	}
	var raw struct {
		Name                 jsontext.Value            `json:"name"`
		Version              jsontext.Value            `json:"version"`
		License              jsontext.Value            `json:"license"`
		Dependencies         map[string]jsontext.Value `json:"dependencies"`
		OptionalDependencies map[string]jsontext.Value `json:"optionalDependencies"`
		DevDependencies      map[string]jsontext.Value `json:"devDependencies"`
		Workspaces           jsontext.Value            `json:"workspaces"`
		Resolutions          jsontext.Value            `json:"resolutions"`
	}
	if err := decode(b, &raw); err != nil {
		return nil, err
	}
	var resolutions map[string]jsontext.Value
	if raw.Resolutions.Kind() == '{' {
		if err := decode(raw.Resolutions, &resolutions); err != nil {
			return nil, err
		}
	}
	return &Manifest{
		Name: text(raw.Name), Version: text(raw.Version), License: text(raw.License),
		Dependencies: sortedKeys(raw.Dependencies, raw.OptionalDependencies),
		Development:  sortedKeys(raw.DevDependencies),
		Optional:     sortedKeys(raw.OptionalDependencies),
		Specifiers:   specifiers(raw.DevDependencies, raw.Dependencies, raw.OptionalDependencies),
		Workspaces:   workspaces(raw.Workspaces),
		Resolutions:  specifiers(resolutions),
	}, nil
}

// workspaces are a list, or the list "packages" of an object. Anything else is
// no list of folders to any client.
func workspaces(v jsontext.Value) []string {
	var object struct {
		Packages []string `json:"packages"`
	}
	switch {
	case v.Kind() == '[' && json.Unmarshal(v, &object.Packages) == nil:
	case v.Kind() == '{' && json.Unmarshal(v, &object) == nil:
	default:
		return nil
	}
	return object.Packages
}

// decode reads strictly: a byte order mark, as npm strips it, is the one leniency.
func decode(b []byte, into any) error {
	if err := json.Unmarshal(withoutBOM(b), into); err != nil {
		return fmt.Errorf("%w: %s", ErrMalformed, brief(err))
	}
	return nil
}

func withoutBOM(b []byte) []byte { return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")) }

// brief keeps an error short: it may quote what a stranger wrote.
func brief(err error) string {
	s := strings.ToValidUTF8(err.Error(), "?")
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return s
}

// meaningful keys of both formats, by lower case. A key that differs from one of
// them only in case is read by case-insensitive decoders and not by npm.
var meaningful = func() map[string]string {
	m := map[string]string{}
	for _, k := range []string{
		"name", "version", "dependencies", "devDependencies", "optionalDependencies", "peerDependencies",
		"lockfileVersion", "packages", "resolved", "integrity", "dev", "optional", "devOptional", "link",
		"inBundle", "bundled", "requires",
	} {
		m[strings.ToLower(k)] = k
	}
	return m
}()

// level is where in a manifest or lockfile a container stands.
type level byte

const (
	other   level = iota
	entry         // the document, or one package of a lockfile: keys are ours
	entries       // a map of packages: keys are names
)

func below(parent level, key string) level {
	switch {
	case parent == entries:
		return entry
	case parent == entry && (key == "packages" || key == "dependencies"):
		return entries
	}
	return other
}

// check walks the whole document once, before any decoder that recurses does.
func check(b []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(withoutBOM(b)))
	levels, key := []level{other}, ""
	for {
		kind := d.PeekKind()
		depth := d.StackDepth()
		if depth > MaxDepth {
			return fmt.Errorf("%w: nested more than %d deep", ErrTooLarge, MaxDepth)
		}
		parent, n := d.StackIndex(depth)
		tok, err := d.ReadToken()
		switch {
		case errors.Is(err, io.EOF) && depth == 0 && n == 1:
			return nil
		case err != nil:
			return fmt.Errorf("%w: %s", ErrMalformed, brief(err))
		case depth == 0 && (n > 0 || kind != '{'):
			return fmt.Errorf("%w: not one JSON object", ErrMalformed)
		case depth == 0:
			levels = []level{other, entry}
		case parent == '{' && n%2 == 0 && kind == '"':
			key = tok.String()
			if want, ok := meaningful[strings.ToLower(key)]; ok && want != key && levels[depth] == entry {
				return fmt.Errorf("%w: key %q differs from %q only in case", ErrMalformed, key, want)
			}
		case kind == '{':
			levels = append(levels[:depth+1], below(levels[depth], key))
		case kind == '[':
			levels = append(levels[:depth+1], other)
		}
	}
}

func text(v jsontext.Value) string {
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}
