package tree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/archive"
)

// Materialise unpacks the artifact, a file, into dir, which it makes, and
// returns the digest of the tree: lower-case hex SHA-256. The same bytes give
// the same tree on every machine. Files are 0444 or 0555, folders 0555, except
// that dir itself is its owner's alone. lim bounds the artifact, each of its
// packages, and the tree as a whole; zero fields are archive.DefaultLimits'.
// After an error nothing is left.
//
// Errors: ErrHostile, ErrManifest, ErrIntegrity, archive.ErrTooLarge,
// archive.ErrUnsupported, the context's, the file system's.
func Materialise(ctx context.Context, artifact, dir string, lim archive.Limits) (digest string, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("make tree: %w", err)
	}
	defer func() {
		if err != nil {
			_ = Remove(dir)
		}
	}()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", fmt.Errorf("make tree: %w", err)
	}
	defer root.Close()
	spool, err := os.MkdirTemp(filepath.Dir(dir), ".packages-")
	if err != nil {
		return "", fmt.Errorf("make tree: %w", err)
	}
	defer os.RemoveAll(spool)

	b := newBuilder(root, lim)
	packages := &parcels{dir: spool, files: map[string]parcel{}}
	info, err := archive.Walk(ctx, artifact, archive.Auto, lim, func(e archive.Entry, r io.Reader) error {
		if e.Path == reserved || strings.HasPrefix(e.Path, reserved+"/") {
			return packages.take(e, r)
		}
		return b.add(e, e.Path, r)
	})
	switch {
	case errors.Is(err, archive.ErrHostile):
		return "", fmt.Errorf("%w: %w", ErrHostile, err)
	case err != nil:
		return "", err
	case info.Kind == archive.Directory:
		return "", fmt.Errorf("%w: a folder is no artifact", archive.ErrUnsupported)
	}
	if err := packages.unpack(ctx, b, lim); err != nil {
		return "", err
	}
	if err := b.seal(); err != nil {
		return "", err
	}
	return digestOf(b.list()), nil
}

// Remove deletes a tree, whose folders nobody can write to.
func Remove(dir string) error {
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) // else RemoveAll says what is wrong
		}
		return nil
	})
	return os.RemoveAll(dir)
}
