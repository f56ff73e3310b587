// Package plugins holds the scanners that Bartizan ships, as compiled modules.
//
// Each folder beside this file is one scanner: Go source against sdk/go and a
// manifest. `make plugins` compiles them into dist, as a stranger's
// scanner is compiled, straightens them (plugins/internal/straighten), and this
// package embeds what is there. It must not know
// how a module is run: that is the engine.
package plugins

import (
	"embed"
	"errors"
	"io/fs"
	"strings"
)

// all: embeds dist/.gitignore too, so that a checkout builds before the
// modules exist.
//
//go:embed all:dist
var dist embed.FS

// ErrNotBuilt means that this binary was built before the scanners were.
var ErrNotBuilt = errors.New("no scanners in this binary: run make plugins and build again")

// Modules returns the compiled modules by scanner name.
func Modules() (map[string][]byte, error) { return modules(dist) }

func modules(files fs.FS) (map[string][]byte, error) {
	paths, err := fs.Glob(files, "dist/*.wasm")
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, ErrNotBuilt
	}
	found := make(map[string][]byte, len(paths))
	for _, path := range paths {
		wasm, err := fs.ReadFile(files, path)
		if err != nil {
			return nil, err
		}
		found[strings.TrimSuffix(strings.TrimPrefix(path, "dist/"), ".wasm")] = wasm
	}
	return found, nil
}
