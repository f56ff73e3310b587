package image

import (
	"archive/tar"
	"context"
	"io"
	"path"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/archive"
)

// Whiteouts of https://github.com/opencontainers/image-spec/blob/main/layer.md.
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// Report is what a walk could not show.
type Report struct {
	Odd     []string // executables, and files of folders, whose names are not read (control characters, backslashes, no UTF-8)
	Through []string // links of a lower layer that an upper one writes below: what is there is listed at both places
}

// mark is what the layers above say of a path.
type mark byte

const (
	implied mark = iota + 1 // something lies below it
	folder                  // it is a directory: what is below shows through
	covered                 // a file, link, device or whiteout: nothing below it shows
	shut                    // an opaque directory: it shows, what lower layers have below it does not
)

// Walk visits the regular files of an image as a container sees them. The layers
// are read from the top: what was said of a path first is what counts.
func (l *Layout) Walk(ctx context.Context, img Image, visit Visit) (Report, error) {
	w := &walk{upper: map[string]mark{}, visit: visit}
	b := &bounds{lim: l.lim}
	for i := len(img.layers) - 1; i >= 0; i-- {
		if err := ctx.Err(); err != nil {
			return w.report, err
		}
		if err := w.layer(ctx, l, img.layers[i], b); err != nil {
			return w.report, err
		}
	}
	return w.report, nil
}

type walk struct {
	upper  map[string]mark
	visit  Visit
	report Report
}

func (w *walk) layer(ctx context.Context, l *Layout, in layer, b *bounds) (err error) {
	u, err := l.unpack(ctx, in)
	if err != nil {
		return err
	}
	defer func() {
		if closing := u.close(); err == nil {
			err = closing
		}
	}()
	list, err := u.entries(b)
	if err != nil {
		return err
	}
	files := map[string]entry{}
	for _, e := range list {
		if e.kind == tar.TypeReg {
			files[e.path] = e
		}
	}
	for _, e := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		if strings.HasPrefix(path.Base(e.path), whiteout) || w.hidden(e.path) {
			continue
		}
		if e.kind == tar.TypeSymlink && w.upper[e.path] == implied {
			w.report.Through = append(w.report.Through, e.path)
		}
		if err := w.show(u, e, files); err != nil {
			return err
		}
	}
	for _, e := range list {
		w.note(e)
	}
	return nil
}

// show visits a file, also under the names that hard links give it.
func (w *walk) show(u *unpacked, e entry, files map[string]entry) error {
	body := e
	f := File{Path: e.path, Size: e.size}
	switch e.kind {
	case tar.TypeReg:
	case tar.TypeLink:
		target, ok := files[e.target]
		body, f.Size, f.Link = target, target.size, !ok
		e.executable = target.executable
	default:
		return nil
	}
	if clean, err := archive.CleanName(e.path); err != nil || clean != e.path {
		dir := path.Dir(e.path)
		within, err := archive.CleanName(dir)
		if e.executable || err != nil || within != dir {
			w.report.Odd = append(w.report.Odd, e.path)
		}
		return nil
	}
	return w.visit(f, io.NewSectionReader(u.f, body.offset, body.size))
}

// hidden: a layer above replaced or removed the path, or something it lies below.
func (w *walk) hidden(name string) bool {
	if m := w.upper[name]; m != 0 && m != implied {
		return true
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if m := w.upper[dir]; m == covered || m == shut {
			return true
		}
	}
	return w.upper["."] == shut
}

// note adds what an entry means for the layers below.
func (w *walk) note(e entry) {
	dir, base := path.Split(e.path)
	dir = path.Clean(dir)
	name, m := e.path, covered
	switch {
	case base == opaque:
		name, m = dir, shut
	case strings.HasPrefix(base, whiteout):
		name = path.Join(dir, strings.TrimPrefix(base, whiteout))
	case e.kind == tar.TypeDir:
		m = folder
	}
	// A directory stays opaque, and what is covered stays so: upper layers came first.
	if have := w.upper[name]; have < m {
		w.upper[name] = m
	}
	for d := path.Dir(name); d != "." && w.upper[d] == 0; d = path.Dir(d) {
		w.upper[d] = implied
	}
}
