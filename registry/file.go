package registry

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// replaceFile gives path new content, whole or not at all, surviving a power
// cut once it returned.
func replaceFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func classifyFile(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return refuse(ErrFull, RefusedFull, "the registry has no storage space left; nothing was written")
	}
	return err
}
