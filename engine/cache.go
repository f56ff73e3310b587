package engine

import (
	"fmt"
	"os"

	"github.com/tetratelabs/wazero"
)

// openCache opens a directory of compiled modules that only this user can write.
func openCache(dir string) (wazero.CompilationCache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCache, err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCache, err)
	}
	if err := checkOwner(info); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCache, dir, err)
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCache, err)
	}
	return cache, nil
}
