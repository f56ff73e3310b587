// Package npmtest shows dependency trees as the tests of their readers expect
// them. It serves tests alone.
package npmtest

import "github.com/bartizan-mcp/bartizan/sbom/npm"

// Shown is a tree as lines: "a@1.0.0 optional -> b@1.0.0".
func Shown(l *npm.Lock) []string {
	name := func(p npm.Package) string {
		if p.Version == "" && p.Name == "" {
			return "[" + p.Path + "]"
		}
		return p.Name + "@" + p.Version
	}
	var out []string
	show := func(p npm.Package) {
		line := name(p)
		if p.Development {
			line += " development"
		}
		if p.Optional {
			line += " optional"
		}
		if p.Source != "" {
			line += " from " + p.Source
		}
		for _, h := range p.Hashes {
			line += " " + h.Algorithm
		}
		for _, to := range p.DependsOn {
			line += " -> " + name(l.Packages[to])
		}
		for _, missing := range p.Unresolved {
			line += " -> ?" + missing
		}
		out = append(out, line)
	}
	show(l.Root)
	for _, p := range l.Packages {
		show(p)
	}
	return out
}
