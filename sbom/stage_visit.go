package sbom

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/archive"
)

// unread lockfiles and manifests describe dependencies that this version does
// not list: their presence is said instead.
var unread = []string{
	"bun.lock", "bun.lockb", "deno.lock",
	"conda-lock.yml", "environment.yml",
	"Gemfile.lock", "composer.lock", "pom.xml", "build.gradle", "packages.lock.json",
}

// read manifests, by the name that counts.
var manifestNames = []string{"package.json", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "go.mod", "go.sum", ResolutionFile}

func (s *stage) visit(e archive.Entry, r io.Reader) error {
	dir, base := path.Split(e.Path)
	dir = path.Clean(dir)
	if s.image.current == nil {
		s.files[e.Path] = true
	}
	top, _, nested := strings.Cut(e.Path, "/")
	s.tops[top] = s.tops[top] || nested
	if name, ok := manifest(base); ok && wantsManifest(dir, name) {
		switch {
		case e.Link:
			return fmt.Errorf("%w: %q is a link", ErrHostileArchive, e.Path)
		case name != base:
			return fmt.Errorf("%w: %q can be taken for %s", ErrHostileArchive, e.Path, name)
		}
		if s.manifests++; s.manifests > maxManifests {
			return fmt.Errorf("%w: more than %d manifests", ErrTooLarge, maxManifests)
		}
		return s.manifest(e, dir, base, r)
	}
	if ok, err := s.cargo(e, dir, base, r); ok || err != nil {
		return err
	}
	if ok, err := s.python(e, dir, base, r); ok || err != nil {
		return err
	}
	if e.Link {
		return nil
	}
	if !inDependencies(dir) && slices.Contains(unread, base) {
		s.gap(e.Path, "is present and is not read by this version")
	}
	switch path.Ext(base) {
	case ".jar", ".war", ".whl", ".egg":
		s.archives = append(s.archives, e.Path)
	}
	if base == "manifest.json" && (dir == "." || !strings.Contains(dir, "/")) {
		return s.bundleManifest(dir, r)
	}
	return s.executable(e, r)
}

// manifest tells which read manifest a file name is, or is on a file system
// that ignores case.
func manifest(base string) (string, bool) {
	for _, name := range manifestNames {
		if strings.EqualFold(base, name) {
			return name, true
		}
	}
	return "", false
}

func inDependencies(dir string) bool { return strings.Contains("/"+dir+"/", "/node_modules/") }

// wantsManifest: below node_modules only the package.json of a package itself
// counts; vendor and testdata directories are no modules of their own to Go.
func wantsManifest(dir, name string) bool {
	if strings.HasPrefix(name, "go.") {
		slashed := "/" + dir + "/"
		return !inDependencies(dir) && !strings.Contains(slashed, "/vendor/") && !strings.Contains(slashed, "/testdata/")
	}
	if !inDependencies(dir) {
		return true
	}
	parent, last := path.Split(dir)
	if scope := path.Base(parent); strings.HasPrefix(scope, "@") {
		parent, _ = path.Split(path.Clean(parent))
	}
	return name == "package.json" && path.Base(parent) == "node_modules" && !strings.HasPrefix(last, ".")
}
