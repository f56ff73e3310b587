package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
)

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func digestOf(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }

// files lists every file below dir.
func files(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestPutAndGet(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	s := open(t, dir)
	for _, content := range [][]byte{nil, []byte("evidence"), bytes.Repeat([]byte("x"), 1<<20)} {
		for range 2 { // again: nothing changes
			digest, size, err := s.Put(t.Context(), bytes.NewReader(content), 1<<20)
			if err != nil || digest != digestOf(content) || size != int64(len(content)) {
				t.Fatalf("Put: %s, %d, %v", digest, size, err)
			}
		}
		digest := digestOf(content)
		if got, err := s.Bytes(t.Context(), digest, 1<<20); err != nil || !bytes.Equal(got, content) {
			t.Errorf("Bytes: %d bytes, %v", len(got), err)
		}
		r, err := s.Get(digest)
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(r, content); err != nil {
			t.Error(err)
		}
		r.Close()
		if n, err := s.Size(digest); err != nil || n != int64(len(content)) {
			t.Errorf("Size: %d, %v", n, err)
		}
	}
	if n := len(files(t, dir)); n != 3 {
		t.Errorf("%d files for 3 blobs", n)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestBlobsSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	digest, err := s.PutBytes(t.Context(), []byte("kept"))
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if got, err := open(t, dir).Bytes(t.Context(), digest, 10); err != nil || string(got) != "kept" {
		t.Errorf("%q, %v", got, err)
	}
}

// Whatever goes wrong while putting, nothing of it stays.
func TestFailedPutsLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	broken := errors.New("connection reset")
	for name, tt := range map[string]struct {
		ctx  context.Context
		r    io.Reader
		max  int64
		want error
	}{
		"one byte too many": {t.Context(), strings.NewReader("12345"), 4, ErrTooLarge},
		"endless":           {t.Context(), endless{}, 1 << 20, ErrTooLarge},
		"reader fails":      {t.Context(), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), 100, broken},
		"cancelled":         {cancelled, strings.NewReader("data"), 100, context.Canceled},
	} {
		if digest, n, err := s.Put(tt.ctx, tt.r, tt.max); !errors.Is(err, tt.want) || digest != "" || n != 0 {
			t.Errorf("%s: %q, %d, %v, want %v", name, digest, n, err, tt.want)
		}
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, n, err := s.Put(t.Context(), strings.NewReader("1234"), 4); err != nil || n != 4 {
		t.Errorf("exactly the bound: %d, %v", n, err)
	}
	if _, _, err := s.Put(t.Context(), strings.NewReader("all"), 1<<63-1); err != nil {
		t.Errorf("no bound: %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestDigestsAreNoPaths(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	s := open(t, dir)
	secret := filepath.Join(filepath.Dir(dir), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	hexed := digestOf(nil)[len("sha256:"):]
	for _, digest := range []string{
		"", "sha256:", hexed, "sha512:" + hexed, "SHA256:" + hexed, "sha256:" + strings.ToUpper(hexed), "sha256:" + hexed[1:], "sha256:" + hexed + "0",
		"sha256:../../secret", "../secret", secret, "sha256:" + strings.Repeat("../", 21) + "x", "sha256:" + hexed[:62] + "/.", "sha256:" + hexed[:63] + "\x00",
		"sha256:" + hexed[:63] + "\n", " sha256:" + hexed, "sha256:..%2f" + hexed[6:],
	} {
		_, getErr := s.Get(digest)
		_, bytesErr := s.Bytes(t.Context(), digest, 100)
		_, sizeErr := s.Size(digest)
		exportErr := s.Export(t.Context(), digest, filepath.Join(t.TempDir(), "out"))
		for _, err := range []error{getErr, bytesErr, sizeErr, exportErr} {
			if !errors.Is(err, ErrDigest) {
				t.Errorf("%q: %v, want ErrDigest", digest, err)
			}
		}
	}
	if _, err := s.Get("sha256:" + hexed); !errors.Is(err, ErrNotFound) {
		t.Errorf("absent: %v", err)
	}
}

// A link planted in the folder leads nowhere.
func TestLinksDoNotLeadOut(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	s := open(t, dir)
	outside := t.TempDir()
	content := []byte("outside")
	if err := os.WriteFile(filepath.Join(outside, "file"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	hexed := digestOf(content)[len("sha256:"):]
	shard := filepath.Join(dir, "sha256", hexed[:2])
	if err := os.MkdirAll(shard, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "file"), filepath.Join(shard, hexed)); err != nil {
		t.Skip(err)
	}
	if got, err := s.Bytes(t.Context(), digestOf(content), 100); err == nil {
		t.Errorf("read %q through a link", got)
	}
	other := []byte("written through a linked folder")
	shard = filepath.Join(dir, "sha256", digestOf(other)[len("sha256:"):][:2])
	if err := os.Symlink(outside, shard); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutBytes(t.Context(), other); err == nil {
		t.Error("wrote through a link")
	}
	if left := files(t, outside); len(left) != 1 {
		t.Errorf("outside: %v", left)
	}
}

func TestCorruptionIsFoundAndHealed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	content := bytes.Repeat([]byte("evidence "), 10_000)
	digest, err := s.PutBytes(t.Context(), content)
	if err != nil {
		t.Fatal(err)
	}
	stored := files(t, dir)[0]
	flipped := bytes.Clone(content)
	flipped[len(flipped)/2] ^= 1
	for name, damage := range map[string][]byte{
		"one bit": flipped, "cut off": content[:len(content)-1], "longer": append(bytes.Clone(content), 'x'), "emptied": nil,
	} {
		if err := os.WriteFile(stored, damage, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Bytes(t.Context(), digest, 1<<20); !errors.Is(err, ErrCorrupt) || got != nil {
			t.Errorf("%s: Bytes: %d bytes, %v", name, len(got), err)
		}
		r, err := s.Get(digest)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: Get: %v", name, err)
		}
		r.Close()
		out := filepath.Join(t.TempDir(), "out")
		if err := s.Export(t.Context(), digest, out); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: Export: %v", name, err)
		}
		if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: Export left a file: %v", name, err)
		}
		if _, err := s.PutBytes(t.Context(), content); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Bytes(t.Context(), digest, 1<<20); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: after putting again: %v", name, err)
		}
	}
}

func TestBytesIsBounded(t *testing.T) {
	s := open(t, t.TempDir())
	digest, err := s.PutBytes(t.Context(), []byte("12345"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Bytes(t.Context(), digest, 4); !errors.Is(err, ErrTooLarge) || got != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := s.Bytes(t.Context(), digest, 5); err != nil || len(got) != 5 {
		t.Errorf("%q, %v", got, err)
	}
}

func TestExport(t *testing.T) {
	s := open(t, t.TempDir())
	digest, err := s.PutBytes(t.Context(), []byte("artifact"))
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "artifact.tgz")
	if err := s.Export(t.Context(), digest, out); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(out); err != nil || string(b) != "artifact" {
		t.Errorf("%q, %v", b, err)
	}
	if err := s.Export(t.Context(), digest, out); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over an existing file: %v", err)
	}
}

func TestTwoPutsAtOnce(t *testing.T) {
	dir := t.TempDir()
	stores := []*Store{open(t, dir), open(t, dir)} // as two processes would
	same := bytes.Repeat([]byte("same"), 50_000)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			if d, err := stores[i%2].PutBytes(t.Context(), same); err != nil || d != digestOf(same) {
				t.Errorf("same: %s, %v", d, err)
			}
			own := fmt.Appendf(nil, "own %d", i)
			if d, err := stores[i%2].PutBytes(t.Context(), own); err != nil || d != digestOf(own) {
				t.Errorf("own: %s, %v", d, err)
			}
			if got, err := stores[(i+1)%2].Bytes(t.Context(), digestOf(same), 1<<20); err != nil || !bytes.Equal(got, same) {
				t.Errorf("read beside writers: %v", err)
			}
		})
	}
	wg.Wait()
	if n := len(files(t, dir)); n != 17 {
		t.Errorf("%d files, want 17", n)
	}
}

// What a killed process left is swept; what a living one writes is not.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	old, fresh := filepath.Join(dir, tempDir, "old"), filepath.Join(dir, tempDir, "fresh")
	for _, p := range []string{old, fresh} {
		if err := os.WriteFile(p, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * abandoned)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	s.Close()
	open(t, dir)
	if left := files(t, dir); len(left) != 1 || left[0] != fresh {
		t.Errorf("left: %v", left)
	}
}

func FuzzLocate(f *testing.F) {
	f.Add("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	f.Add("sha256:../../../etc/passwd")
	f.Fuzz(func(t *testing.T, digest string) {
		name, err := locate(digest)
		if err != nil {
			return
		}
		if !fs.ValidPath(name) || strings.Count(name, "/") != 2 || !strings.HasSuffix(name, digest[len("sha256:"):]) {
			t.Fatalf("%q leads to %q", digest, name)
		}
	})
}
