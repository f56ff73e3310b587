// Package blob keeps immutable bytes by their SHA-256: artifacts, SBOMs,
// captures, evidence. It knows nothing of what they mean or who may read them.
//
// A blob is either there whole or not there: it is written to a temporary
// file, fsynced, renamed and its folder fsynced. All access goes through an
// os.Root, so neither a digest nor a symbolic link leads out of the folder.
package blob

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

var (
	// ErrNotFound: no blob with this digest.
	ErrNotFound = errors.New("blob: not found")
	// ErrCorrupt: the stored bytes no longer have this digest.
	ErrCorrupt = errors.New("blob: stored bytes do not match their digest")
	// ErrTooLarge: more bytes than the caller's bound.
	ErrTooLarge = errors.New("blob: too large")
	// ErrDigest: not "sha256:" and 64 lower-case hex digits.
	ErrDigest = errors.New("blob: invalid digest")
)

const (
	algorithm = "sha256"
	tempDir   = "incoming"
	// A temporary file this old belongs to a process that died.
	abandoned = 24 * time.Hour
)

// Store is one folder of blobs; safe for concurrent use, by several processes
// too.
type Store struct{ root *os.Root }

// Open opens or creates the folder, owner-only, and sweeps what an earlier
// process left half-written.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	for _, sub := range []string{tempDir, algorithm} {
		if err := root.MkdirAll(sub, 0o700); err != nil {
			root.Close()
			return nil, fmt.Errorf("blob: %w", err)
		}
	}
	s := &Store{root: root}
	s.sweep(time.Now().Add(-abandoned))
	return s, nil
}

// Close releases the folder.
func (s *Store) Close() error { return s.root.Close() }

// sweep removes abandoned temporary files. Failing to is no reason not to
// open: they are invisible, and the next start tries again.
func (s *Store) sweep(before time.Time) {
	entries, err := fs.ReadDir(s.root.FS(), tempDir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.ModTime().Before(before) {
			s.root.Remove(path.Join(tempDir, e.Name()))
		}
	}
}

// locate turns a digest into its path below the root. It accepts the one
// canonical spelling only, which no path separator or dot is part of.
func locate(digest string) (string, error) {
	hexed, ok := strings.CutPrefix(digest, algorithm+":")
	if !ok || len(hexed) != 64 || strings.Trim(hexed, "0123456789abcdef") != "" {
		return "", ErrDigest
	}
	return path.Join(algorithm, hexed[:2], hexed), nil
}
