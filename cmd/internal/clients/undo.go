package clients

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/atomicfile"
)

// Backups keeps what files held before they were edited, newest last, so that
// every edit can be undone in turn. It is readable by its owner only: the
// files hold keys of other servers.
type Backups struct{ Dir string }

// maxBackups of one file; the oldest is dropped.
const maxBackups = 16

// backup is one edit that can be undone.
type backup struct {
	Path    string    `json:"path"`
	Entry   [2]string `json:"entry"`
	Existed bool      `json:"existed"`
	Before  []byte    `json:"before"`           // base64
	After   string    `json:"after"`            // SHA-256 of what was written
	Folders []string  `json:"folders,omitzero"` // that were made for the file, outermost first
}

// Write does the edit: a backup first, then the file, whole or not at all,
// with the mode that it had. It fails when the file changed since the plan was
// made.
func (p *Plan) Write(b Backups) error {
	now, err := os.ReadFile(p.Path)
	if absent := errors.Is(err, fs.ErrNotExist); absent == p.exists || !absent && err != nil || !bytes.Equal(now, p.Before) {
		return fmt.Errorf("%s: %w", p.Path, ErrChanged)
	}
	folders, err := makeFolders(filepath.Dir(p.Path), p.mode)
	if err != nil {
		return err
	}
	undo, err := b.add(backup{
		Path: p.Path, Entry: p.path, Existed: p.exists, Before: p.Before, After: digest(p.After), Folders: folders,
	})
	if err != nil {
		return fmt.Errorf("no backup, so nothing was changed: %w", err)
	}
	if err := atomicfile.WriteMode(p.Path, p.After, p.mode); err != nil {
		return errors.Join(err, os.Remove(undo))
	}
	return nil
}

// makeFolders makes a folder and its parents and returns those that it made.
func makeFolders(dir string, file fs.FileMode) ([]string, error) {
	var made []string
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil || filepath.Dir(at) == at {
			break
		}
		made = append(made, at)
	}
	slices.Reverse(made)
	mode := fs.FileMode(0o700)
	if file&0o044 != 0 {
		mode = 0o755
	}
	return made, os.MkdirAll(dir, mode)
}

// Undo takes the last edit of a file back. A file that is still as it was
// written becomes what it was, byte for byte; in one that changed since, only
// the entry is put back, and whole is false.
func (c *Client) Undo(file string, b Backups) (path string, whole bool, err error) {
	if path, err = resolve(file); err != nil {
		return "", false, err
	}
	name, last, err := b.last(path)
	if err != nil {
		return path, false, err
	}
	now, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !last.Existed:
		return path, true, os.Remove(name)
	case err != nil:
		return path, false, err
	}
	whole = digest(now) == last.After
	switch {
	case whole && !last.Existed:
		err = os.Remove(path)
		for _, folder := range slices.Backward(last.Folders) {
			_ = os.Remove(folder) // stays if somebody else uses it
		}
	case whole:
		err = rewrite(path, last.Before)
	default:
		err = c.putBack(path, now, last)
	}
	if err != nil {
		return path, false, err
	}
	return path, whole, os.Remove(name)
}

// putBack restores the entry alone.
func (c *Client) putBack(path string, now []byte, last backup) error {
	raw, err := c.format.get(last.Before, last.Entry)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	after, err := c.format.restore(now, last.Entry, raw)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if _, err := c.format.get(after, last.Entry); err != nil {
		return fmt.Errorf("%s: %w", path, ErrUnfit)
	}
	return rewrite(path, after)
}

func rewrite(path string, content []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return atomicfile.WriteMode(path, content, info.Mode().Perm())
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (b Backups) folder(path string) string {
	return filepath.Join(b.Dir, digest([]byte(path))[:32])
}

// names are the backups of a file, oldest first.
func (b Backups) names(path string) ([]string, error) {
	entries, err := os.ReadDir(b.folder(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries { // sorted by name
		if strings.HasSuffix(e.Name(), ".json") {
			names = append(names, filepath.Join(b.folder(path), e.Name()))
		}
	}
	return names, err
}

func (b Backups) add(undo backup) (string, error) {
	if err := os.MkdirAll(b.folder(undo.Path), 0o700); err != nil {
		return "", err
	}
	names, err := b.names(undo.Path)
	if err != nil {
		return "", err
	}
	next := 1
	if len(names) > 0 {
		if _, err := fmt.Sscanf(filepath.Base(names[len(names)-1]), "%d.json", &next); err != nil {
			return "", err
		}
		next++
	}
	body, err := json.Marshal(undo)
	if err != nil {
		return "", err
	}
	name := filepath.Join(b.folder(undo.Path), fmt.Sprintf("%08d.json", next))
	if err := atomicfile.Write(name, body); err != nil {
		return "", err
	}
	if len(names) >= maxBackups {
		return name, os.Remove(names[0])
	}
	return name, nil
}

func (b Backups) last(path string) (name string, last backup, err error) {
	names, err := b.names(path)
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("%s: %w", path, ErrNoUndo)
	}
	if err != nil {
		return "", backup{}, err
	}
	name = names[len(names)-1]
	body, err := os.ReadFile(name)
	if err != nil {
		return "", backup{}, err
	}
	if err := json.Unmarshal(body, &last); err != nil || last.Path != path {
		return "", backup{}, fmt.Errorf("%s: the backup is damaged", name)
	}
	return name, last, nil
}
