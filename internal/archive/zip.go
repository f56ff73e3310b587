package archive

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

func walkZip(f io.ReaderAt, size int64, g *guard, visit Visit) error {
	zr, err := zip.NewReader(f, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return fmt.Errorf("%w: zip directory: %s", ErrHostile, err)
	}
	if len(zr.File) > g.lim.Files {
		return fmt.Errorf("%w: more than %d entries", ErrTooLarge, g.lim.Files)
	}
	if err := checkOverlap(zr.File); err != nil {
		return err
	}
	for _, zf := range zr.File {
		if err := visitZip(zf, g, visit); err != nil {
			return decodeError(err)
		}
	}
	return nil
}

func visitZip(zf *zip.File, g *guard, visit Visit) error {
	name, err := cleanName(zf.Name)
	if err != nil {
		return err
	}
	if zf.Flags&1 != 0 {
		return fmt.Errorf("%w: %q is encrypted", ErrUnsupported, name)
	}
	if zf.Method != zip.Store && zf.Method != zip.Deflate {
		return fmt.Errorf("%w: %q uses compression method %d", ErrUnsupported, name, zf.Method)
	}
	mode := zf.Mode()
	if zf.UncompressedSize64 > uint64(g.lim.FileBytes) {
		return fmt.Errorf("%w: %q has more than %d bytes", ErrTooLarge, name, g.lim.FileBytes)
	}
	size := int64(zf.UncompressedSize64)
	if size > g.lim.RatioFloor && uint64(size)/uint64(g.lim.Ratio) > zf.CompressedSize64 {
		return fmt.Errorf("%w: %q unpacks to more than %d times its size", ErrTooLarge, name, g.lim.Ratio)
	}
	switch {
	case mode.IsDir() || strings.HasSuffix(zf.Name, "/"):
		if size != 0 {
			return fmt.Errorf("%w: directory %q has content", ErrHostile, name)
		}
		if name == "." {
			return nil
		}
		return g.admit(name, 0, roleDirectory)
	case mode&fs.ModeSymlink != 0:
		target, err := readLink(zf, g)
		if err != nil {
			return err
		}
		if err := checkLink(name, target); err != nil {
			return err
		}
		return visitLink(name, target, g, visit)
	case !mode.IsRegular():
		return fmt.Errorf("%w: %q is a device, pipe or other special file", ErrHostile, name)
	}
	e := Entry{Path: name, Size: size, Executable: mode&0o111 != 0}
	if err := g.file(e); err != nil {
		return err
	}
	r, err := zf.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	body := decoded{g.reader(r)} // archive/zip itself stops at the stated size and checks the CRC
	if err := visit(e, body); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, body)
	return err
}

func readLink(zf *zip.File, g *guard) (string, error) {
	if zf.UncompressedSize64 > uint64(g.lim.PathBytes) {
		return "", fmt.Errorf("%w: a link of more than %d bytes", ErrTooLarge, g.lim.PathBytes)
	}
	r, err := zf.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

// checkOverlap refuses archives whose entries share packed bytes: that is how a
// small zip file holds petabytes, and how two readers see different files.
func checkOverlap(files []*zip.File) error {
	type span struct{ start, end int64 }
	spans := make([]span, 0, len(files))
	for _, f := range files {
		start, err := f.DataOffset()
		if err != nil {
			return fmt.Errorf("%w: zip entry header: %s", ErrHostile, err)
		}
		spans = append(spans, span{start, start + int64(f.CompressedSize64)})
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
	for i := 1; i < len(spans); i++ {
		if spans[i].start < spans[i-1].end {
			return fmt.Errorf("%w: zip entries overlap", ErrHostile)
		}
	}
	return nil
}
