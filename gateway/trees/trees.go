// Package trees keeps the folders that artifact-bound servers are started
// from: fetched by the digest of the artifact, unpacked once, read as a whole
// and held to the digest of the tree before every start.
//
// A folder is named by the digest of its tree, so nothing can be put under the
// name of something else; but what is on disk is believed only as far as it was
// just read. The package must not know approvals, launches or MCP.
package trees

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/internal/tree"
)

var (
	// ErrUnavailable is an artifact that cannot be had, or not be unpacked here
	// right now.
	ErrUnavailable = errors.New("the artifact cannot be had")
	// ErrChanged is an artifact, or a tree on disk, that is not the approved one.
	ErrChanged = errors.New("the artifact is not what was approved")
)

// Source yields artifacts.
type Source interface {
	// Artifact opens the artifact with this SHA-256, lower-case hex. What it
	// yields is checked, not believed.
	Artifact(ctx context.Context, digest string) (io.ReadCloser, error)
}

// Names of what is in the folder beside trees.
const (
	incoming = ".incoming-" // half unpacked
	aside    = "changed-"   // a tree that was not as it should be, for whoever looks into it
)

// Store is one folder of trees. It is safe for concurrent use by one process.
type Store struct {
	dir    string
	source Source
	limits archive.Limits

	mu    sync.Mutex
	locks map[string]*sync.Mutex // by tree
}

// Open opens or makes the folder, its owner's alone, and removes what an
// earlier process left half unpacked.
func Open(dir string, source Source) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("trees: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("trees: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("trees: %w", err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, fmt.Errorf("trees: %w", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("trees: %w", err)
	}
	for _, e := range left {
		if strings.HasPrefix(e.Name(), incoming) {
			if err := tree.Remove(filepath.Join(dir, e.Name())); err != nil {
				return nil, fmt.Errorf("trees: %w", err)
			}
		}
	}
	return &Store{dir: dir, source: source, locks: map[string]*sync.Mutex{}}, nil
}

// Tree returns the folder of the tree with this digest, made from the artifact
// if it is not there, and read in full a moment ago. A folder that is not as
// it was made is set aside, and this time nothing takes its place.
func (s *Store) Tree(ctx context.Context, artifact, digest string) (string, error) {
	if !hexadecimal(artifact) || !hexadecimal(digest) {
		return "", fmt.Errorf("%w: no digest", ErrChanged)
	}
	defer s.lock(digest)()
	dir := filepath.Join(s.dir, digest)
	if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
		if err := s.make(ctx, artifact, digest, dir); err != nil {
			return "", err
		}
	}
	err := tree.Verify(ctx, dir, digest)
	switch {
	case errors.Is(err, tree.ErrChanged):
		return "", errors.Join(fmt.Errorf("%w: %w", ErrChanged, err), s.setAside(dir))
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return dir, nil
}

// make fetches and unpacks.
func (s *Store) make(ctx context.Context, artifact, digest, dir string) error {
	work, err := os.MkdirTemp(s.dir, incoming)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { _ = tree.Remove(work) }()
	file := filepath.Join(work, "artifact")
	if err := s.fetch(ctx, artifact, file); err != nil {
		return err
	}
	// Beside the work folder, not in it: moving a folder to another one takes
	// the right to write to it.
	made := work + "-tree"
	defer func() { _ = tree.Remove(made) }()
	have, err := tree.Materialise(ctx, file, made, s.limits)
	switch {
	case errors.Is(err, tree.ErrHostile), errors.Is(err, tree.ErrManifest), errors.Is(err, tree.ErrIntegrity),
		errors.Is(err, archive.ErrTooLarge), errors.Is(err, archive.ErrUnsupported):
		return fmt.Errorf("%w: %w", ErrChanged, err) // the registry made a tree of it
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case have != digest:
		return fmt.Errorf("%w: it unpacks to another tree", ErrChanged)
	}
	if err := os.Rename(made, dir); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// fetch writes the artifact to a file and compares its digest.
func (s *Store) fetch(ctx context.Context, digest, file string) error {
	body, err := s.source.Artifact(ctx, digest)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer body.Close()
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	sum := sha256.New()
	max := archive.DefaultLimits.InputBytes
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(body, max+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if n > max || hex.EncodeToString(sum.Sum(nil)) != digest {
		return fmt.Errorf("%w: the registry has other bytes", ErrChanged)
	}
	return nil
}

// setAside keeps a changed tree for whoever looks into it, the last one only.
func (s *Store) setAside(dir string) error {
	kept := filepath.Join(s.dir, aside+filepath.Base(dir))
	return errors.Join(tree.Remove(kept), os.Rename(dir, kept))
}

// Collect removes every tree that keep does not name, and whatever was set
// aside for one.
func (s *Store) Collect(keep func(digest string) bool) error {
	found, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("trees: %w", err)
	}
	var errs []error
	for _, e := range found {
		digest := strings.TrimPrefix(e.Name(), aside)
		if !hexadecimal(digest) || keep(digest) {
			continue
		}
		unlock := s.lock(digest)
		errs = append(errs, tree.Remove(filepath.Join(s.dir, e.Name())))
		unlock()
	}
	return errors.Join(errs...)
}

func (s *Store) lock(digest string) (unlock func()) {
	s.mu.Lock()
	l := s.locks[digest]
	if l == nil {
		l = new(sync.Mutex)
		s.locks[digest] = l
	}
	s.mu.Unlock()
	l.Lock()
	return l.Unlock
}

func hexadecimal(s string) bool {
	return len(s) == 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}
