package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// small limits make every bomb cheap to build.
var small = Limits{
	InputBytes: 1 << 20, TotalBytes: 256 << 10, FileBytes: 128 << 10, Files: 50,
	PathBytes: 200, PathDepth: 8, Ratio: 20, RatioFloor: 64 << 10,
}

type entry struct {
	name, body, link string
	kind             byte // tar type; 0 is a regular file
}

func tarOf(t *testing.T, compressed bool, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.Writer = &out
	if compressed {
		gz := gzip.NewWriter(&out)
		defer gz.Close()
		w = gz
	}
	tw := tar.NewWriter(w)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Size: int64(len(e.body)), Mode: 0o644, Linkname: e.link}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := tw.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(tw, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if gz, ok := w.(*gzip.Writer); ok {
		if err := gz.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func zipOf(t *testing.T, change func(*zip.FileHeader), entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	zw := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if change != nil {
			change(h)
		}
		w, err := zw.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func mode(m fs.FileMode) func(*zip.FileHeader) {
	return func(h *zip.FileHeader) { h.SetMode(m) }
}

// patch replaces the first bytes equal to old in every zip header.
func patch(b []byte, old, new string) []byte {
	return bytes.ReplaceAll(b, []byte(old), []byte(new))
}

// overlapping gives a zip whose two directory entries point at one body.
func overlapping(t *testing.T) []byte {
	b := zipOf(t, nil, entry{name: "a", body: strings.Repeat("x", 100)}, entry{name: "b", body: strings.Repeat("x", 100)})
	for i := len(b) - 4; i >= 0; i-- { // the last central header: point it at offset 0
		if string(b[i:i+4]) == "PK\x01\x02" {
			binary.LittleEndian.PutUint32(b[i+42:], 0)
			return b
		}
	}
	t.Fatal("no central header")
	return nil
}

func sparse(t *testing.T) []byte {
	var out bytes.Buffer
	tw := tar.NewWriter(&out)
	h := &tar.Header{Name: "s", Typeflag: tar.TypeReg, Size: 0, Mode: 0o644, Format: tar.FormatGNU}
	if err := tw.WriteHeader(h); err != nil {
		t.Fatal(err)
	}
	_ = tw.Close()
	b := out.Bytes()
	b[156] = tar.TypeGNUSparse // type flag; the header checksum follows
	sum := 0
	copy(b[148:156], "        ")
	for _, c := range b[:512] {
		sum += int(c)
	}
	copy(b[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

func TestAttacks(t *testing.T) {
	many := make([]entry, 60)
	for i := range many {
		many[i] = entry{name: fmt.Sprintf("f%d", i)}
	}
	var chunks []entry
	for i := range 5 {
		chunks = append(chunks, entry{name: fmt.Sprintf("f%d", i), body: strings.Repeat(fmt.Sprint(i), 100<<10)})
	}
	good := tarOf(t, true, entry{name: "a", body: "x"})
	crc := zipOf(t, func(h *zip.FileHeader) { h.Method = zip.Store }, entry{name: "a", body: "payload"})

	for name, tc := range map[string]struct {
		file []byte
		want error
	}{
		"zip slip":                  {zipOf(t, nil, entry{name: "../evil"}), ErrHostile},
		"zip slip inside":           {zipOf(t, nil, entry{name: "a/../../evil"}), ErrHostile},
		"zip absolute":              {zipOf(t, nil, entry{name: "/etc/passwd"}), ErrHostile},
		"zip drive letter":          {zipOf(t, nil, entry{name: "C:/evil"}), ErrHostile},
		"zip backslash":             {zipOf(t, nil, entry{name: `..\evil`}), ErrHostile},
		"zip duplicate":             {zipOf(t, nil, entry{name: "a"}, entry{name: "a"}), ErrHostile},
		"zip duplicate by dot":      {zipOf(t, nil, entry{name: "a"}, entry{name: "./a"}), ErrHostile},
		"zip symlink out":           {zipOf(t, mode(fs.ModeSymlink|0o777), entry{name: "l", body: "../../etc"}), ErrHostile},
		"zip device":                {zipOf(t, mode(fs.ModeDevice|0o600), entry{name: "d"}), ErrHostile},
		"zip pipe":                  {zipOf(t, mode(fs.ModeNamedPipe|0o600), entry{name: "p"}), ErrHostile},
		"zip overlap":               {overlapping(t), ErrHostile},
		"zip wrong CRC":             {patch(crc, "payload", "PAYLOAD"), ErrHostile},
		"zip ratio":                 {zipOf(t, nil, entry{name: "bomb", body: strings.Repeat("0", 100<<10)}), ErrTooLarge},
		"zip large file":            {zipOf(t, nil, entry{name: "big", body: strings.Repeat("0", 200<<10)}), ErrTooLarge},
		"zip many files":            {zipOf(t, nil, many...), ErrTooLarge},
		"zip unknown method":        {patch(zipOf(t, func(h *zip.FileHeader) { h.Method = zip.Store }, entry{name: "a"}), "\x08\x00\x00\x00\x00\x00", "\x08\x00\x63\x00\x00\x00"), ErrUnsupported},
		"zip truncated":             {zipOf(t, nil, entry{name: "a", body: "x"})[:40], ErrHostile},
		"zip control character":     {zipOf(t, nil, entry{name: "a\nb"}), ErrHostile},
		"tar slip":                  {tarOf(t, true, entry{name: "package/../../evil"}), ErrHostile},
		"tar absolute":              {tarOf(t, true, entry{name: "/etc/passwd"}), ErrHostile},
		"tar duplicate":             {tarOf(t, true, entry{name: "a"}, entry{name: "a"}), ErrHostile},
		"tar file then below it":    {tarOf(t, true, entry{name: "a"}, entry{name: "a/b"}), ErrHostile},
		"tar link then below it":    {tarOf(t, true, entry{name: "l", link: "d", kind: tar.TypeSymlink}, entry{name: "l/b"}), ErrHostile},
		"tar link replaced by file": {tarOf(t, true, entry{name: "l", link: "d", kind: tar.TypeSymlink}, entry{name: "l"}), ErrHostile},
		"tar directory over file":   {tarOf(t, true, entry{name: "a"}, entry{name: "a/", kind: tar.TypeDir}), ErrHostile},
		"tar symlink absolute":      {tarOf(t, true, entry{name: "l", link: "/etc", kind: tar.TypeSymlink}), ErrHostile},
		"tar symlink out":           {tarOf(t, true, entry{name: "a/l", link: "../../x", kind: tar.TypeSymlink}), ErrHostile},
		"tar symlink by a detour":   {tarOf(t, true, entry{name: "l", link: "a/../../x", kind: tar.TypeSymlink}), ErrHostile},
		"tar symlink detour inside": {tarOf(t, true, entry{name: "l", link: "a/../b", kind: tar.TypeSymlink}), ErrHostile},
		"tar hard link out":         {tarOf(t, true, entry{name: "h", link: "../x", kind: tar.TypeLink}), ErrHostile},
		"tar hard link to nothing":  {tarOf(t, true, entry{name: "h", link: "later", kind: tar.TypeLink}), ErrHostile},
		"tar device":                {tarOf(t, true, entry{name: "d", kind: tar.TypeChar}), ErrHostile},
		"tar block device":          {tarOf(t, true, entry{name: "d", kind: tar.TypeBlock}), ErrHostile},
		"tar pipe":                  {tarOf(t, true, entry{name: "d", kind: tar.TypeFifo}), ErrHostile},
		"tar sparse":                {sparse(t), ErrUnsupported},
		"tar NUL bomb":              {tarOf(t, true, chunks...), ErrTooLarge},
		"tar total without packing": {tarOf(t, false, chunks...), ErrTooLarge},
		"tar many entries":          {tarOf(t, true, many...), ErrTooLarge},
		"tar long path":             {tarOf(t, true, entry{name: strings.Repeat("a/", 6) + strings.Repeat("b", 200)}), ErrTooLarge},
		"tar long component":        {tarOf(t, true, entry{name: strings.Repeat("b", 199)}), nil},
		"tar deep path":             {tarOf(t, true, entry{name: strings.Repeat("a/", 9) + "b"}), ErrTooLarge},
		"tar control character":     {tarOf(t, true, entry{name: "a\x1b[2J"}), ErrHostile},
		"tar data after the end":    {append(tarOf(t, false, entry{name: "a"}), tarOf(t, false, entry{name: "b"})...), ErrHostile},
		"gzip member after the end": {append(bytes.Clone(good), good...), ErrHostile},
		"gzip bytes after the end":  {append(bytes.Clone(good), "PK\x03\x04"...), ErrHostile},
		"gzip truncated":            {good[:len(good)-6], ErrHostile},
		"gzip of no tar":            {gz("hello, this is no archive at all"), ErrHostile},
		"not an archive":            {[]byte("#!/bin/sh\n"), ErrUnsupported},
		"xz":                        {[]byte("\xfd7zXZ\x00rest"), ErrUnsupported},
		"empty":                     {nil, ErrUnsupported},
		"larger than the input cap": {make([]byte, 2<<20), ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "artifact")
			if err := os.WriteFile(file, tc.file, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Walk(t.Context(), file, Auto, small, func(e Entry, r io.Reader) error {
				_, err := io.Copy(io.Discard, r)
				return err
			})
			if !errors.Is(err, tc.want) {
				t.Errorf("error = %v, want %v", err, tc.want)
			}
		})
	}
}

func gz(s string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return out.Bytes()
}

// A visitor that reads nothing must not open a way around the limits.
func TestBombsAreFoundUnread(t *testing.T) {
	bomb := tarOf(t, true, entry{name: "bomb", body: strings.Repeat("0", 120<<10)})
	file := filepath.Join(t.TempDir(), "artifact")
	if err := os.WriteFile(file, bomb, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Walk(t.Context(), file, Auto, small, func(Entry, io.Reader) error { return nil })
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("error = %v, want %v", err, ErrTooLarge)
	}
}

func TestDirectoryAttacks(t *testing.T) {
	for name, make := range map[string]func(dir string) error{
		"link out":     func(d string) error { return os.Symlink("../outside", filepath.Join(d, "l")) },
		"link to root": func(d string) error { return os.Symlink("/etc/passwd", filepath.Join(d, "l")) },
		"link chain out": func(d string) error {
			if err := os.Mkdir(filepath.Join(d, "sub"), 0o755); err != nil {
				return err
			}
			return errors.Join(os.Symlink("..", filepath.Join(d, "sub", "up")), os.Symlink("sub/up/../x", filepath.Join(d, "l")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := make(dir); err != nil {
				t.Skip("no symbolic links here")
			}
			_, err := Walk(t.Context(), dir, Auto, small, func(Entry, io.Reader) error { return nil })
			if !errors.Is(err, ErrHostile) {
				t.Errorf("Walk: %v", err)
			}
			if _, err := Pack(dir, small); !errors.Is(err, ErrHostile) {
				t.Errorf("Pack: %v", err)
			}
		})
	}
}

func TestVisitorErrorsPassUnchanged(t *testing.T) {
	mine := errors.New("mine")
	for name, file := range map[string][]byte{
		"tar": tarOf(t, true, entry{name: "a", body: "x"}), "zip": zipOf(t, nil, entry{name: "a", body: "x"}),
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Walk(t.Context(), path, Auto, small, func(Entry, io.Reader) error { return mine })
		if !errors.Is(err, mine) || errors.Is(err, ErrHostile) {
			t.Errorf("%s: error = %v, want the visitor's", name, err)
		}
	}
}

func TestWalkStopsWithItsContext(t *testing.T) {
	file := filepath.Join(t.TempDir(), "artifact")
	if err := os.WriteFile(file, tarOf(t, true, entry{name: "a"}, entry{name: "b"}), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	visited := 0
	_, err := Walk(ctx, file, Auto, small, func(Entry, io.Reader) error { visited++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) || visited != 1 {
		t.Errorf("error = %v after %d visits", err, visited)
	}
}

func TestPackWritesWhatWalkReads(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{"b/c.txt": "c", "a.txt": "a", ".git/config": "secret", "bin/run": "#!"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../a.txt", filepath.Join(dir, "b", "l")); err != nil {
		t.Skip("no symbolic links here")
	}
	packed, err := Pack(dir, small)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(dir, "a.txt"), time.Unix(1e9, 0), time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	again, err := Pack(dir, small)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(packed, again) {
		t.Error("Pack depends on times")
	}
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, packed, 0o600); err != nil {
		t.Fatal(err)
	}
	list := func(path string) (out []string) {
		_, err := Walk(t.Context(), path, Auto, small, func(e Entry, r io.Reader) error {
			b, err := io.ReadAll(r)
			out = append(out, fmt.Sprintf("%s %v %s", e.Path, e.Link, b))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if got, want := strings.Join(list(file), "\n"), strings.Join(list(dir), "\n"); got != want {
		t.Errorf("packed:\n%s\ndirectory:\n%s", got, want)
	}
}

func FuzzWalk(f *testing.F) {
	f.Add(gz("x"))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	var t testing.T
	f.Add(tarOf(&t, true, entry{name: "package/a", body: "x"}, entry{name: "l", link: "a", kind: tar.TypeSymlink}))
	f.Add(zipOf(&t, nil, entry{name: "a", body: "x"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		file := filepath.Join(t.TempDir(), "artifact")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		var total int64
		_, err := Walk(t.Context(), file, Auto, small, func(e Entry, r io.Reader) error {
			if !filepath.IsLocal(e.Path) {
				t.Errorf("path %q leaves the artifact", e.Path)
			}
			n, err := io.Copy(io.Discard, r)
			if total += n; total > small.TotalBytes {
				t.Errorf("%d bytes pass a limit of %d", total, small.TotalBytes)
			}
			return err
		})
		if err != nil && !errors.Is(err, ErrHostile) && !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrUnsupported) {
			var v *visitError
			if !errors.As(err, &v) {
				t.Errorf("error without a sentinel: %v", err)
			}
		}
	})
}
