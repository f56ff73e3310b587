package tree

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/archive"
)

// parcels are the archives that an artifact brings along, set aside until its
// manifest and its lockfile are there.
type parcels struct {
	dir      string
	manifest []byte
	files    map[string]parcel // by path in the artifact
}

// parcel is one archive on disk.
type parcel struct {
	file           string
	sha256, sha512 string // raw
}

// take sets one reserved entry of the artifact aside.
func (p *parcels) take(e archive.Entry, r io.Reader) error {
	switch {
	case e.Link:
		return fmt.Errorf("%w: link %q", ErrManifest, e.Path)
	case e.Path == ManifestPath:
		if e.Size > maxManifest {
			return fmt.Errorf("%w: more than %d bytes", ErrManifest, maxManifest)
		}
		var err error
		p.manifest, err = io.ReadAll(r)
		return err
	case path.Dir(e.Path) != PackagesFolder:
		return fmt.Errorf("%w: %q is neither the manifest nor a package", ErrManifest, e.Path)
	case len(p.files) >= maxPackages:
		return fmt.Errorf("%w: more than %d packages", ErrManifest, maxPackages)
	}
	// Named by number: what the artifact chose is no name on this machine.
	file := filepath.Join(p.dir, strconv.Itoa(len(p.files)))
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make tree: %w", err)
	}
	h256, h512 := sha256.New(), sha512.New()
	_, err = io.Copy(io.MultiWriter(f, h256, h512), r)
	p.files[e.Path] = parcel{file, string(h256.Sum(nil)), string(h512.Sum(nil))}
	return errors.Join(err, f.Close())
}

// unpack puts every package at its place, each held to the manifest and to the
// lockfile. An archive that the manifest does not name is refused.
func (p *parcels) unpack(ctx context.Context, b *builder, lim archive.Limits) error {
	if p.manifest == nil {
		if len(p.files) > 0 {
			return fmt.Errorf("%w: packages without a manifest", ErrManifest)
		}
		return nil
	}
	m, err := parseManifest(p.manifest)
	if err != nil {
		return err
	}
	raw, err := b.read(m.Lockfile, maxLockfile)
	if err != nil {
		return err
	}
	known, err := parseLock(m.Lockfile, raw)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, pkg := range m.Packages {
		file, ok := p.files[pkg.Archive]
		if !ok {
			return fmt.Errorf("%w: %q is missing", ErrManifest, pkg.Archive)
		}
		named[pkg.Archive] = true
		if err := file.verify(pkg, known); err != nil {
			return err
		}
		if err := file.unpack(ctx, b, pkg, lim); err != nil {
			return err
		}
	}
	if len(named) != len(p.files) {
		return fmt.Errorf("%w: it names %d packages of %d", ErrManifest, len(named), len(p.files))
	}
	return nil
}

func (f parcel) verify(pkg Package, known *lock) error {
	want, ok := parseIntegrity(pkg.Integrity)
	if !ok {
		return fmt.Errorf("%w: integrity of %q", ErrManifest, pkg.Path)
	}
	have := map[string]string{"sha256": f.sha256, "sha512": f.sha512}[want.algorithm]
	if have != want.sum {
		return fmt.Errorf("%w: %q has other bytes", ErrIntegrity, pkg.Path)
	}
	if !known.allows(pkg, want) {
		return fmt.Errorf("%w: %q is not in it as such", ErrIntegrity, pkg.Path)
	}
	return nil
}

func (f parcel) unpack(ctx context.Context, b *builder, pkg Package, lim archive.Limits) error {
	want, place := archive.Tar, npmPlace
	if pkg.Format == FormatWheel {
		want, place = archive.Zip, wheelPlace
	}
	_, err := archive.Walk(ctx, f.file, want, lim, func(e archive.Entry, r io.Reader) error {
		at, keep := place(e)
		if !keep {
			return nil
		}
		return b.addPackaged(e, path.Join(pkg.Path, at), r)
	})
	if errors.Is(err, archive.ErrHostile) {
		return fmt.Errorf("%w: package %q: %w", ErrHostile, pkg.Path, err)
	}
	if err != nil {
		return fmt.Errorf("package %q: %w", pkg.Path, err)
	}
	return nil
}

// npmPlace drops the first folder of a tarball, whatever its name, and links,
// as npm does.
func npmPlace(e archive.Entry) (string, bool) {
	_, rest, below := strings.Cut(e.Path, "/")
	return rest, below && !e.Link
}

// wheelPlace puts what a wheel keeps aside for the library folders there, and
// leaves out what it has for others: scripts, headers, data (PEP 427).
func wheelPlace(e archive.Entry) (string, bool) {
	first, rest, below := strings.Cut(e.Path, "/")
	if !below || !strings.HasSuffix(first, ".data") {
		return e.Path, true
	}
	scheme, rest, below := strings.Cut(rest, "/")
	return rest, below && (scheme == "purelib" || scheme == "platlib")
}
