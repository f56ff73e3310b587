package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/bartizan-mcp/bartizan/internal/archive"
)

// maxWindow is the memory that a zstd stream may ask for.
const maxWindow = 64 << 20

// entry is one header of a layer.
type entry struct {
	path       string
	kind       byte // tar type
	offset     int64
	size       int64
	target     string // of a hard link, clean
	executable bool
}

// budget bounds what a compressed stream yields.
type budget struct {
	ctx    context.Context
	r      io.Reader
	packed int64
	out    int64
	lim    archive.Limits
}

func (b *budget) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.r.Read(p)
	b.out += int64(n)
	switch {
	case b.out > b.lim.TotalBytes+int64(b.lim.Files)*1024:
		return n, fmt.Errorf("%w: more than %d bytes unpacked", archive.ErrTooLarge, b.lim.TotalBytes)
	case b.out > b.lim.RatioFloor && b.out/b.lim.Ratio > b.packed:
		return n, fmt.Errorf("%w: unpacks to more than %d times its size", archive.ErrTooLarge, b.lim.Ratio)
	}
	return n, err
}

// unpacked is a layer as a plain tar, verified.
type unpacked struct {
	f    *os.File // a temporary file without a name to others
	size int64
}

// unpack writes a layer to a file of our own and verifies both of its digests
// before anything reads it.
func (l *Layout) unpack(ctx context.Context, in layer) (u *unpacked, err error) {
	blob, err := l.store.open(in.name)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	packedHash := sha256.New()
	packed := bufio.NewReaderSize(io.TeeReader(blob, packedHash), 64<<10)
	stream, err := inflate(packed)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	f, err := os.CreateTemp("", "bartizan-layer-")
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	u = &unpacked{f: f}
	defer func() {
		if err != nil {
			err = errors.Join(err, u.close())
			u = nil
		}
	}()
	plainHash := sha256.New()
	bounded := &budget{ctx: ctx, r: stream, packed: blob.size, lim: l.lim}
	if u.size, err = io.Copy(io.MultiWriter(f, plainHash), bounded); err != nil {
		return u, unpackError(in.name, err)
	}
	if _, err = io.Copy(io.Discard, packed); err != nil { // what a decoder leaves is part of the blob
		return u, fmt.Errorf("read image: %w", pathless(err))
	}
	if in.digest != "" && text(packedHash) != in.digest {
		return u, fmt.Errorf("%w: layer %s is not what its digest says", archive.ErrHostile, in.digest)
	}
	if got := text(plainHash); got != in.diffID {
		return u, fmt.Errorf("%w: a layer unpacks to %s, and the configuration says %s", archive.ErrHostile, got, in.diffID)
	}
	return u, nil
}

func text(h hash.Hash) string { return "sha256:" + hex.EncodeToString(h.Sum(nil)) }

func (u *unpacked) close() error { return errors.Join(u.f.Close(), os.Remove(u.f.Name())) }

func unpackError(name string, err error) error {
	for _, own := range []error{archive.ErrTooLarge, archive.ErrHostile, archive.ErrUnsupported, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, own) {
			return err
		}
	}
	var pe *os.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("read image: %w", pe.Err)
	}
	return fmt.Errorf("%w: %q: %s", archive.ErrHostile, name, err)
}

// inflate tells the compression of a layer by its first bytes.
func inflate(r *bufio.Reader) (io.ReadCloser, error) {
	magic, _ := r.Peek(4)
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		gz, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("%w: gzip header of a layer", archive.ErrHostile)
		}
		return gz, nil
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, fmt.Errorf("%w: zstd header of a layer", archive.ErrHostile)
		}
		return z.IOReadCloser(), nil
	}
	return io.NopCloser(r), nil
}

// entries reads the headers of a layer.
func (u *unpacked) entries(b *bounds) ([]entry, error) {
	section := io.NewSectionReader(u.f, 0, u.size)
	tr := tar.NewReader(section)
	seen := map[string]byte{}
	var out []entry
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, unpackError("layer", err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		for key := range h.PAXRecords {
			if strings.HasPrefix(key, "GNU.sparse.") {
				return nil, fmt.Errorf("%w: a sparse file in a layer", archive.ErrUnsupported)
			}
		}
		name, err := layerName(h.Name)
		if err != nil {
			return nil, err
		}
		if name == "." {
			continue
		}
		if err := b.admit(name, h.Size); err != nil {
			return nil, err
		}
		switch rest, ok := strings.CutPrefix(path.Base(name), whiteout); {
		case ok && (rest == "" || rest == "." || rest == ".."):
			return nil, fmt.Errorf("%w: whiteout %q", archive.ErrHostile, name)
		case ok && strings.HasPrefix(rest, whiteout) && path.Base(name) != opaque:
			continue // what AUFS keeps for itself
		}
		have, twice := seen[name]
		if twice && (have != tar.TypeDir || h.Typeflag != tar.TypeDir) {
			return nil, fmt.Errorf("%w: %q occurs twice in a layer", archive.ErrHostile, name)
		}
		seen[name] = h.Typeflag
		e := entry{path: name, kind: h.Typeflag, size: h.Size, executable: h.Mode&0o111 != 0}
		switch h.Typeflag {
		case tar.TypeReg:
			if e.offset, err = section.Seek(0, io.SeekCurrent); err != nil {
				return nil, fmt.Errorf("read image: %w", err)
			}
			if e.offset+e.size > u.size {
				return nil, fmt.Errorf("%w: a layer ends within %q", archive.ErrHostile, name)
			}
		case tar.TypeLink:
			if e.target, err = layerName(strings.TrimPrefix(h.Linkname, "/")); err != nil {
				return nil, err
			}
		case tar.TypeGNUSparse:
			return nil, fmt.Errorf("%w: a sparse file in a layer", archive.ErrUnsupported)
		}
		out = append(out, e)
	}
}

// layerName cleans a path of a layer. Unlike names in artifacts it may hold any
// bytes (systemd's units have backslashes); it may not leave the root.
func layerName(name string) (string, error) {
	if name == "" || strings.HasPrefix(name, "/") || strings.Contains(name, "\x00") {
		return "", fmt.Errorf("%w: a layer names %.100q", archive.ErrHostile, name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", fmt.Errorf("%w: %.100q leaves the image", archive.ErrHostile, name)
		}
	}
	return path.Clean(name), nil
}

// bounds are the limits of one image over all of its layers.
type bounds struct {
	lim     archive.Limits
	entries int
	total   int64
}

func (b *bounds) admit(name string, size int64) error {
	b.entries++
	b.total += max(size, 0)
	switch lim := b.lim; {
	case b.entries > lim.Files:
		return fmt.Errorf("%w: more than %d entries in an image", archive.ErrTooLarge, lim.Files)
	case len(name) > lim.PathBytes:
		return fmt.Errorf("%w: a path of more than %d bytes", archive.ErrTooLarge, lim.PathBytes)
	case strings.Count(name, "/") >= lim.PathDepth:
		return fmt.Errorf("%w: a path of more than %d components", archive.ErrTooLarge, lim.PathDepth)
	case size < 0 || size > lim.FileBytes:
		return fmt.Errorf("%w: %q has more than %d bytes", archive.ErrTooLarge, name, lim.FileBytes)
	case b.total > lim.TotalBytes:
		return fmt.Errorf("%w: more than %d bytes in an image", archive.ErrTooLarge, lim.TotalBytes)
	}
	return nil
}
