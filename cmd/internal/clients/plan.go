package clients

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"
)

// Plan is one edit of one file, not yet done.
type Plan struct {
	Path   string // symbolic links resolved
	Before []byte
	After  []byte

	exists bool
	mode   fs.FileMode
	path   [2]string
	format format
}

// Request says what a plan is for.
type Request struct {
	File    string // to edit
	Project bool   // File is one that others read too
	Name    string // of the entry
	Gateway Gateway
}

// maxName bounds the name of an entry: clients build tool names from it, of
// which models take 64 characters.
const maxName = 40

// Plan reads a client's file and works out the edit; nothing is written.
func (c *Client) Plan(r Request) (*Plan, error) {
	if r.Project && r.Gateway.Token != "" {
		return nil, ErrSharedKey
	}
	if !validName(r.Name) {
		return nil, fmt.Errorf("%w: the name %q", ErrUnfit, r.Name)
	}
	p, err := c.open(r.File, r.Name)
	if err != nil {
		return nil, err
	}
	if !p.exists && r.Project {
		p.mode = 0o644
	}
	e := c.entryFor(r.Gateway)
	have, err := c.format.get(p.Before, p.path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Path, err)
	}
	p.After = p.Before
	if have == nil || !c.format.holds(have, e) {
		if p.After, err = c.format.put(p.Before, p.path, e); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Path, err)
		}
	}
	if c.prompt != nil && r.Gateway.Token == "" && !r.Gateway.Bridge {
		if p.After, err = putPrompt(p.After, c.prompt); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Path, err)
		}
	}
	// What was made must be what this client can read, and say what was meant.
	if have, err = c.format.get(p.After, p.path); err != nil || !c.format.holds(have, e) {
		return nil, fmt.Errorf("%s: %w", p.Path, ErrUnfit)
	}
	return p, nil
}

func validName(s string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

// Connected reports whether a file exists, and whether it has an entry of that
// name.
func (c *Client) Connected(file, name string) (exists, connected bool, err error) {
	p, err := c.open(file, name)
	if err != nil || !p.exists {
		return false, false, err
	}
	raw, err := c.format.get(p.Before, p.path)
	return true, raw != nil, err
}

// open reads a file that may not exist yet.
func (c *Client) open(file, name string) (*Plan, error) {
	path, err := resolve(file)
	if err != nil {
		return nil, err
	}
	p := &Plan{Path: path, mode: 0o600, path: [2]string{c.servers, name}, format: c.format}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: %w: not a regular file", path, ErrUnreadable)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s: %w: too large", path, ErrUnreadable)
	}
	p.exists, p.mode = true, info.Mode().Perm()
	if p.Before, err = os.ReadFile(path); err != nil {
		return nil, err
	}
	if !utf8.Valid(p.Before) {
		return nil, fmt.Errorf("%s: %w: not UTF-8", path, ErrUnreadable)
	}
	return p, nil
}

// resolve follows symbolic links, so that a linked file is edited where it
// lies and the link stays. A link that leads nowhere is an error: whoever made
// it meant some file.
func resolve(file string) (string, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	switch {
	case err == nil:
		return real, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	if info, err := os.Lstat(abs); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return "", fmt.Errorf("%s: %w: a link that leads nowhere", abs, ErrUnreadable)
	}
	rest := filepath.Base(abs)
	for dir := filepath.Dir(abs); ; dir = filepath.Dir(dir) {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(real, rest), nil
		} else if filepath.Dir(dir) == dir {
			return "", err
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}

// Changed reports whether there is anything to write.
func (p *Plan) Changed() bool { return !p.exists || !bytes.Equal(p.Before, p.After) }

// Readable reports whether others than the owner may read the file.
func (p *Plan) Readable() bool { return p.mode&0o044 != 0 }

// Diff is the edit as a unified diff, with secret replaced by dots.
func (p *Plan) Diff(secret string) string {
	old := p.Path
	if !p.exists {
		old = os.DevNull
	}
	text := diff.Diff(old, p.Before, p.Path, p.After)
	if _, rest, ok := bytes.Cut(text, []byte("\n")); ok {
		text = rest // the line that names the command
	}
	if secret != "" {
		text = bytes.ReplaceAll(text, []byte(secret), []byte("…"))
	}
	return string(text)
}
