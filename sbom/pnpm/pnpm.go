// Package pnpm reads pnpm-lock.yaml of the lockfile versions 5.x, 6.x and 9.x
// (https://github.com/pnpm/spec/tree/master/lockfile) strictly, in the terms of
// sbom/npm. It knows pnpm's format and must not know archives, CycloneDX or the
// network.
package pnpm

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/sbom/lockyaml"
	"github.com/bartizan-mcp/bartizan/sbom/npm"
)

// reader turns one lockfile into a tree.
type reader struct {
	doc   lockyaml.Node
	major string
	lock  *npm.Lock
	at    map[string]int // packages by key, peers' suffix included
	local map[string]int // workspaces by directory; -1 is the project itself
}

// Parse reads a lockfile. Errors are npm.ErrMalformed, npm.ErrTooLarge and, for
// other lockfile versions, npm.ErrVersion.
func Parse(b []byte) (*npm.Lock, error) {
	doc, err := lockyaml.Parse(b)
	if errors.Is(err, lockyaml.ErrTooLarge) {
		return nil, fmt.Errorf("%w: %w", npm.ErrTooLarge, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", npm.ErrMalformed, err)
	}
	version := doc.Get("lockfileVersion").Text()
	r := &reader{doc: doc, at: map[string]int{}, local: map[string]int{".": -1}}
	r.lock = &npm.Lock{Asked: map[string]map[string]string{}, Overridden: map[string]bool{}}
	r.major, _, _ = strings.Cut(version, ".")
	switch r.major {
	case "5", "6", "9":
	default:
		return nil, fmt.Errorf("%w: %.20q", npm.ErrVersion, version)
	}
	for name := range doc.Get("overrides").Entries() { // "a", "a@1", "b>a@1"
		r.lock.Overridden[target(name)] = true
	}
	if err := r.packages(); err != nil {
		return nil, err
	}
	if err := r.importers(); err != nil {
		return nil, err
	}
	r.lock.Settle()
	r.lock.Classify()
	return r.lock, nil
}

// target is the package that an override is about.
func target(selector string) string {
	if i := strings.LastIndexByte(selector, '>'); i >= 0 {
		selector = selector[i+1:]
	}
	name, _ := cutVersion(selector)
	return name
}

// packages lists what is locked. Up to version 6 an entry of `packages` is one
// package with its edges; in version 9 edges are in `snapshots`, one for each
// set of peers, and everything else is in `packages` once.
func (r *reader) packages() error {
	entries, facts := r.doc.Get("packages"), map[string]lockyaml.Node{}
	edges := entries
	if r.major == "9" {
		edges = r.doc.Get("snapshots")
	}
	for key, entry := range entries.Entries() {
		facts[key] = entry
	}
	snapshots := map[string]lockyaml.Node{}
	described := map[string]bool{}
	for key, edge := range edges.Entries() {
		fact, ok := edge, true
		if r.major == "9" {
			plain, _, _ := strings.Cut(key, "(")
			fact, ok = facts[plain]
			described[plain] = true
		}
		if !ok || !edge.IsMapping() {
			return fmt.Errorf("%w: snapshot %.100q of no package", npm.ErrMalformed, key)
		}
		if err := r.add(key, fact, edge); err != nil {
			return err
		}
		snapshots[key] = edge
	}
	for key, fact := range facts {
		if r.major == "9" && !described[key] {
			if err := r.add(key, fact, lockyaml.Node{}); err != nil {
				return err
			}
		}
	}
	slices.SortFunc(r.lock.Packages, func(a, b npm.Package) int { return strings.Compare(a.Path, b.Path) })
	for i, p := range r.lock.Packages {
		r.at[p.Path] = i
	}
	for i := range r.lock.Packages {
		p := &r.lock.Packages[i]
		entry := snapshots[p.Path]
		for _, group := range []struct {
			name string
			weak bool
		}{{"dependencies", false}, {"optionalDependencies", true}} {
			for name, ref := range entry.Get(group.name).Entries() {
				r.link(p, ".", name, ref.Text(), group.weak, false)
			}
		}
	}
	return nil
}

func (r *reader) add(key string, fact, edge lockyaml.Node) error {
	if len(key) > maxKey {
		return fmt.Errorf("%w: package key of more than %d bytes", npm.ErrTooLarge, maxKey)
	}
	resolution := fact.Get("resolution")
	name, version := r.identity(key)
	p := npm.Package{Path: key, Name: name, Version: version, Bundled: edge.Get("bundled").True()}
	registry := plain.MatchString(version)
	switch stated := fact.Get("name").Text(); {
	case stated == "":
	case registry && stated != name:
		return fmt.Errorf("%w: package %.100q calls itself %.100q", npm.ErrMalformed, key, stated)
	default:
		p.Name = stated
	}
	switch stated := fact.Get("version").Text(); {
	case stated == "":
	case registry && stated != version:
		return fmt.Errorf("%w: package %.100q calls itself version %.100q", npm.ErrMalformed, key, stated)
	default:
		p.Version = stated
	}
	switch tarball := resolution.Get("tarball").Text(); {
	case resolution.Get("commit").Present():
		p.Source = npm.Source(p, resolution.Get("repo").Text()+"#"+resolution.Get("commit").Text())
	case resolution.Get("directory").Present():
		p.Source = npm.Source(p, "file:"+resolution.Get("directory").Text())
	case tarball != "":
		p.Source = npm.Source(p, tarball)
	}
	return r.lock.Add(p, resolution.Get("integrity").Text())
}

// importers are the project and its workspaces. A lockfile without the key has
// the project's own at its top.
func (r *reader) importers() error {
	importers := r.doc.Get("importers")
	if !importers.Present() {
		return r.importer(".", r.doc)
	}
	for dir := range importers.Entries() {
		if dir == "." {
			continue
		}
		if path.Clean(dir) != dir || path.IsAbs(dir) || strings.Contains(dir, `\`) || len(dir) > maxKey {
			return fmt.Errorf("%w: importer %.100q", npm.ErrMalformed, dir)
		}
		if strings.HasPrefix(dir, "../") || dir == ".." {
			continue // outside of the artifact
		}
		if _, twice := r.at[dir]; twice {
			return fmt.Errorf("%w: importer %.100q is a package too", npm.ErrMalformed, dir)
		}
		r.local[dir] = len(r.lock.Packages)
		if err := r.lock.Add(npm.Package{Path: dir, Local: true}, ""); err != nil {
			return err
		}
	}
	for dir, entry := range importers.Entries() {
		if _, ok := r.local[dir]; !ok {
			continue
		}
		if err := r.importer(dir, entry); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) importer(dir string, entry lockyaml.Node) error {
	self, at := &r.lock.Root, ""
	if i := r.local[dir]; i >= 0 {
		self, at = &r.lock.Packages[i], dir
	}
	asked := map[string]string{}
	for name, spec := range entry.Get("specifiers").Entries() {
		asked[name] = spec.Text()
	}
	for _, group := range []struct {
		name      string
		weak, dev bool
	}{{"devDependencies", false, true}, {"dependencies", false, false}, {"optionalDependencies", true, false}} {
		for name, value := range entry.Get(group.name).Entries() {
			ref := value.Text()
			if value.IsMapping() {
				ref = value.Get("version").Text()
				asked[name] = value.Get("specifier").Text()
			}
			if ref == "" {
				return fmt.Errorf("%w: %.100q has no version", npm.ErrMalformed, name)
			}
			r.link(self, dir, name, ref, group.weak, group.dev)
		}
	}
	r.lock.Asked[at] = asked
	return nil
}

// link adds the edge that a dependency stands for.
func (r *reader) link(p *npm.Package, dir, name, ref string, weak, dev bool) {
	if to, ok := strings.CutPrefix(ref, "link:"); ok {
		switch i, ok := r.local[path.Join(dir, to)]; {
		case ok && i >= 0:
			p.Link(i, weak, dev)
		case !ok && !weak:
			p.Unresolved = append(p.Unresolved, name)
		}
		return
	}
	if i, ok := r.at[r.key(name, ref)]; ok {
		p.Link(i, weak, dev)
	} else if !weak {
		p.Unresolved = append(p.Unresolved, name)
	}
}
