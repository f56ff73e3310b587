package attest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Roots is trusted roots on disk. What changes there counts at once: a root
// that is imported or taken away needs no restart. It is safe for concurrent
// use.
type Roots struct {
	paths    []string
	optional string

	mu    sync.Mutex
	state string
	root  *TrustedRoot
}

// OpenRoots trusts the roots at every path, each a file or a folder, and those
// in the optional folder, which need not exist. Without any of them there is no
// root, and no certificate counts.
func OpenRoots(optional string, paths ...string) (*Roots, error) {
	r := &Roots{paths: paths, optional: optional}
	_, err := r.Current()
	return r, err
}

// FixedRoots is a root that never changes.
func FixedRoots(root *TrustedRoot) *Roots { return &Roots{root: root} }

// Current returns what is trusted now, nil for nothing. A file that cannot be
// read is an error, never less trust in silence.
func (r *Roots) Current() (*TrustedRoot, error) {
	switch {
	case r == nil:
		return nil, nil
	case r.optional == "" && len(r.paths) == 0: // fixed
		return r.root, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	state, paths, err := r.look()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTrustedRoot, err)
	}
	if state == r.state {
		return r.root, nil
	}
	var all []*TrustedRoot
	for _, path := range paths {
		root, err := LoadTrustedRoot(path)
		if err != nil {
			return nil, err
		}
		all = append(all, root)
	}
	r.state, r.root = state, nil
	if len(all) > 0 {
		r.root = JoinRoots(all...)
	}
	return r.root, nil
}

// look describes the files, so that a change is seen without reading them.
func (r *Roots) look() (state string, paths []string, err error) {
	paths = slices.Clone(r.paths)
	if r.optional != "" {
		files, err := filepath.Glob(filepath.Join(r.optional, "*.json"))
		if err != nil {
			return "", nil, err
		}
		paths = append(paths, files...)
	}
	var b strings.Builder
	for _, path := range paths {
		err := filepath.WalkDir(path, func(file string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, "%s %d %d\n", file, info.Size(), info.ModTime().UnixNano())
			if b.Len() > 1<<20 {
				return errors.New("too many files")
			}
			return nil
		})
		if err != nil {
			return "", nil, err
		}
		// A file that a link names: its own state counts.
		if info, err := os.Stat(path); err == nil {
			fmt.Fprintf(&b, "%d %d\n", info.Size(), info.ModTime().UnixNano())
		}
	}
	return "read:" + b.String(), paths, nil
}
