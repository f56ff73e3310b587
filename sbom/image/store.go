package image

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/archive"
)

// store holds the files of an artifact by name: a directory, or a tar that was
// looked through once.
type store interface {
	has(name string) bool
	open(name string) (*content, error)
	close() error
}

// content is an opened file of a store.
type content struct {
	io.Reader
	size   int64
	closer io.Closer
}

func (c *content) Close() error {
	if c.closer == nil {
		return nil
	}
	return c.closer.Close()
}

// openStore returns nil for an artifact that cannot be an image.
func openStore(ctx context.Context, name string, lim archive.Limits) (store, error) {
	st, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("open artifact: %w", pathless(err))
	}
	if st.IsDir() {
		return openDirectory(name, lim)
	}
	if !st.Mode().IsRegular() || st.Size() > lim.InputBytes {
		return nil, nil // archive.Walk says what is wrong with it
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open artifact: %w", pathless(err))
	}
	s, err := openTar(ctx, f, st.Size(), lim)
	if s == nil || err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

type directory struct {
	root *os.Root
	lim  archive.Limits
}

func openDirectory(name string, lim archive.Limits) (store, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("open artifact: %w", pathless(err))
	}
	d := directory{root, lim}
	if !d.has("oci-layout") || !d.has("index.json") {
		return nil, root.Close()
	}
	return d, nil
}

func (d directory) has(name string) bool {
	st, err := d.root.Lstat(name)
	return err == nil && st.Mode().IsRegular()
}

func (d directory) open(name string) (*content, error) {
	if !d.has(name) {
		return nil, fmt.Errorf("%w: the image lacks %q", archive.ErrHostile, name)
	}
	f, err := d.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read image: %w", pathless(err))
	}
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() || st.Size() > d.lim.FileBytes {
		return nil, errors.Join(fmt.Errorf("%w: %q is no file of at most %d bytes", archive.ErrTooLarge, name, d.lim.FileBytes), f.Close())
	}
	return &content{io.LimitReader(f, st.Size()), st.Size(), f}, nil
}

func (d directory) close() error { return d.root.Close() }

// tarball is an uncompressed tar file with the places of what it holds.
type tarball struct {
	f     *os.File
	temp  string // a file of our own to be removed; "" for the artifact itself
	files map[string]span
	links map[string]string // as docker save once wrote layers that two images share
}

type span struct{ offset, size int64 }

// imageName tells what stands at the top of an image's tar, so that any other
// tar is given up at its first entry.
func imageName(name string) bool {
	top, _, _ := strings.Cut(name, "/")
	hex := strings.TrimSuffix(strings.TrimSuffix(top, ".json"), ".tar")
	switch top {
	case ".", "blobs", "oci-layout", "index.json", "manifest.json", "repositories", "version", "VERSION":
		return true
	}
	return len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == ""
}

func openTar(ctx context.Context, f *os.File, size int64, lim archive.Limits) (store, error) {
	head := bufio.NewReader(io.NewSectionReader(f, 0, size))
	magic, err := head.Peek(2)
	if err != nil {
		return nil, nil
	}
	t := &tarball{f: f, files: map[string]span{}, links: map[string]string{}}
	if magic[0] == 0x1f && magic[1] == 0x8b {
		gz, err := gzip.NewReader(head)
		if err != nil {
			return nil, nil
		}
		temp, err := os.CreateTemp("", "bartizan-image-")
		if err != nil {
			return nil, fmt.Errorf("read image: %w", err)
		}
		t.f, t.temp = temp, temp.Name()
		written := &budget{ctx: ctx, r: gz, packed: size, lim: lim}
		counter := &counting{r: io.TeeReader(written, temp)}
		ok, err := t.index(counter, func() int64 { return counter.n }, lim)
		if err == nil && ok {
			_, err = io.Copy(io.Discard, counter)
		}
		if err != nil || !ok {
			return nil, errors.Join(err, t.remove())
		}
		return t, f.Close()
	}
	section := io.NewSectionReader(f, 0, size)
	ok, err := t.index(section, func() int64 { n, _ := section.Seek(0, io.SeekCurrent); return n }, lim)
	if err != nil || !ok {
		return nil, err
	}
	return t, nil
}

// index notes where every file lies. ok is false when the tar is no image; then
// errors in it are for archive.Walk to find.
func (t *tarball) index(r io.Reader, at func() int64, lim archive.Limits) (ok bool, err error) {
	tr := tar.NewReader(r)
	for n := 0; ; n++ {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			layout := t.has("oci-layout") && t.has("index.json")
			return layout || t.has("manifest.json"), nil
		}
		if err != nil {
			return false, passed(err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		name, err := archive.CleanName(h.Name)
		if err != nil || !imageName(name) {
			return false, nil
		}
		if n > lim.Files {
			return false, fmt.Errorf("%w: more than %d entries", archive.ErrTooLarge, lim.Files)
		}
		_, twice := t.files[name]
		_, linked := t.links[name]
		switch {
		case h.Typeflag == tar.TypeDir:
		case twice || linked:
			return false, fmt.Errorf("%w: %q occurs twice", archive.ErrHostile, name)
		case h.Typeflag == tar.TypeReg && len(h.PAXRecords["GNU.sparse.major"]) == 0:
			t.files[name] = span{at(), h.Size}
		case h.Typeflag == tar.TypeSymlink:
			t.links[name] = path.Join(path.Dir(name), h.Linkname)
		default:
			return false, fmt.Errorf("%w: %q is no plain file", archive.ErrHostile, name)
		}
	}
}

// passed keeps errors of limits and contexts; a broken tar is archive.Walk's.
func passed(err error) error {
	for _, own := range []error{archive.ErrTooLarge, archive.ErrHostile, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, own) {
			return err
		}
	}
	return nil
}

func (t *tarball) has(name string) bool { _, ok := t.files[name]; return ok }

func (t *tarball) open(name string) (*content, error) {
	s, ok := t.files[name]
	if !ok {
		s, ok = t.files[t.links[name]] // one step, to a file of the same tar
	}
	if !ok {
		return nil, fmt.Errorf("%w: the image lacks %q", archive.ErrHostile, name)
	}
	return &content{io.NewSectionReader(t.f, s.offset, s.size), s.size, nil}, nil
}

func (t *tarball) close() error {
	if t.temp != "" {
		return t.remove()
	}
	return t.f.Close()
}

func (t *tarball) remove() error { return errors.Join(t.f.Close(), os.Remove(t.temp)) }

type counting struct {
	r io.Reader
	n int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// pathless drops the machine's path from an I/O error.
func pathless(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
