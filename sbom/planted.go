package sbom

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/internal/tree"
	"github.com/bartizan-mcp/bartizan/sbom/npm"
	"github.com/bartizan-mcp/bartizan/sbom/python"
)

// planted is what lies, ready to be loaded, in the folder that an artifact with
// archives of packages becomes (docs/spec/tree.md). A lockfile says which digest a
// package has; only the package says what it is.
type planted struct {
	done     bool
	packages []plantedPackage
	silent   []string // files of packages that do not say which they are
}

type plantedPackage struct {
	at            string // the file that names it, in the tree
	kind          string
	name, version string
}

// brings reports whether the artifact has archives of packages in it.
func (s *stage) brings() bool { return s.tops[path.Dir(tree.ManifestPath)] }

// plant unpacks them, or reads the folder where somebody already has.
func (s *stage) plant(ctx context.Context, in Input, lim archive.Limits) error {
	dir := in.Tree
	if dir == "" {
		work, err := os.MkdirTemp("", "bartizan-sbom-")
		if err != nil {
			return fmt.Errorf("sbom: unpack packages: %w", err)
		}
		defer func() { _ = tree.Remove(work) }()
		dir = filepath.Join(work, "tree")
		if _, err := tree.Materialise(ctx, in.Artifact, dir, lim); err != nil {
			return plantError(err)
		}
	}
	roots := map[string]bool{} // folders of packages; true: with a name
	_, err := archive.Walk(ctx, dir, archive.Directory, lim, func(e archive.Entry, r io.Reader) error {
		folder, base := path.Split(e.Path)
		folder = path.Clean(folder)
		if at := npmFolder(e.Path); at != "" {
			named := at == folder && base == "package.json" && !e.Link
			roots[at] = roots[at] || named
			if named {
				return s.plantNPM(e, r)
			}
			return nil
		}
		if path.Ext(folder) != ".dist-info" {
			return nil
		}
		named := base == "METADATA" && !e.Link
		roots[folder] = roots[folder] || named
		if named {
			return s.plantWheel(e, r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.planted.done = true
	for at, named := range roots {
		if !named {
			s.planted.silent = append(s.planted.silent, at)
		}
	}
	return nil
}

// npmFolder is the folder of the innermost package below a node_modules that
// holds the file; the file itself, if it lies in none, and "" if it is the
// project's own. Names with a dot are clients' own folders.
func npmFolder(at string) string {
	parts := strings.Split(at, "/")
	for i := len(parts) - 2; i >= 0; i-- {
		if parts[i] != "node_modules" || strings.HasPrefix(parts[i+1], ".") {
			continue
		}
		end := i + 2
		if strings.HasPrefix(parts[i+1], "@") {
			end++
		}
		return strings.Join(parts[:min(end, len(parts))], "/")
	}
	return ""
}

func (s *stage) plantNPM(e archive.Entry, r io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(r, npm.MaxManifestBytes+1))
	if err != nil {
		return err
	}
	m, err := npm.ParseManifest(b)
	if err != nil || m.Name == "" {
		s.planted.silent = append(s.planted.silent, e.Path)
		return nil
	}
	s.planted.packages = append(s.planted.packages, plantedPackage{e.Path, "npm", m.Name, m.Version})
	return nil
}

func (s *stage) plantWheel(e archive.Entry, r io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(r, python.MaxManifestBytes+1))
	if err != nil {
		return err
	}
	m, err := python.ParseMetadata(b)
	if err != nil {
		s.planted.silent = append(s.planted.silent, e.Path)
		return nil
	}
	s.planted.packages = append(s.planted.packages, plantedPackage{e.Path, "pypi", m.Name, m.Version})
	return nil
}

// plantError keeps the errors of this package the only ones.
func plantError(err error) error {
	for from, to := range map[error]error{tree.ErrHostile: ErrHostileArchive, tree.ErrManifest: ErrMalformed, tree.ErrIntegrity: ErrHostileArchive} {
		if errors.Is(err, from) {
			return fmt.Errorf("%w: %w", to, err)
		}
	}
	return err
}

// addPlanted holds the packages that would be loaded to those that are listed.
// One that nothing names is listed too, so that it is looked up as every other,
// and the list is not whole: who made it did not know what is in it.
func (g *graph) addPlanted() {
	named := map[string]*node{}
	for _, n := range g.nodes {
		named[identified(n.kind, n.name, n.version)] = n
	}
	named[identified(g.root.kind, g.root.name, g.root.version)] = &g.root
	for _, p := range g.st.planted.packages {
		if n := named[identified(p.kind, p.name, p.version)]; n != nil {
			if n.scope == excluded { // it is here, whatever the lockfile says it is for
				n.scope = required
			}
			continue
		}
		g.gap(p.at, "says "+shown(p.name+"@"+p.version)+", which nothing that is listed by name and version is")
		if p.kind == "npm" {
			g.add(npmNode(p.name, p.version), p.at)
		} else {
			g.addPyPI(pypiNode(&python.Manifest{Name: p.name, Version: p.version}), p.at)
		}
	}
	for _, at := range g.st.planted.silent {
		g.gap(at, "does not say which package it is")
	}
}

// identified is what a package is called, in one spelling.
func identified(kind, name, version string) string {
	if kind == "pypi" {
		version = python.SameVersion(version)
	}
	return kind + "\x00" + valid(name) + "\x00" + valid(version)
}
