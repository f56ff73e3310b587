package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"
)

// Pack returns a deterministic tar.gz of dir: names sorted by bytes within each
// directory, modes 0644 and 0755, no owners and no times. Symbolic links that
// stay inside are kept as links; .git is left out. The packed bytes are limited
// by InputBytes, the unpacked ones as in Walk.
func Pack(dir string, lim Limits) ([]byte, error) { return PackWith(dir, lim, nil) }

// PackWith is Pack of dir and of files that are not in it, by their paths; one
// that is there already is ErrHostile, for nobody could say which counts.
func PackWith(dir string, lim Limits, extra map[string][]byte) ([]byte, error) {
	lim = lim.orDefault()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open directory: %w", pathless(err))
	}
	defer root.Close()
	out := &cappedBuffer{max: lim.InputBytes}
	gz, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	tw := tar.NewWriter(gz)
	g := newGuard(context.Background(), lim)
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("read directory: %w", err)
		}
		if name == "." {
			return nil
		}
		if ignored(d) {
			return fs.SkipDir
		}
		if _, err := cleanName(name); err != nil {
			return err
		}
		return packEntry(tw, root, name, d, g)
	})
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		if err := packExtra(tw, root, name, extra[name], g); err != nil {
			return nil, err
		}
	}
	if err := tw.Close(); err != nil {
		return nil, err
	}
	if err := gz.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func packExtra(tw *tar.Writer, root *os.Root, name string, body []byte, g *guard) error {
	clean, err := cleanName(name)
	if err != nil || clean != name {
		return fmt.Errorf("%w: %q", ErrHostile, name)
	}
	if _, err := root.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %q is there already", ErrHostile, name)
	}
	if err := g.admit(name, int64(len(body)), roleFile); err != nil {
		return err
	}
	h := &tar.Header{Name: name, Format: tar.FormatPAX, ModTime: time.Unix(0, 0), Typeflag: tar.TypeReg, Size: int64(len(body)), Mode: 0o644}
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	_, err = tw.Write(body)
	return err
}

func packEntry(tw *tar.Writer, root *os.Root, name string, d fs.DirEntry, g *guard) error {
	h := &tar.Header{Name: name, Format: tar.FormatPAX, ModTime: time.Unix(0, 0)}
	switch mode := d.Type(); {
	case d.IsDir():
		h.Typeflag, h.Mode, h.Name = tar.TypeDir, 0o755, name+"/"
		if err := g.admit(name, 0, roleDirectory); err != nil {
			return err
		}
		return tw.WriteHeader(h)
	case mode&fs.ModeSymlink != 0:
		target, err := checkRootLink(root, name)
		if err != nil {
			return err
		}
		if err := g.admit(name, 0, roleLink); err != nil {
			return err
		}
		h.Typeflag, h.Mode, h.Linkname = tar.TypeSymlink, 0o777, target
		return tw.WriteHeader(h)
	case !mode.IsRegular():
		return fmt.Errorf("%w: %q is a device, pipe or other special file", ErrHostile, name)
	}
	f, err := root.Open(name)
	if err != nil {
		return fmt.Errorf("read directory: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read directory: %w", err)
	}
	if err := g.admit(name, st.Size(), roleFile); err != nil {
		return err
	}
	h.Typeflag, h.Size, h.Mode = tar.TypeReg, st.Size(), 0o644
	if st.Mode()&0o111 != 0 {
		h.Mode = 0o755
	}
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	if _, err := io.CopyN(tw, f, h.Size); err != nil {
		return fmt.Errorf("read directory: %q changed while it was read: %w", name, err)
	}
	return nil
}

// cappedBuffer fails instead of growing past max.
type cappedBuffer struct {
	bytes.Buffer
	max int64
}

func (b *cappedBuffer) Write(p []byte) (int, error) {
	if int64(b.Len()+len(p)) > b.max {
		return 0, fmt.Errorf("%w: more than %d packed bytes", ErrTooLarge, b.max)
	}
	return b.Buffer.Write(p)
}
