package sbom

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/sbom/gomod"
	"github.com/bartizan-mcp/bartizan/sbom/mcpb"
	"github.com/bartizan-mcp/bartizan/sbom/npm"
)

func (s *stage) manifest(e archive.Entry, dir, base string, r io.Reader) error {
	limit := map[string]int64{
		"package.json": npm.MaxManifestBytes,
		"go.mod":       gomod.MaxModBytes, "go.sum": gomod.MaxSumBytes,
		ResolutionFile: maxResolutionBytes,
	}[base]
	for _, lock := range npmLocks {
		if lock.name == base {
			limit = lock.limit
		}
	}
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
		s.sum(e.Path, b)
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
	case ResolutionFile:
		s.resolutions[dir], err = parseResolutions(b)
		return err
	}
	p := s.project(dir)
	if p.raw == nil {
		p.raw = map[string][]byte{}
	}
	p.raw[base] = b
	return nil
}

// sum remembers which bytes a manifest or lockfile has, for its resolution.
func (s *stage) sum(at string, b []byte) {
	sum := sha256.Sum256(b)
	s.sums[at] = hex.EncodeToString(sum[:])
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
	if dir != "." {
		return nil
	}
	bundle, ok, err := mcpb.Parse(b)
	if ok && err != nil {
		s.gap("manifest.json", "is no manifest of a bundle that hosts can agree on")
	}
	s.bundle = bundle
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
