package resolve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/bartizan-mcp/bartizan/internal/archive"
	"github.com/bartizan-mcp/bartizan/sbom/npm"
)

// artifact is what is published, as a folder, and what of it matters here.
type artifact struct {
	dir   string // the folder, or where the archive was unpacked
	base  string // the folder inside that counts as the top, "." or "package"
	files map[string][]byte
	notes []string
}

// kept are the files that are read into memory: manifests and lockfiles. Of
// lockfiles only the presence counts.
var kept = []string{
	"package.json", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "pnpm-workspace.yaml", "bun.lock", "bun.lockb",
	"pyproject.toml", "uv.lock", "poetry.lock", "requirements.txt",
}

// leftOut are files that would run code or redirect a tool. They stay in the
// artifact and are never shown to a tool.
var leftOut = []string{".npmrc", ".pnpmfile.cjs", ".pnpmfile.mjs", "pnpmfile.js", ".yarnrc", ".yarnrc.yml", ".yarnrc.js", "uv.toml", ".python-version"}

func open(ctx context.Context, file, scratch string) (*artifact, error) {
	a := &artifact{dir: file, base: ".", files: map[string][]byte{}}
	st, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	var root *os.Root
	if !st.IsDir() {
		if a.dir, err = os.MkdirTemp(scratch, "artifact-"); err != nil {
			return nil, err
		}
		if root, err = os.OpenRoot(a.dir); err != nil {
			return nil, err
		}
		defer root.Close()
	}
	tops := map[string]bool{}
	info, err := archive.Walk(ctx, file, archive.Auto, archive.Limits{}, func(e archive.Entry, r io.Reader) error {
		top, _, nested := strings.Cut(e.Path, "/")
		tops[top] = tops[top] || nested
		return a.visit(root, e, r)
	})
	switch {
	case err != nil:
		return nil, err
	case info.Kind != archive.Directory && info.Kind != archive.Tar:
		return nil, fmt.Errorf("%w: a %s is published as it is; resolve the folder that it was made from", ErrRefused, info.Kind)
	}
	if len(tops) == 1 && info.Kind == archive.Tar {
		for top, nested := range tops {
			if nested && top != "node_modules" {
				a.base = top
			}
		}
	}
	return a, nil
}

func (a *artifact) visit(root *os.Root, e archive.Entry, r io.Reader) error {
	dir, base := path.Split(e.Path)
	if !strings.Contains("/"+dir, "/node_modules/") {
		switch {
		case slices.Contains(leftOut, base):
			a.notes = append(a.notes, e.Path+" was left out of account")
		case slices.Contains(kept, base) && !e.Link:
			if e.Size > npm.MaxLockBytes {
				return fmt.Errorf("%w: %s is too large", ErrRefused, e.Path)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			a.files[e.Path] = b
			return write(root, e, strings.NewReader(string(b)))
		}
	}
	return write(root, e, r)
}

// write unpacks one entry, if there is anything to unpack into.
func write(root *os.Root, e archive.Entry, r io.Reader) error {
	if root == nil {
		return nil
	}
	if err := root.MkdirAll(path.Dir(e.Path), 0o700); err != nil {
		return err
	}
	switch {
	case e.Link && e.Target == "":
		return fmt.Errorf("%w: %q is a hard link", ErrRefused, e.Path)
	case e.Link:
		return root.Symlink(e.Target, e.Path)
	}
	mode := os.FileMode(0o600)
	if e.Executable {
		mode = 0o700
	}
	f, err := root.OpenFile(e.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

// shown is a path as it is outside of the folder that tar files wrap theirs in.
func (a *artifact) shown(at string) string {
	if a.base == "." {
		return at
	}
	return strings.TrimPrefix(strings.TrimPrefix(at, a.base), "/")
}

func (a *artifact) has(dir string, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { _, ok := a.files[path.Join(dir, name)]; return ok })
}

// folders with a file of a name, the top ones first.
func (a *artifact) folders(name string) []string {
	var out []string
	for at := range a.files {
		if path.Base(at) == name {
			out = append(out, path.Dir(at))
		}
	}
	slices.SortFunc(out, func(x, y string) int {
		if d := strings.Count(x, "/") - strings.Count(y, "/"); d != 0 && x != "." && y != "." {
			return d
		}
		if x == "." || y == "." {
			return strings.Compare(strings.Replace(x, ".", "", 1), strings.Replace(y, ".", "", 1))
		}
		return strings.Compare(x, y)
	})
	return out
}

// inside tells whether a folder is below another.
func inside(dir, above string) bool {
	return dir != above && (above == "." || strings.HasPrefix(dir, above+"/"))
}
