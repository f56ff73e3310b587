package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ignored directories hold nothing that is published or run.
func ignored(d fs.DirEntry) bool { return d.IsDir() && d.Name() == ".git" }

// walkDirectory visits in lexical order. os.Root keeps every open inside dir,
// also when a link is swapped in meanwhile.
func walkDirectory(dir string, g *guard, visit Visit) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open artifact: %w", pathless(err))
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("read artifact: %w", err)
		}
		switch mode := d.Type(); {
		case name == ".":
			return nil
		case ignored(d):
			return fs.SkipDir
		case d.IsDir():
			return g.admit(name, 0, roleDirectory)
		case mode&fs.ModeSymlink != 0:
			target, err := checkRootLink(root, name)
			if err != nil {
				return err
			}
			return visitLink(name, target, g, visit)
		case mode.IsRegular():
			return visitRegular(root, name, g, visit)
		default:
			return fmt.Errorf("%w: %q is a device, pipe or other special file", ErrHostile, name)
		}
	})
}

func visitRegular(root *os.Root, name string, g *guard, visit Visit) error {
	f, err := root.Open(name)
	if err != nil {
		return fmt.Errorf("read artifact: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read artifact: %w", err)
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%w: %q changed while it was read", ErrHostile, name)
	}
	e := Entry{Path: name, Size: st.Size(), Executable: st.Mode()&0o111 != 0}
	if err := g.file(e); err != nil {
		return err
	}
	return visit(e, io.LimitReader(g.reader(f), e.Size))
}

// checkRootLink lets the operating system follow the link inside root, and
// also applies the rule for archives, so that what Pack writes Walk reads. It
// returns the target.
func checkRootLink(root *os.Root, name string) (string, error) {
	target, err := root.Readlink(name)
	if err != nil {
		return "", fmt.Errorf("read artifact: %w", err)
	}
	if err := checkLink(name, target); err != nil {
		return "", err
	}
	if _, err := root.Stat(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: link %q leaves the artifact", ErrHostile, name)
	}
	return target, nil
}
