package sbom

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/sbom/archive"
	"github.com/bartizan-mcp/bartizan/sbom/gomod"
	"github.com/bartizan-mcp/bartizan/sbom/npm"
)

// The two folders of the staging directory. Nothing of an artifact lies at the
// top, where syft skips names such as proc and dev.
const (
	stagedFiles    = "files"    // manifests, under their own paths
	stagedBinaries = "binaries" // executables, numbered: no cataloger takes one for a lockfile
)

// Limits of one artifact beyond those of its archive.
const (
	maxManifests   = 50_000 // package.json files below node_modules and projects together
	maxHeldBytes   = 64 << 20
	maxExecutables = 256
)

// stage copies the few files that say something about components out of the
// artifact, after checking them, into a directory of our own. Everything else
// is looked at by its first bytes and forgotten.
type stage struct {
	root        *os.Root
	npm         map[string]*npmProject   // by directory
	modules     map[string]*gomod.File   // by directory
	binaries    map[string]*gomod.Binary // by path; nil: no build information
	staged      map[string]string        // executables' neutral names to their paths
	bundles     map[string]*npm.Manifest // manifest.json, by directory
	tops        map[string]bool          // first path components; false: a file
	gaps        map[gap]bool             // why the list may not be whole
	held        int64
	manifests   int
	directories map[string]bool // already made
}

// npmProject is a directory outside node_modules with a package.json or lockfile.
type npmProject struct {
	manifest                *npm.Manifest
	lock                    *npm.Lock
	lockBytes, shrinkwrap   []byte
	lockName                string
	hasLock, hasPackageJSON bool
}

func newStage(dir string) (*stage, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("sbom: stage: %w", err)
	}
	return &stage{
		root: root, npm: map[string]*npmProject{}, modules: map[string]*gomod.File{},
		binaries: map[string]*gomod.Binary{}, staged: map[string]string{}, bundles: map[string]*npm.Manifest{}, tops: map[string]bool{}, gaps: map[gap]bool{},
		directories: map[string]bool{},
	}, nil
}

// unread lockfiles and manifests describe dependencies that this version does
// not list: their presence is said instead.
var unread = []string{
	"yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock",
	"pyproject.toml", "requirements.txt", "uv.lock", "poetry.lock", "Pipfile.lock", "setup.py",
	"Cargo.lock", "Cargo.toml", "Gemfile.lock", "composer.lock", "pom.xml", "build.gradle", "packages.lock.json",
}

// read manifests, by the name that counts.
var manifestNames = []string{"package.json", "package-lock.json", "npm-shrinkwrap.json", "go.mod", "go.sum"}

func (s *stage) visit(e archive.Entry, r io.Reader) error {
	dir, base := path.Split(e.Path)
	dir = path.Clean(dir)
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
	if e.Link {
		return nil
	}
	if !inDependencies(dir) && slices.Contains(unread, base) {
		s.gap(e.Path, "is present and is not read by this version")
	}
	switch path.Ext(base) {
	case ".jar", ".war", ".whl", ".egg":
		s.gap(e.Path, "is an archive inside the artifact and was not opened")
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

func (s *stage) manifest(e archive.Entry, dir, base string, r io.Reader) error {
	limit := map[string]int64{
		"package.json": npm.MaxManifestBytes, "package-lock.json": npm.MaxLockBytes, "npm-shrinkwrap.json": npm.MaxLockBytes,
		"go.mod": gomod.MaxModBytes, "go.sum": gomod.MaxSumBytes,
	}[base]
	if e.Size > limit {
		return fmt.Errorf("%w: %q of more than %d bytes", ErrTooLarge, e.Path, limit)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if base != "package.json" {
		if s.held += int64(len(b)); s.held > maxHeldBytes {
			return fmt.Errorf("%w: lockfiles of more than %d bytes together", ErrTooLarge, maxHeldBytes)
		}
	}
	switch base {
	case "package.json":
		return s.packageJSON(e.Path, dir, b)
	case "go.mod":
		f, err := gomod.Parse(b)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrMalformed, e.Path, err)
		}
		s.modules[dir] = f
		return s.put(e.Path, b)
	case "go.sum":
		return s.put(e.Path, b)
	}
	p := s.project(dir)
	p.hasLock = true
	if base == "npm-shrinkwrap.json" {
		p.shrinkwrap = b
	} else {
		p.lockBytes = b
	}
	return nil
}

func (s *stage) project(dir string) *npmProject {
	if s.npm[dir] == nil {
		s.npm[dir] = &npmProject{}
	}
	return s.npm[dir]
}

func (s *stage) packageJSON(at, dir string, b []byte) error {
	m, err := npm.ParseManifest(b)
	if inDependencies(dir) {
		if err != nil || m.Name == "" {
			s.gap(at, "does not say which package it is")
			return nil
		}
		return s.put(at, b)
	}
	if err != nil {
		return npmError(at, err)
	}
	p := s.project(dir)
	p.manifest, p.hasPackageJSON = m, true
	return nil
}

// bundleManifest reads what may be the manifest.json of an .mcpb bundle. Other
// programs use the same file name, so one that does not parse is no error.
func (s *stage) bundleManifest(dir string, r io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(r, npm.MaxManifestBytes+1))
	if err != nil {
		return err
	}
	if m, err := npm.ParseManifest(b); err == nil && m.Name != "" {
		s.bundles[dir] = m
	}
	return nil
}

