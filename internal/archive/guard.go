package archive

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"
)

// guard holds the limits of one walk and what it has seen.
type guard struct {
	ctx     context.Context
	lim     Limits
	entries int
	total   int64
	seen    map[string]role
}

// maxComponent is what common file systems store.
const maxComponent = 255

// role is what a path is in the artifact so far.
type role byte

const (
	roleFile role = iota + 1
	roleLink
	roleDirectory
)

func newGuard(ctx context.Context, lim Limits) *guard {
	return &guard{ctx: ctx, lim: lim, seen: map[string]role{}}
}

// file admits a regular file, link or directory entry, or says why not.
func (g *guard) file(e Entry) error { return g.admit(e.Path, e.Size, roleFile) }

func (g *guard) admit(name string, size int64, r role) error {
	if err := g.ctx.Err(); err != nil {
		return err
	}
	if g.entries++; g.entries > g.lim.Files {
		return fmt.Errorf("%w: more than %d entries", ErrTooLarge, g.lim.Files)
	}
	if len(name) > g.lim.PathBytes {
		return fmt.Errorf("%w: a path of more than %d bytes", ErrTooLarge, g.lim.PathBytes)
	}
	if strings.Count(name, "/") >= g.lim.PathDepth {
		return fmt.Errorf("%w: a path of more than %d components", ErrTooLarge, g.lim.PathDepth)
	}
	for part := range strings.SplitSeq(name, "/") {
		if len(part) > maxComponent {
			return fmt.Errorf("%w: a path component of more than %d bytes", ErrTooLarge, maxComponent)
		}
	}
	if size < 0 || size > g.lim.FileBytes {
		return fmt.Errorf("%w: %q has more than %d bytes", ErrTooLarge, name, g.lim.FileBytes)
	}
	if g.total += size; g.total > g.lim.TotalBytes {
		return fmt.Errorf("%w: more than %d bytes unpacked", ErrTooLarge, g.lim.TotalBytes)
	}
	return g.claim(name, r)
}

// claim records what a path is. Two entries for one path, and entries below a
// file or link, are how one unpacker is shown something else than the next.
func (g *guard) claim(name string, r role) error {
	if have, ok := g.seen[name]; ok && (have != roleDirectory || r != roleDirectory) {
		return fmt.Errorf("%w: %q occurs twice", ErrHostile, name)
	}
	g.seen[name] = r
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		switch g.seen[dir] {
		case roleDirectory:
			return nil // its own parents were claimed with it
		case roleFile, roleLink:
			return fmt.Errorf("%w: %q lies below something that is no directory", ErrHostile, name)
		}
		g.seen[dir] = roleDirectory
	}
	return nil
}

// cleanName checks a name as an archive states it and returns its clean form.
// A directory entry may end in a slash; the root itself comes back as ".".
func cleanName(name string) (string, error) {
	switch {
	case name == "":
		return "", fmt.Errorf("%w: an entry without a name", ErrHostile)
	case !utf8.ValidString(name):
		return "", fmt.Errorf("%w: a name that is not UTF-8", ErrHostile)
	case strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return "", fmt.Errorf("%w: control characters in %q", ErrHostile, name)
	case strings.Contains(name, `\`):
		return "", fmt.Errorf("%w: a backslash in %q", ErrHostile, name)
	case strings.HasPrefix(name, "/"):
		return "", fmt.Errorf("%w: absolute path %q", ErrHostile, name)
	case len(name) >= 2 && name[1] == ':':
		return "", fmt.Errorf("%w: drive letter in %q", ErrHostile, name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", fmt.Errorf("%w: %q leaves the archive", ErrHostile, name)
		}
	}
	return path.Clean(name), nil
}

// checkLink refuses a symbolic link at name whose target is absolute, leaves the
// artifact or could leave it through another link.
func checkLink(name, target string) error {
	bad := fmt.Errorf("%w: link %q leaves the artifact", ErrHostile, name)
	if target == "" || !utf8.ValidString(target) || strings.ContainsAny(target, "\x00\\") ||
		strings.HasPrefix(target, "/") || len(target) >= 2 && target[1] == ':' {
		return bad
	}
	depth, down := strings.Count(name, "/"), false
	for part := range strings.SplitSeq(target, "/") {
		switch part {
		case "", ".":
		case "..":
			// "a/../.." is only as good as a: when a is a link it is a way out.
			if depth--; down || depth < 0 {
				return bad
			}
		default:
			down = true
		}
	}
	return nil
}

// reader stops with the context.
func (g *guard) reader(r io.Reader) io.Reader { return &contextReader{g.ctx, r} }

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// inflated counts decompressed bytes against the total and the ratio.
func (g *guard) inflated(r io.Reader, packed int64) io.Reader {
	return &ratioReader{guard: g, r: g.reader(r), packed: packed}
}

type ratioReader struct {
	guard  *guard
	r      io.Reader
	packed int64
	out    int64
}

func (c *ratioReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.out += int64(n)
	lim := c.guard.lim
	switch {
	// Headers and padding come on top of the files themselves.
	case c.out > lim.TotalBytes+int64(lim.Files)*1024:
		return n, fmt.Errorf("%w: more than %d bytes unpacked", ErrTooLarge, lim.TotalBytes)
	case c.out > lim.RatioFloor && c.out/lim.Ratio > c.packed:
		return n, fmt.Errorf("%w: unpacks to more than %d times its size", ErrTooLarge, lim.Ratio)
	}
	return n, err
}
