package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Entry is one regular file or one link of an artifact.
type Entry struct {
	Path   string // slash-separated, clean, relative, inside the artifact
	Size   int64
	Link   bool   // symbolic or hard link: never followed, no content
	Target string // of a symbolic link, as stated and inside the artifact; "" for a hard link
	// Executable: the container lets somebody execute the file.
	Executable bool
}

// Visit is called for every file and link. r is valid during the call and
// yields at most Entry.Size bytes; what is left unread is skipped.
type Visit func(e Entry, r io.Reader) error

// Info describes the walked artifact.
type Info struct {
	Kind           Kind
	SHA256, SHA512 string // lower-case hex of the file; empty for a directory
}

// BinaryPath is the path under which a single executable is visited. It does
// not depend on the file's name, so that a document does not either.
const BinaryPath = "artifact"

// Walk visits what the artifact at path holds. want is Auto or the kind that
// the artifact has to be. The order of visits follows the container.
func Walk(ctx context.Context, path string, want Kind, lim Limits, visit Visit) (Info, error) {
	lim = lim.orDefault()
	inner := visit
	visit = func(e Entry, r io.Reader) error {
		if err := inner(e, r); err != nil {
			return &visitError{err}
		}
		return nil
	}
	st, err := os.Stat(path)
	if err != nil {
		return Info{}, fmt.Errorf("open artifact: %w", pathless(err))
	}
	guard := newGuard(ctx, lim)
	if st.IsDir() {
		if want != Auto && want != Directory {
			return Info{}, fmt.Errorf("%w: a directory, not a %s", ErrUnsupported, want)
		}
		return Info{Kind: Directory}, walkDirectory(path, guard, visit)
	}
	if !st.Mode().IsRegular() {
		return Info{}, fmt.Errorf("%w: not a regular file", ErrUnsupported)
	}
	if st.Size() > lim.InputBytes {
		return Info{}, fmt.Errorf("%w: artifact of more than %d bytes", ErrTooLarge, lim.InputBytes)
	}
	f, err := os.Open(path)
	if err != nil {
		return Info{}, fmt.Errorf("open artifact: %w", pathless(err))
	}
	defer f.Close()
	return walkFile(f, st.Size(), want, guard, visit)
}

func walkFile(f *os.File, size int64, want Kind, g *guard, visit Visit) (Info, error) {
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return Info{}, fmt.Errorf("read artifact: %w", pathless(err))
	}
	head = head[:n]
	info := Info{Kind: detect(head)}
	switch {
	case info.Kind == Auto:
		return Info{}, fmt.Errorf("%w: neither tar, gzip, zip nor an executable", ErrUnsupported)
	case want != Auto && want != info.Kind:
		return Info{}, fmt.Errorf("%w: a %s, not a %s", ErrUnsupported, info.Kind, want)
	}
	if info.SHA256, info.SHA512, err = digests(g, io.NewSectionReader(f, 0, size)); err != nil {
		return Info{}, err
	}
	body := io.NewSectionReader(f, 0, size)
	switch info.Kind {
	case Zip:
		return info, walkZip(body, size, g, visit)
	case Tar:
		return info, walkTar(body, size, g, visit)
	default:
		e := Entry{Path: BinaryPath, Size: size, Executable: true}
		if err := g.file(e); err != nil {
			return info, err
		}
		return info, visit(e, body)
	}
}

// digests hashes the artifact in one pass, stopping when the context ends.
func digests(g *guard, r io.Reader) (string, string, error) {
	h256, h512 := sha256.New(), sha512.New()
	if _, err := io.Copy(io.MultiWriter(h256, h512), g.reader(r)); err != nil {
		return "", "", fmt.Errorf("read artifact: %w", pathless(err))
	}
	return hex.EncodeToString(h256.Sum(nil)), hex.EncodeToString(h512.Sum(nil)), nil
}

func detect(head []byte) Kind {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return Zip
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return Tar
	case len(head) >= 262 && bytes.Equal(head[257:262], []byte("ustar")):
		return Tar
	case IsExecutable(head):
		return Binary
	}
	return Auto
}

// IsExecutable tells by its first bytes whether a file is an ELF, Mach-O or PE
// executable or library.
func IsExecutable(head []byte) bool {
	for _, magic := range []string{
		"\x7fELF", "MZ",
		"\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits
	for _, p := range []struct{ have, want *int64 }{
		{&l.InputBytes, &d.InputBytes}, {&l.TotalBytes, &d.TotalBytes}, {&l.FileBytes, &d.FileBytes},
		{&l.Ratio, &d.Ratio}, {&l.RatioFloor, &d.RatioFloor},
	} {
		if *p.have <= 0 {
			*p.have = *p.want
		}
	}
	for _, p := range []struct{ have, want *int }{{&l.Files, &d.Files}, {&l.PathBytes, &d.PathBytes}, {&l.PathDepth, &d.PathDepth}} {
		if *p.have <= 0 {
			*p.have = *p.want
		}
	}
	return l
}

// pathless drops the machine's path from an I/O error: callers know which
// artifact they gave, and readers of the error need not.
func pathless(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
