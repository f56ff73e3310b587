package distribution

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/oci"
)

// openRead returns where a pull comes from.
func openRead(ctx context.Context, from Reference, o Options) (oras.ReadOnlyGraphTarget, error) {
	if from.layout == "" {
		return repository(from, o)
	}
	if err := checkLayout(from.layout); err != nil {
		return nil, err
	}
	store, err := oci.NewFromFS(ctx, confined{from.layout})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is no image layout", ErrNotFound, from.layout)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRegistry, err)
	}
	return store, nil
}

// checkLayout refuses an index that no honest folder has, before anything reads
// it whole.
func checkLayout(dir string) error {
	info, err := os.Lstat(filepath.Join(dir, ocispec.ImageIndexFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", ErrRegistry, err)
	case !info.Mode().IsRegular() || info.Size() > maxIndex:
		return fmt.Errorf("%w: %s is no file of at most %d bytes", ErrRegistry, info.Name(), maxIndex)
	}
	return nil
}

// confined is a folder that others filled: only regular files in it are opened,
// none beyond the largest bound, and no link leads out of it.
type confined struct{ dir string }

// Open implements fs.FS.
func (c confined) Open(name string) (fs.File, error) {
	root, err := os.OpenRoot(c.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxModule {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return root.Open(name)
}
