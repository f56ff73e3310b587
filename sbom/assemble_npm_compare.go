package sbom

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// compareManifests says where a lockfile was made for other package.json files
// than those beside it: what it locks is then not what an installation brings.
func (g *graph) compareManifests(dir string, l npmLock, missing []string) {
	for _, at := range sorted(l.Asked) {
		p := g.st.npm[path.Join(dir, at)]
		if p == nil || p.manifest == nil {
			continue
		}
		asked, wants := l.Asked[at], p.manifest.Specifiers
		var differ []string
		for name := range maps.Keys(wants) {
			if _, ok := asked[name]; !ok && (at != "" || !slices.Contains(missing, name)) {
				differ = append(differ, name)
			}
		}
		for name, spec := range asked {
			if want, ok := wants[name]; (!ok || want != spec) && !l.Overridden[name] {
				differ = append(differ, name)
			}
		}
		if len(differ) > 0 {
			g.gap(path.Join(dir, l.name), fmt.Sprintf("is stale: %s asks otherwise for %s", g.location(path.Join(dir, at, "package.json")), few(differ)))
		}
	}
}

// compareLocks: lockfiles of two clients that name different packages. Which of
// them an installation follows is not for us to say.
func (g *graph) compareLocks(dir string, locks []npmLock) {
	first := needed(locks[0])
	for _, l := range locks[1:] {
		var differ []string
		other := needed(l)
		for id := range maps.Keys(first) {
			if !other[id] {
				differ = append(differ, id)
			}
		}
		for id := range maps.Keys(other) {
			if !first[id] {
				differ = append(differ, id)
			}
		}
		if len(differ) > 0 {
			g.gap(path.Join(dir, l.name), fmt.Sprintf("disagrees with %s about %s", locks[0].name, few(differ)))
		}
	}
}

// needed are the packages without which the project does not run. Clients differ
// in which development and optional ones they write down.
func needed(l npmLock) map[string]bool {
	out := map[string]bool{}
	for _, p := range l.Packages {
		if !p.Local && !p.Development && !p.Optional {
			out[p.Name+"@"+p.Version] = true
		}
	}
	return out
}

// few names up to three of what a stranger called something, and counts the rest.
func few(names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	shown := names[:min(len(names), 3)]
	for i, name := range shown {
		if !plainName.MatchString(name) {
			shown[i] = "a name that npm does not allow"
		}
	}
	text := strings.Join(shown, ", ")
	if rest := len(names) - len(shown); rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}

var plainName = regexp.MustCompile(`^[0-9A-Za-z@/._~+-]{1,214}$`)
