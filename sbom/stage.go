package sbom

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/tree"
	"github.com/bartizan-mcp/bartizan/sbom/gomod"
	"github.com/bartizan-mcp/bartizan/sbom/mcpb"
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
	py          pythonStage
	image       imageStage
	crates      map[string]*cargoProject // by directory
	bundle      *mcpb.Manifest           // of the whole artifact
	files       map[string]bool          // every file and link outside images, so that an entry point can be looked for
	tops        map[string]bool          // first path components; false: a file
	gaps        map[gap]bool             // why the list may not be whole
	resolutions map[string][]Resolution  // by directory
	sums        map[string]string        // SHA-256 of manifests and lockfiles, by path
	planted     planted
	archives    []string // inside the artifact
	held        int64
	manifests   int
	directories map[string]bool // already made
}

// npmProject is a directory outside node_modules with a package.json or lockfile.
type npmProject struct {
	manifest       *npm.Manifest
	hasPackageJSON bool
	raw            map[string][]byte // lockfiles as they are, by name; empty after finish
	locks          []npmLock         // lockfiles as they were read, npm's own first
}

// npmLock is one lockfile of a project.
type npmLock struct {
	*npm.Lock
	name string
}

func newStage(dir string) (*stage, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("sbom: stage: %w", err)
	}
	return &stage{
		root: root, npm: map[string]*npmProject{}, modules: map[string]*gomod.File{},
		binaries: map[string]*gomod.Binary{}, staged: map[string]string{}, bundles: map[string]*npm.Manifest{},
		py: newPythonStage(), crates: map[string]*cargoProject{}, files: map[string]bool{}, tops: map[string]bool{}, gaps: map[gap]bool{}, directories: map[string]bool{},
		resolutions: map[string][]Resolution{}, sums: map[string]string{},
	}, nil
}

// finish settles what can only be known after the whole artifact was seen.
func (s *stage) finish() error {
	for _, dir := range sorted(s.npm) {
		if err := s.tolerate(dir, s.lockfiles(dir, s.npm[dir])); err != nil {
			return err
		}
	}
	for _, at := range s.archives {
		if !s.planted.done || path.Dir(at) != tree.PackagesFolder {
			s.gap(at, "is an archive inside the artifact and was not opened")
		}
	}
	return s.finishPython()
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