// executable copies a file that starts like an executable; everything else ends
// here. The copy has a name of ours, so that no cataloger takes it for a lockfile.
func (s *stage) executable(e archive.Entry, r io.Reader) error {
	head := make([]byte, 16)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if n < len(head) || !archive.IsExecutable(head) {
		return nil
	}
	if len(s.binaries) >= maxExecutables {
		return fmt.Errorf("%w: more than %d executables", ErrTooLarge, maxExecutables)
	}
	name := fmt.Sprintf("%s/%04d", stagedBinaries, len(s.binaries))
	f, err := s.create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	s.staged[name] = e.Path
	if _, err := f.Write(head); err != nil {
		return fmt.Errorf("sbom: stage: %w", err)
	}
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	info, err := gomod.ReadBinary(f)
	if err != nil {
		info = nil
	}
	s.binaries[e.Path] = info
	return f.Close()
}

// finish settles what can only be known after the whole artifact was seen.
func (s *stage) finish() error {
	for dir, p := range s.npm {
		if !p.hasLock {
			continue
		}
		// npm itself prefers the shrinkwrap; syft knows it only by the other name.
		b := p.lockBytes
		p.lockName = "package-lock.json"
		if p.shrinkwrap != nil {
			b, p.lockName = p.shrinkwrap, "npm-shrinkwrap.json"
		}
		lock, err := npm.ParseLock(b)
		at := path.Join(dir, p.lockName)
		if errors.Is(err, npm.ErrVersion) {
			s.gap(at, "has a lockfileVersion that is not read")
			continue
		}
		if err != nil {
			return npmError(at, err)
		}
		p.lock, p.lockBytes, p.shrinkwrap = lock, nil, nil
		if err := s.put(path.Join(dir, "package-lock.json"), b); err != nil {
			return err
		}
	}
	return nil
}

// prefix is the single folder that tar files usually wrap their content in
// ("package/" for npm). Locations are given without it.
func (s *stage) prefix(kind Kind) string {
	if kind != KindTar || len(s.tops) != 1 {
		return ""
	}
	for top, isDir := range s.tops {
		if isDir && top != "node_modules" {
			return top
		}
	}
	return ""
}

// original is the artifact's path of a staged file.
func (s *stage) original(at string) string {
	if name, ok := s.staged[at]; ok {
		return name
	}
	return strings.TrimPrefix(at, stagedFiles+"/")
}

// gap is a reason for incompleteness: a file and what is wrong with it.
type gap struct{ file, text string }

func (s *stage) gap(file, format string, args ...any) {
	s.gaps[gap{file, fmt.Sprintf(format, args...)}] = true
}

func (s *stage) put(name string, b []byte) error {
	f, err := s.create(path.Join(stagedFiles, name))
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("sbom: stage: %w", err)
	}
	return nil
}

func (s *stage) create(name string) (*os.File, error) {
	if dir := path.Dir(name); !s.directories[dir] {
		if err := s.root.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("sbom: stage: %w", err)
		}
		s.directories[dir] = true
	}
	f, err := s.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w: %q occurs twice", ErrHostileArchive, path.Base(name))
	}
	if err != nil {
		return nil, fmt.Errorf("sbom: stage: %w", err)
	}
	return f, nil
}

func npmError(at string, err error) error {
	if errors.Is(err, npm.ErrTooLarge) {
		return fmt.Errorf("%w: %s: %w", ErrTooLarge, at, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrMalformed, at, err)
}
