// Package atomicfile replaces small files whole: keys, trust documents, state.
// It knows nothing of what is in them.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Write gives path new content, whole or not at all, with mode 0600. A reader
// sees the old or the new file, and the new one survives a power cut once Write
// has returned.
func Write(path string, b []byte) error { return WriteMode(path, b, 0o600) }

// WriteMode is Write for a file of another mode.
func WriteMode(path string, b []byte, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err == nil && mode != 0o600 {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
