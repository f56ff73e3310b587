package npm

import (
	"path"
	"strings"
)

// Member tells whether a folder is one of a project's workspaces: patterns are
// of folders, with * within a name and ** for any folders.
func Member(patterns []string, dir string) bool {
	in := false
	for _, p := range patterns {
		negated := strings.HasPrefix(p, "!")
		p = path.Clean(strings.TrimPrefix(p, "!"))
		if matches(strings.Split(p, "/"), strings.Split(dir, "/")) {
			in = !negated
		}
	}
	return in
}

// matches walks both at once; a ** takes as many folders as it needs. Greedy
// with one step back is enough, so the work stays within len(pattern)*len(dir).
func matches(pattern, dir []string) bool {
	p, d, star, resume := 0, 0, -1, 0
	for d < len(dir) {
		switch {
		case p < len(pattern) && pattern[p] == "**":
			star, resume = p, d
			p++
		case p < len(pattern) && matchName(pattern[p], dir[d]):
			p++
			d++
		case star >= 0:
			resume++
			p, d = star+1, resume
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == "**" {
		p++
	}
	return p == len(pattern)
}

func matchName(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
