package archive

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

func walkTar(f io.Reader, size int64, g *guard, visit Visit) error {
	buffered := bufio.NewReaderSize(f, 64<<10)
	var stream io.Reader = buffered
	if magic, _ := buffered.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		gz, err := gzip.NewReader(buffered)
		if err != nil {
			return fmt.Errorf("%w: gzip header", ErrHostile)
		}
		stream = gz
	}
	stream = g.inflated(stream, size)
	tr := tar.NewReader(stream)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return drainZeros(stream)
		}
		if err != nil {
			return decodeError(err)
		}
		if err := visitTar(h, tr, g, visit); err != nil {
			return decodeError(err)
		}
	}
}

func visitTar(h *tar.Header, r io.Reader, g *guard, visit Visit) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return g.ctx.Err()
	}
	name, err := cleanName(h.Name)
	if err != nil {
		return err
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return fmt.Errorf("%w: sparse file %q", ErrUnsupported, name)
		}
	}
	switch h.Typeflag {
	case tar.TypeDir:
		if name == "." {
			return nil
		}
		return g.admit(name, 0, roleDirectory)
	case tar.TypeReg:
		if name == "." || strings.HasSuffix(h.Name, "/") {
			return fmt.Errorf("%w: a file named like a directory", ErrHostile)
		}
		e := Entry{Path: name, Size: h.Size, Executable: h.Mode&0o111 != 0}
		if err := g.file(e); err != nil {
			return err
		}
		return visit(e, decoded{r})
	case tar.TypeSymlink:
		if err := checkLink(name, h.Linkname); err != nil {
			return err
		}
		return visitLink(name, h.Linkname, g, visit)
	case tar.TypeLink:
		target, err := cleanName(h.Linkname)
		if err != nil {
			return err
		}
		if g.seen[target] != roleFile {
			return fmt.Errorf("%w: hard link %q to what is no earlier file", ErrHostile, name)
		}
		return visitLink(name, "", g, visit)
	case tar.TypeGNUSparse:
		return fmt.Errorf("%w: sparse file %q", ErrUnsupported, name)
	default:
		return fmt.Errorf("%w: %q is a device, pipe or other special file", ErrHostile, name)
	}
}

func visitLink(name, target string, g *guard, visit Visit) error {
	if err := g.admit(name, 0, roleLink); err != nil {
		return err
	}
	return visit(Entry{Path: name, Link: true, Target: target}, strings.NewReader(""))
}

// drainZeros reads to the end of the stream: whatever follows the end marker is
// invisible to us and may not be to the next unpacker.
func drainZeros(r io.Reader) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		for _, b := range buf[:n] {
			if b != 0 {
				return fmt.Errorf("%w: data after the end of the archive", ErrHostile)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return decodeError(err)
		}
	}
}

// decoded marks a decoder's errors before a visitor sees them.
type decoded struct{ r io.Reader }

func (d decoded) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = decodeError(err)
	}
	return n, err
}

// decodeError keeps our own errors and calls everything the decoders say a hostile archive.
func decodeError(err error) error {
	if own(err) {
		return err
	}
	return fmt.Errorf("%w: %s", ErrHostile, err)
}

// own reports errors that must pass unchanged: ours, the visitor's and the context's.
func own(err error) bool {
	for _, e := range []error{ErrHostile, ErrTooLarge, ErrUnsupported, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, e) {
			return true
		}
	}
	var v *visitError
	return errors.As(err, &v)
}

// visitError marks what a Visit returned, so that it is not taken for a
// decoder's complaint. It reads and unwraps as the original.
type visitError struct{ error }

func (v *visitError) Unwrap() error { return v.error }
