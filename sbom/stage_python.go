package sbom

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/sbom/python"
)

// pythonStage is what an artifact says in Python's words.
type pythonStage struct {
	projects     map[string]*pythonProject       // by directory
	requirements map[string]*python.Requirements // by path
	installed    map[string]*distribution        // by .dist-info or .egg-info directory
}

// pythonProject is a directory outside site-packages with manifests of its own.
type pythonProject struct {
	manifest *python.Manifest        // of pyproject.toml
	info     *python.Manifest        // of the PKG-INFO that an sdist has
	locked   map[string][]byte       // lockfiles by name, until all is seen
	locks    map[string]*python.Lock // by name
	legacy   string                  // setup.py or setup.cfg
}

// distribution is an installed package, or the one package of a wheel.
type distribution struct {
	at       string // the file that names it
	manifest *python.Manifest
	record   []python.File
	wheel    bool // has a WHEEL file: it came as one
}

func newPythonStage() pythonStage {
	return pythonStage{
		projects: map[string]*pythonProject{}, requirements: map[string]*python.Requirements{},
		installed: map[string]*distribution{},
	}
}

// inSite: a folder that Python packages are installed into.
func inSite(dir string) bool {
	dir = "/" + dir + "/"
	return strings.Contains(dir, "/site-packages/") || strings.Contains(dir, "/dist-packages/")
}

