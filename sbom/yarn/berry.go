package yarn

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/bartizan-mcp/bartizan/sbom/lockyaml"
	"github.com/bartizan-mcp/bartizan/sbom/npm"
)

// Versions of the format: Yarn 2 writes 4, 3 writes 6, 4 writes 8 and later.
const minBerry, maxBerry = 4, 12

// berryTree is a berry lockfile.
type berryTree struct {
	lock     *npm.Lock
	at       map[string]int   // packages by descriptor, a@npm:^1.0.0
	byName   map[string][]int // packages by the name in their descriptors
	patched  map[string]int   // patches by the descriptor that they patch
	replaced map[string]bool
}

func parseBerry(b []byte, manifests map[string]*npm.Manifest) (*npm.Lock, error) {
	doc, err := lockyaml.Parse(b)
	if errors.Is(err, lockyaml.ErrTooLarge) {
		return nil, fmt.Errorf("%w: %w", npm.ErrTooLarge, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", npm.ErrMalformed, err)
	}
	version := doc.Get("__metadata").Get("version").Text()
	if n, err := strconv.Atoi(version); err != nil || n < minBerry || n > maxBerry {
		return nil, fmt.Errorf("%w: %.20q", npm.ErrVersion, version)
	}
	t := &berryTree{at: map[string]int{}, byName: map[string][]int{}, patched: map[string]int{}, replaced: replaced(manifests[""])}
	t.lock = &npm.Lock{Asked: map[string]map[string]string{}, Overridden: t.replaced}
	var entries []lockyaml.Node // of lock.Packages, in the same order
	var project lockyaml.Node
	for key, entry := range doc.Entries() {
		if key == "__metadata" {
			continue
		}
		root, err := t.add(key, entry)
		if err != nil {
			return nil, err
		}
		if root {
			project = entry
		} else {
			entries = append(entries, entry)
		}
	}
	t.edges(&t.lock.Root, project, manifests[""])
	for i, entry := range entries {
		p := &t.lock.Packages[i]
		var m *npm.Manifest
		if p.Local {
			m = manifests[p.Path]
		}
		t.edges(p, entry, m)
	}
	t.lock.Settle()
	t.lock.Classify()
	return t.lock, nil
}

// add lists an entry and says whether it is the project itself, which is not a
// package of its own.
func (t *berryTree) add(key string, entry lockyaml.Node) (root bool, err error) {
	if len(key) > 16*maxKey {
		return false, fmt.Errorf("%w: a key of more than %d bytes", npm.ErrTooLarge, 16*maxKey)
	}
	name, reference := patternName(entry.Get("resolution").Text())
	if name == "" || reference == "" {
		return false, fmt.Errorf("%w: %.100q has no resolution", npm.ErrMalformed, key)
	}
	index := len(t.lock.Packages)
	p := npm.Package{Path: key, Name: name, Version: entry.Get("version").Text()}
	if dir, ok := strings.CutPrefix(reference, "workspace:"); ok {
		if dir == "." {
			index, root = -1, true
			t.lock.Root.Name = name
		} else if path.Clean(dir) != dir || path.IsAbs(dir) || strings.HasPrefix(dir, "..") {
			return false, fmt.Errorf("%w: workspace %.100q", npm.ErrMalformed, dir)
		}
		p.Path, p.Version, p.Local = dir, "", true
	} else {
		p.Source, err = berrySource(&p, reference)
		if err != nil {
			return false, err
		}
	}
	for descriptor := range strings.SplitSeq(key, ",") {
		descriptor = strings.TrimSpace(descriptor)
		if _, twice := t.at[descriptor]; twice || descriptor == "" {
			return false, fmt.Errorf("%w: %.100q is locked twice", npm.ErrMalformed, descriptor)
		}
		t.at[descriptor] = index
		name, spec := patternName(descriptor)
		if inner, ok := strings.CutPrefix(spec, "patch:"); ok {
			inner, _, _ = strings.Cut(inner, "#")
			if plain, err := url.PathUnescape(inner); err == nil {
				t.patched[plain] = index
			}
		}
		if own := t.byName[name]; len(own) == 0 || own[len(own)-1] != index {
			t.byName[name] = append(own, index)
		}
	}
	if root {
		return true, nil
	}
	return false, t.lock.Add(p, "")
}

// berrySource tells where a reference leads: npm:1.0.0 to the registry, a patch
// to what it patches, everything else to a place of its own. The version that a
// reference names is the one that counts.
func berrySource(p *npm.Package, reference string) (string, error) {
	if i := strings.IndexByte(reference, '#'); i >= 0 && strings.HasPrefix(reference, "virtual:") {
		reference = reference[i+1:]
	}
	if inner, ok := strings.CutPrefix(reference, "patch:"); ok {
		inner, how, _ := strings.Cut(inner, "#")
		plain, err := url.PathUnescape(inner)
		if err != nil {
			return "", fmt.Errorf("%w: patch of %.100q", npm.ErrMalformed, inner)
		}
		if name, of := patternName(plain); name != p.Name || strings.HasPrefix(of, "npm:") && of != "npm:"+p.Version {
			return "", fmt.Errorf("%w: %.100q is a patch of %.100q", npm.ErrMalformed, p.Name, plain)
		}
		if how = strings.TrimLeft(strings.TrimPrefix(how, "optional!"), "~"); strings.HasPrefix(how, "builtin<") {
			return "", nil // yarn's own, and the same code for everybody
		}
		return npm.Source(*p, reference), nil
	}
	if version, ok := strings.CutPrefix(reference, "npm:"); ok {
		version, archive, _ := strings.Cut(version, "::")
		if version != p.Version {
			return "", fmt.Errorf("%w: %.100q resolves to version %.100q", npm.ErrMalformed, p.Name+"@"+p.Version, version)
		}
		if at, ok := strings.CutPrefix(archive, "__archiveUrl="); ok {
			address, err := url.PathUnescape(at)
			if err != nil {
				return "", fmt.Errorf("%w: archive of %.100q", npm.ErrMalformed, p.Name)
			}
			return npm.Source(*p, address), nil
		}
		return "", nil
	}
	return npm.Source(*p, reference), nil
}

// edges adds what an entry depends on. Development dependencies stand among the
// others; only package.json tells them apart.
func (t *berryTree) edges(p *npm.Package, entry lockyaml.Node, m *npm.Manifest) {
	asked := map[string]string{}
	meta := entry.Get("dependenciesMeta")
	for name, spec := range entry.Get("dependencies").Entries() {
		weak, dev := meta.Get(name).Get("optional").True(), false
		if m != nil {
			dev = slices.Contains(m.Development, name) && !slices.Contains(m.Dependencies, name)
			weak = weak || slices.Contains(m.Optional, name)
		}
		asked[name] = spec.Text()
		t.link(p, name, spec.Text(), weak, dev)
	}
	if m == nil {
		return
	}
	at := p.Path // "" for the project itself
	for name, spec := range asked {
		// Newer versions write the protocol that package.json may leave out.
		if want := m.Specifiers[name]; want != spec && (want == strings.TrimPrefix(spec, "npm:") || strings.HasPrefix(want, "catalog:")) {
			asked[name] = want
		}
	}
	t.lock.Asked[at] = asked
}

func (t *berryTree) link(p *npm.Package, name, spec string, weak, dev bool) {
	for _, descriptor := range []string{name + "@" + spec, name + "@npm:" + spec, name + "@workspace:" + spec} {
		if i, ok := t.at[descriptor]; ok {
			if i >= 0 {
				p.Link(i, weak, dev)
			}
			// Yarn's own patches stand beside what they patch, unasked for.
			if i, ok := t.patched[descriptor]; ok && i >= 0 {
				p.Link(i, weak, dev)
			}
			return
		}
	}
	found := t.byName[name]
	if t.replaced[name] || t.local(found, spec) {
		for _, i := range found {
			if i >= 0 {
				p.Link(i, weak, dev)
			}
		}
		if len(found) > 0 {
			return
		}
	}
	if !weak && !strings.HasPrefix(spec, "link:") {
		p.Unresolved = append(p.Unresolved, name)
	}
}

// local: a workspace of the name answers to every specifier of the protocol.
func (t *berryTree) local(found []int, spec string) bool {
	return strings.HasPrefix(spec, "workspace:") && slices.ContainsFunc(found, func(i int) bool {
		return i < 0 || t.lock.Packages[i].Local
	})
}
