package policy

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Load reads a file of policies, or every *.cedar of a folder, in the order of
// their names. A folder without one is an error: it is a typo more often than a
// wish that nothing be permitted. So is a file that is not regular.
func Load(path string) (*Set, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	files := []string{path}
	if info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(escapeGlob(path), "*.cedar")); err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("policy: %s holds no *.cedar", path)
		}
		slices.Sort(files)
	}
	documents := make([]Document, len(files))
	for i, file := range files {
		text, err := read(file)
		if err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		documents[i] = Document{Name: filepath.Base(file), Text: text}
	}
	return Parse(documents...)
}

func read(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: file, Err: fs.ErrInvalid}
	}
	return io.ReadAll(io.LimitReader(f, MaxDocument+1)) // Parse refuses the one byte more
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