// pythonFile tells by its place what a file is to Python: the name of the
// manifest that it is or can be taken for, or "".
func pythonFile(dir, base string) string {
	if inDependencies(dir) {
		return ""
	}
	ext := path.Ext(dir)
	switch {
	case ext == ".dist-info":
		return folded(base, "METADATA", "RECORD", "WHEEL")
	case ext == ".egg-info" && inSite(dir):
		return folded(base, "PKG-INFO")
	case ext == ".egg-info":
		return "" // of a source tree: what is being built
	case strings.HasSuffix(base, ".egg-info") && inSite(dir):
		return base
	case inSite(dir):
		return ""
	case python.IsLock(strings.ToLower(base)):
		return strings.ToLower(base)
	case python.IsRequirements(path.Join(dir, base)):
		return base
	}
	return folded(base, "pyproject.toml", "uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "PKG-INFO", "setup.py", "setup.cfg")
}

// folded returns the name that base is, or is on a file system that ignores case.
func folded(base string, names ...string) string {
	for _, name := range names {
		if strings.EqualFold(base, name) {
			return name
		}
	}
	return ""
}

// python reads a Python manifest; ok is false for any other file.
func (s *stage) python(e archive.Entry, dir, base string, r io.Reader) (ok bool, err error) {
	name := pythonFile(dir, base)
	if name == "" {
		return false, nil
	}
	if err := s.admitManifest(e, name, base); err != nil {
		return true, err
	}
	limit := int64(python.MaxManifestBytes)
	switch {
	case name == "RECORD":
		limit = python.MaxRecordBytes
	case python.IsLock(name), python.IsRequirements(e.Path):
		limit = python.MaxLockBytes
	}
	b, err := s.read(e, r, limit)
	if err != nil {
		return true, err
	}
	err = s.pythonManifest(e.Path, dir, name, b)
	if limit == python.MaxManifestBytes { // parsed, and mostly a description that is not kept
		s.held -= int64(len(b))
	}
	return true, pythonError(e.Path, err)
}

func (s *stage) pythonManifest(at, dir, name string, b []byte) (err error) {
	switch ext := path.Ext(dir); {
	case ext == ".dist-info":
		return s.distInfo(at, dir, name, b)
	case ext == ".egg-info":
		return s.eggInfo(at, dir, b)
	case strings.HasSuffix(name, ".egg-info"):
		return s.eggInfo(at, at, b)
	case python.IsLock(name):
		s.pythonProject(dir).locked[name] = b
		return nil
	case name == "pyproject.toml":
		s.pythonProject(dir).manifest, err = python.ParseManifest(b)
		return err
	case name == "PKG-INFO":
		s.pythonProject(dir).info, err = python.ParseMetadata(b)
		return err
	case name == "setup.py" || name == "setup.cfg":
		p := s.pythonProject(dir)
		p.legacy = max(p.legacy, name) // the script, when both are there
		return nil
	}
	s.py.requirements[at], err = python.ParseRequirementsFile(b)
	return err
}

func (s *stage) pythonProject(dir string) *pythonProject {
	if s.py.projects[dir] == nil {
		s.py.projects[dir] = &pythonProject{locked: map[string][]byte{}, locks: map[string]*python.Lock{}}
	}
	return s.py.projects[dir]
}

func (s *stage) distribution(dir string) *distribution {
	if s.py.installed[dir] == nil {
		s.py.installed[dir] = &distribution{}
	}
	return s.py.installed[dir]
}

func (s *stage) distInfo(at, dir, name string, b []byte) (err error) {
	d := s.distribution(dir)
	switch name {
	case "METADATA":
		d.at = at
		d.manifest, err = python.ParseMetadata(b)
	case "RECORD":
		d.record, err = python.ParseRecord(b)
	default:
		d.wheel = true
	}
	return err
}

// eggInfo is what installers before wheels left: a folder, or one file.
func (s *stage) eggInfo(at, dir string, b []byte) error {
	m, err := python.ParseMetadata(b)
	if err != nil {
		s.gap(at, "does not say which package it is")
		return nil
	}
	d := s.distribution(dir)
	d.at, d.manifest = at, m
	return nil
}

// finishPython reads lockfiles, now that the projects beside them are known.
func (s *stage) finishPython() error {
	for _, dir := range sorted(s.py.projects) {
		p := s.py.projects[dir]
		project := p.manifest
		if project == nil {
			project = p.info
		}
		for _, name := range sorted(p.locked) {
			at := path.Join(dir, name)
			lock, err := python.ParseLock(name, p.locked[name], project)
			if errors.Is(err, python.ErrVersion) {
				s.gap(at, "has a version that is not read")
				continue
			}
			if err != nil {
				if err := s.tolerate(at, pythonError(at, err)); err != nil {
					return err
				}
				continue
			}
			p.locks[name] = lock
		}
		p.locked = nil
	}
	return nil
}

func pythonError(at string, err error) error {
	switch {
	case errors.Is(err, python.ErrTooLarge):
		return fmt.Errorf("%w: %s: %w", ErrTooLarge, at, err)
	case errors.Is(err, python.ErrMalformed):
		return fmt.Errorf("%w: %s: %w", ErrMalformed, at, err)
	}
	return err
}

// admitManifest refuses what is told apart by some readers only, and too many.
func (s *stage) admitManifest(e archive.Entry, name, base string) error {
	switch {
	case e.Link:
		return fmt.Errorf("%w: %q is a link", ErrHostileArchive, e.Path)
	case name != base:
		return fmt.Errorf("%w: %q can be taken for %s", ErrHostileArchive, e.Path, name)
	}
	if s.manifests++; s.manifests > maxManifests {
		return fmt.Errorf("%w: more than %d manifests", ErrTooLarge, maxManifests)
	}
	return nil
}

// read holds a manifest in memory, within its own limit and that of all of them.
func (s *stage) read(e archive.Entry, r io.Reader, limit int64) ([]byte, error) {
	if e.Size > limit {
		return nil, fmt.Errorf("%w: %q of more than %d bytes", ErrTooLarge, e.Path, limit)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if s.held += int64(len(b)); s.held > maxHeldBytes {
		return nil, fmt.Errorf("%w: manifests of more than %d bytes together", ErrTooLarge, maxHeldBytes)
	}
	s.sum(e.Path, b)
	return b, nil
}

// wheel is the .dist-info of an artifact that is a wheel: the only one, at the
// top of a zip that is nothing else.
func (s *stage) wheel(kind Kind) string {
	if kind != KindZip || s.bundles["."] != nil {
		return ""
	}
	var found []string
	for dir, d := range s.py.installed {
		if path.Ext(dir) == ".dist-info" && !strings.Contains(dir, "/") && d.wheel && d.manifest != nil {
			found = append(found, dir)
		}
	}
	slices.Sort(found)
	if len(found) != 1 {
		return ""
	}
	return found[0]
}
