package yarn

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/sbom/npm"
)

// classicTree is a classic lockfile with what it says of edges.
type classicTree struct {
	lock     *npm.Lock
	at       map[string]int   // packages by pattern
	byName   map[string][]int // packages by the name that patterns give them
	replaced map[string]bool
	members  map[string]int // workspaces by name; they are not in the lockfile
}

func parseClassic(b []byte, manifests map[string]*npm.Manifest) (*npm.Lock, error) {
	blocks, err := classicBlocks(b)
	if err != nil {
		return nil, err
	}
	t := &classicTree{lock: &npm.Lock{}, at: map[string]int{}, byName: map[string][]int{}, members: map[string]int{}}
	t.replaced = replaced(manifests[""])
	for i, block := range blocks {
		if err := t.add(i, block); err != nil {
			return nil, err
		}
	}
	if root := manifests[""]; root != nil {
		t.lock.Root.Name, t.lock.Root.Version = root.Name, root.Version
		for _, dir := range slices.Sorted(maps.Keys(manifests)) {
			if m := manifests[dir]; dir != "" && npm.Member(root.Workspaces, dir) {
				t.members[m.Name] = len(t.lock.Packages)
				if err := t.lock.Add(npm.Package{Path: dir, Name: m.Name, Version: m.Version, Local: true}, ""); err != nil {
					return nil, err
				}
			}
		}
	}
	for i, block := range blocks {
		p := &t.lock.Packages[i]
		for name, spec := range block.dependencies {
			t.link(p, name, spec, false, false)
		}
		for name, spec := range block.optional {
			t.link(p, name, spec, true, false)
		}
	}
	t.ask(&t.lock.Root, manifests[""])
	for i := range t.lock.Packages {
		if p := &t.lock.Packages[i]; p.Local {
			t.ask(p, manifests[p.Path])
		}
	}
	t.lock.Settle()
	t.lock.Classify()
	return t.lock, nil
}

func (t *classicTree) add(i int, b *classicBlock) error {
	first, spec := patternName(b.patterns[0])
	p := npm.Package{Path: b.patterns[0], Name: first, Version: b.version}
	if b.name != "" {
		p.Name = b.name
	}
	if alias, ok := strings.CutPrefix(spec, "npm:"); ok {
		p.Name, _ = patternName(alias)
	}
	resolved, _, _ := strings.Cut(b.resolved, "#") // of a tarball, its SHA-1
	p.Source = npm.Source(p, resolved)
	if p.Source != "" && strings.HasPrefix(b.resolved, "git") {
		p.Source = npm.Source(p, b.resolved)
	}
	if sum := tarballSHA1.FindStringSubmatch(b.resolved); sum != nil {
		p.Hashes = append(p.Hashes, npm.Hash{Algorithm: "sha1", Hex: sum[1]})
	}
	for _, pattern := range b.patterns {
		if _, twice := t.at[pattern]; twice {
			return fmt.Errorf("%w: %.100q is locked twice", npm.ErrMalformed, pattern)
		}
		t.at[pattern] = i
		name, _ := patternName(pattern)
		if own := t.byName[name]; len(own) == 0 || own[len(own)-1] != i {
			t.byName[name] = append(own, i)
		}
	}
	return t.lock.Add(p, b.integrity)
}

var tarballSHA1 = regexp.MustCompile(`\.tgz#([0-9a-f]{40})$`)

// ask adds what a package.json asks for.
func (t *classicTree) ask(p *npm.Package, m *npm.Manifest) {
	if m == nil {
		return
	}
	for _, name := range m.Development {
		t.link(p, name, m.Specifiers[name], false, true)
	}
	for _, name := range m.Dependencies {
		t.link(p, name, m.Specifiers[name], slices.Contains(m.Optional, name), false)
	}
}

// link follows a dependency to the entry with its pattern; a workspace stands
// for its own name, and a resolution for every pattern of the name.
func (t *classicTree) link(p *npm.Package, name, spec string, weak, dev bool) {
	if i, ok := t.at[name+"@"+spec]; ok {
		p.Link(i, weak, dev)
		return
	}
	if i, ok := t.members[name]; ok {
		p.Link(i, weak, dev)
		return
	}
	if local := strings.HasPrefix(spec, "link:"); local {
		return // a folder, used where it stands
	}
	if found := t.byName[name]; t.replaced[name] && len(found) > 0 {
		for _, i := range found {
			p.Link(i, weak, dev)
		}
		return
	}
	if !weak {
		p.Unresolved = append(p.Unresolved, name)
	}
}
