package trees

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/internal/tree"
)

// shelf is a registry's blobs.
type shelf struct {
	mu    sync.Mutex
	blobs map[string][]byte
	asked int
}

func (s *shelf) Artifact(_ context.Context, digest string) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	b, ok := s.blobs[digest]
	if !ok {
		return nil, errors.New("no such artifact")
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

func packed(t *testing.T, body string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	must(t, w.WriteHeader(&tar.Header{Name: "lib/server.js", Size: int64(len(body)), Mode: 0o644}))
	_, err := io.WriteString(w, body)
	must(t, err)
	must(t, w.Close())
	return out.Bytes()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put keeps an artifact and says what its digests are.
func (s *shelf) put(t *testing.T, b []byte) (artifact, digest string) {
	t.Helper()
	sum := sha256.Sum256(b)
	artifact = hex.EncodeToString(sum[:])
	s.blobs[artifact] = b
	file, dir := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "tree")
	must(t, os.WriteFile(file, b, 0o600))
	t.Cleanup(func() { _ = tree.Remove(dir) })
	digest, err := tree.Materialise(t.Context(), file, dir, archive.Limits{})
	must(t, err)
	return artifact, digest
}

func open(t *testing.T) (*Store, *shelf, string) {
	t.Helper()
	from := &shelf{blobs: map[string][]byte{}}
	dir := filepath.Join(t.TempDir(), "trees")
	s, err := Open(dir, from)
	must(t, err)
	t.Cleanup(func() { _ = tree.Remove(dir) })
	return s, from, s.dir
}

// TestTree: fetched once, whoever asks and however many at once.
func TestTree(t *testing.T) {
	s, from, dir := open(t)
	artifact, digest := from.put(t, packed(t, "server"))
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			at, err := s.Tree(t.Context(), artifact, digest)
			if err != nil || at != filepath.Join(dir, digest) {
				t.Errorf("%q, %v", at, err)
			}
		})
	}
	work.Wait()
	if from.asked != 1 {
		t.Errorf("fetched %d times", from.asked)
	}
	b, err := os.ReadFile(filepath.Join(dir, digest, "lib/server.js"))
	if err != nil || string(b) != "server" {
		t.Errorf("%q, %v", b, err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder of trees: %v, %v", info.Mode(), err)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Errorf("beside the tree: %v", names)
	}
}

// TestReplacedArtifact: whatever the registry's store, or whoever is between,
// makes of an artifact, the approval's digests decide.
func TestReplacedArtifact(t *testing.T) {
	s, from, dir := open(t)
	artifact, digest := from.put(t, packed(t, "server"))
	older, oldTree := from.put(t, packed(t, "older, with a hole"))
	good := from.blobs[artifact]
	for name, b := range map[string][]byte{"other bytes": from.blobs[older], "one more byte": append(bytes.Clone(good), 0), "cut off": good[:len(good)-1], "nothing": {}} {
		from.blobs[artifact] = b
		if _, err := s.Tree(t.Context(), artifact, digest); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	from.blobs[artifact] = good
	// A database that pairs the approved tree with an older artifact, or the
	// other way round, gains nothing.
	if _, err := s.Tree(t.Context(), older, digest); !errors.Is(err, ErrChanged) {
		t.Errorf("an older artifact for this tree: %v", err)
	}
	if _, err := s.Tree(t.Context(), artifact, oldTree); !errors.Is(err, ErrChanged) {
		t.Errorf("this artifact for an older tree: %v", err)
	}
	delete(from.blobs, artifact)
	if _, err := s.Tree(t.Context(), artifact, digest); !errors.Is(err, ErrUnavailable) {
		t.Errorf("no artifact: %v", err)
	}
	for _, bad := range []string{"", "../../etc", digest[:63] + "G"} {
		if _, err := s.Tree(t.Context(), artifact, bad); !errors.Is(err, ErrChanged) {
			t.Errorf("digest %q: %v", bad, err)
		}
	}
	hostile := []byte("#!/bin/sh\n")
	sum := sha256.Sum256(hostile)
	from.blobs[hex.EncodeToString(sum[:])] = hostile
	if _, err := s.Tree(t.Context(), hex.EncodeToString(sum[:]), digest); !errors.Is(err, ErrChanged) {
		t.Errorf("no artifact at all: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestEditedTree: a tree that somebody edited is not started from, is kept for
// whoever looks into it, and the next start has a fresh one.
func TestEditedTree(t *testing.T) {
	s, from, _ := open(t)
	artifact, digest := from.put(t, packed(t, "server"))
	at, err := s.Tree(t.Context(), artifact, digest)
	must(t, err)
	for range 2 {
		must(t, os.Chmod(filepath.Join(at, "lib"), 0o755))
		file := filepath.Join(at, "lib/server.js")
		must(t, errors.Join(os.Remove(file), os.WriteFile(file, []byte("evil"), 0o444), os.Chmod(filepath.Join(at, "lib"), 0o555)))
		if _, err := s.Tree(t.Context(), artifact, digest); !errors.Is(err, ErrChanged) {
			t.Fatalf("an edited tree: %v", err)
		}
		if b, err := os.ReadFile(filepath.Join(s.dir, "changed-"+digest, "lib/server.js")); string(b) != "evil" {
			t.Errorf("set aside: %q, %v", b, err)
		}
		if _, err := s.Tree(t.Context(), artifact, digest); err != nil {
			t.Fatalf("afterwards: %v", err)
		}
	}
	elsewhere := t.TempDir()
	must(t, errors.Join(tree.Remove(at), os.Symlink(elsewhere, at)))
	if _, err := s.Tree(t.Context(), artifact, digest); !errors.Is(err, ErrChanged) {
		t.Errorf("a link in the place of a tree: %v", err)
	}
	if _, err := os.Stat(elsewhere); err != nil {
		t.Errorf("what the link led to: %v", err)
	}
}

func TestCollect(t *testing.T) {
	s, from, dir := open(t)
	first, firstTree := from.put(t, packed(t, "first"))
	second, secondTree := from.put(t, packed(t, "second"))
	for artifact, digest := range map[string]string{first: firstTree, second: secondTree} {
		_, err := s.Tree(t.Context(), artifact, digest)
		must(t, err)
	}
	must(t, os.Mkdir(filepath.Join(dir, "changed-"+firstTree), 0o700))
	must(t, os.Mkdir(filepath.Join(dir, "not ours"), 0o700))
	must(t, s.Collect(func(digest string) bool { return digest == secondTree }))
	left, err := os.ReadDir(dir)
	must(t, err)
	if len(left) != 2 || left[0].Name() != secondTree && left[1].Name() != secondTree {
		t.Errorf("left: %v", left)
	}
	must(t, os.MkdirAll(filepath.Join(dir, ".incoming-1/half"), 0o500))
	if _, err := Open(dir, from); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".incoming-1")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("half a tree of an earlier process: %v", err)
	}
}
