package sbom

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/sbom/cargo"
)

// cargoProject is a directory with a Cargo.toml or Cargo.lock.
type cargoProject struct {
	manifest *cargo.Manifest
	lock     *cargo.Lock
}

// cargoFile tells by its place what a file is to Cargo: the name of the manifest
// that it is or can be taken for, or "". Sources that Cargo keeps are no projects.
func cargoFile(dir, base string) string {
	if inDependencies(dir) || inSite(dir) || strings.Contains("/"+dir+"/", "/.cargo/registry/") || strings.Contains("/"+dir+"/", "/.cargo/git/") {
		return ""
	}
	return folded(base, "Cargo.toml", "Cargo.lock")
}

// cargo reads a manifest of Cargo; ok is false for any other file.
func (s *stage) cargo(e archive.Entry, dir, base string, r io.Reader) (ok bool, err error) {
	name := cargoFile(dir, base)
	if name == "" {
		return false, nil
	}
	if err := s.admitManifest(e, name, base); err != nil {
		return true, err
	}
	limit := int64(cargo.MaxManifestBytes)
	if name == "Cargo.lock" {
		limit = cargo.MaxLockBytes
	}
	b, err := s.read(e, r, limit)
	if err != nil {
		return true, err
	}
	s.held -= int64(len(b)) // parsed at once
	p := s.crates[dir]
	if p == nil {
		p = &cargoProject{}
		s.crates[dir] = p
	}
	if name == "Cargo.toml" {
		p.manifest, err = cargo.ParseManifest(b)
	} else if p.lock, err = cargo.ParseLock(b); errors.Is(err, cargo.ErrVersion) {
		s.gap(e.Path, "has a version that is not read")
		return true, nil
	}
	switch {
	case errors.Is(err, cargo.ErrTooLarge):
		return true, fmt.Errorf("%w: %s: %w", ErrTooLarge, e.Path, err)
	case err != nil:
		return true, fmt.Errorf("%w: %s: %w", ErrMalformed, e.Path, err)
	}
	return true, nil
}
