package tree

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/bartizan-mcp/bartizan/internal/archive"
)

// builder writes a tree and remembers what is in it.
type builder struct {
	root    *os.Root
	entries map[string]entry
	folders map[string]bool
	folded  map[string]string // every path as a file system without case sees it
	total   int64
	maxSize int64
	maxLen  int
}

func newBuilder(root *os.Root, lim archive.Limits) *builder {
	b := &builder{
		root: root, entries: map[string]entry{}, folders: map[string]bool{}, folded: map[string]string{},
		maxSize: lim.TotalBytes, maxLen: lim.Files,
	}
	if b.maxSize <= 0 {
		b.maxSize = archive.DefaultLimits.TotalBytes
	}
	if b.maxLen <= 0 {
		b.maxLen = archive.DefaultLimits.Files
	}
	return b
}

// add puts one entry of an archive at a clean, relative path.
func (b *builder) add(e archive.Entry, at string, r io.Reader) error {
	if err := b.claim(at); err != nil {
		return err
	}
	if e.Link {
		if e.Target == "" {
			return fmt.Errorf("%w: hard link %q", ErrHostile, at)
		}
		// Made when everything else is there, so that nothing is written through it.
		b.entries[at] = entry{at, link, []byte(e.Target)}
		return nil
	}
	if b.total += e.Size; b.total > b.maxSize {
		return fmt.Errorf("%w: more than %d bytes in the tree", archive.ErrTooLarge, b.maxSize)
	}
	kept := entry{path: at, kind: plain}
	mode := fs.FileMode(0o444)
	if e.Executable {
		kept.kind, mode = executable, 0o555
	}
	var err error
	if kept.content, err = b.write(at, mode, e.Size, r); err != nil {
		return err
	}
	b.entries[at] = kept
	return nil
}

// claim takes a path, which must be nobody's, and its folders.
func (b *builder) claim(at string) error {
	if len(b.entries) >= b.maxLen {
		return fmt.Errorf("%w: more than %d files in the tree", archive.ErrTooLarge, b.maxLen)
	}
	if _, taken := b.entries[at]; taken || b.folders[at] {
		return fmt.Errorf("%w: %q occurs twice", ErrHostile, at)
	}
	if err := b.foldOnce(at); err != nil {
		return err
	}
	for dir := path.Dir(at); dir != "." && !b.folders[dir]; dir = path.Dir(dir) {
		if _, taken := b.entries[dir]; taken {
			return fmt.Errorf("%w: %q lies below something that is no folder", ErrHostile, at)
		}
		if err := b.foldOnce(dir); err != nil {
			return err
		}
		b.folders[dir] = true
	}
	return nil
}

// foldOnce refuses what would be one file where case does not count, and two
// elsewhere.
func (b *builder) foldOnce(at string) error {
	f := fold(at)
	if other, taken := b.folded[f]; taken && other != at {
		return fmt.Errorf("%w: %q and %q differ in case only", ErrHostile, at, other)
	}
	b.folded[f] = at
	return nil
}

// fold writes every character as the least that it equals without case.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, s)
}

// write makes a new file and returns the SHA-256 of what it holds.
func (b *builder) write(at string, mode fs.FileMode, size int64, r io.Reader) ([]byte, error) {
	if err := b.root.MkdirAll(path.Dir(at), 0o700); err != nil {
		return nil, fmt.Errorf("make tree: %w", err)
	}
	f, err := b.root.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make tree: %w", err)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), r)
	if err == nil && n != size {
		err = fmt.Errorf("%w: %q has %d bytes and not %d", ErrHostile, at, n, size)
	}
	if err == nil {
		err = f.Chmod(mode) // exactly, whatever the umask
	}
	return sum.Sum(nil), errors.Join(err, f.Close())
}

// read returns a file of the tree, at most max bytes.
func (b *builder) read(at string, max int64) ([]byte, error) {
	if e, ok := b.entries[at]; !ok || e.kind == link {
		return nil, fmt.Errorf("%w: %q is no file of the artifact", ErrManifest, at)
	}
	f, err := b.root.Open(at)
	if err != nil {
		return nil, fmt.Errorf("make tree: %w", err)
	}
	defer f.Close()
	var out bytes.Buffer
	if n, err := io.Copy(&out, io.LimitReader(f, max+1)); err != nil {
		return nil, fmt.Errorf("make tree: %w", err)
	} else if n > max {
		return nil, fmt.Errorf("%w: %q has more than %d bytes", archive.ErrTooLarge, at, max)
	}
	return out.Bytes(), nil
}

// seal makes the links, and every folder one that nobody writes to.
func (b *builder) seal() error {
	for _, at := range slices.Sorted(maps.Keys(b.entries)) {
		e := b.entries[at]
		if e.kind != link {
			continue
		}
		if err := b.root.MkdirAll(path.Dir(at), 0o700); err != nil {
			return fmt.Errorf("make tree: %w", err)
		}
		if err := b.root.Symlink(string(e.content), at); err != nil {
			return fmt.Errorf("make tree: %w", err)
		}
	}
	folders := slices.Sorted(maps.Keys(b.folders))
	for _, dir := range slices.Backward(folders) {
		if err := b.root.Chmod(dir, 0o555); err != nil {
			return fmt.Errorf("make tree: %w", err)
		}
	}
	if err := b.root.Chmod(".", 0o500); err != nil {
		return fmt.Errorf("make tree: %w", err)
	}
	return nil
}

func (b *builder) list() []entry { return slices.Collect(maps.Values(b.entries)) }

// addPackaged is add for a package, which may bring the very file that another
// one brought: wheels share folders.
func (b *builder) addPackaged(e archive.Entry, at string, r io.Reader) error {
	have, taken := b.entries[at]
	if !taken || have.kind == link || e.Link {
		return b.add(e, at, r)
	}
	if b.total += e.Size; b.total > b.maxSize { // read once more is work once more
		return fmt.Errorf("%w: more than %d bytes in the tree", archive.ErrTooLarge, b.maxSize)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return err
	}
	again := entry{path: at, kind: plain, content: sum.Sum(nil)}
	if e.Executable {
		again.kind = executable
	}
	if !again.equal(have) {
		return fmt.Errorf("%w: two packages disagree about %q", ErrHostile, at)
	}
	return nil
}
