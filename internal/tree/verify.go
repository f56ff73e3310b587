package tree

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
)

// Verify reads the whole tree at dir anew and holds it to a digest. Anything
// that is not as Materialise left it is ErrChanged: other bytes, another mode,
// a link where there was a file, one name more or less.
func Verify(ctx context.Context, dir, digest string) error {
	have, err := Digest(ctx, dir)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(have), []byte(digest)) != 1 {
		return fmt.Errorf("%w: it has another digest", ErrChanged)
	}
	return nil
}

// Digest names the tree at dir as it is on disk now. os.Root keeps every open
// inside it, also when a link is swapped in meanwhile.
func Digest(ctx context.Context, dir string) (string, error) {
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return "", errors.Join(fmt.Errorf("%w: no folder", ErrChanged), err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrChanged, err)
	}
	defer root.Close()
	var entries []entry
	folders := map[string]bool{} // that hold nothing so far
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || name == "." {
			return err
		}
		for up := path.Dir(name); folders[up]; up = path.Dir(up) {
			delete(folders, up)
		}
		if d.IsDir() {
			folders[name] = true
			return nil
		}
		e, err := read(root, name, d)
		entries = append(entries, e)
		return err
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return "", ctx.Err()
	case errors.Is(err, ErrChanged):
		return "", err
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrChanged, err)
	case len(folders) > 0:
		return "", fmt.Errorf("%w: an empty folder", ErrChanged)
	}
	return digestOf(entries), nil
}

// read makes an entry of what is on disk.
func read(root *os.Root, name string, d fs.DirEntry) (entry, error) {
	if d.Type()&fs.ModeSymlink != 0 {
		target, err := root.Readlink(name)
		return entry{name, link, []byte(target)}, err
	}
	if !d.Type().IsRegular() {
		return entry{}, fmt.Errorf("%w: %q is no file", ErrChanged, name)
	}
	f, err := root.Open(name)
	if err != nil {
		return entry{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return entry{}, err
	}
	e := entry{path: name, kind: plain}
	switch info.Mode() {
	case 0o444:
	case 0o555:
		e.kind = executable
	default:
		return entry{}, fmt.Errorf("%w: %q has mode %s", ErrChanged, name, info.Mode())
	}
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	e.content = sum.Sum(nil)
	return e, err
}
