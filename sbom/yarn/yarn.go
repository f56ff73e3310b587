// Package yarn reads yarn.lock, of Yarn 1 ("classic") and of Yarn 2 and later
// ("berry"), strictly and in the terms of sbom/npm.
//
// Classic does not write down what the project asks for, berry not which of it
// is for development: both are read from the package.json files beside it. The
// checksums of berry are of its own repacked archives, not of what a registry
// serves; they are not hashes of the package and are not kept as such.
//
// It knows yarn's formats and must not know archives, CycloneDX or the network.
package yarn

import (
	"bytes"
	"strings"

	"github.com/bartizan-mcp/bartizan/sbom/npm"
)

// maxKey bounds what an entry is found by.
const maxKey = 4096

// Parse reads a lockfile, given the package.json files of the project by their
// directory, "" for its own. Errors are npm.ErrMalformed, npm.ErrTooLarge and,
// for a format of the future, npm.ErrVersion.
func Parse(b []byte, manifests map[string]*npm.Manifest) (*npm.Lock, error) {
	if bytes.Contains(b, []byte("__metadata:")) {
		return parseBerry(b, manifests)
	}
	return parseClassic(b, manifests)
}

// patternName is the name that a pattern or descriptor is about: a, @s/a.
func patternName(pattern string) (name, spec string) {
	if pattern == "" {
		return "", ""
	}
	i := strings.IndexByte(pattern[1:], '@')
	if i < 0 {
		return pattern, ""
	}
	return pattern[:i+1], pattern[i+2:]
}

// replaced are the names that the project's resolutions are about: "a",
// "b/a", "**/a", "a@npm:^1".
func replaced(m *npm.Manifest) map[string]bool {
	names := map[string]bool{}
	if m == nil {
		return names
	}
	for pattern := range m.Resolutions {
		parts := strings.Split(pattern, "/")
		last := parts[len(parts)-1]
		if len(parts) > 1 && strings.HasPrefix(parts[len(parts)-2], "@") {
			last = parts[len(parts)-2] + "/" + last
		}
		name, _ := patternName(last)
		names[name] = true
	}
	return names
}
