package compile

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// identity is which compiler this process has: its version, and the processor
// that it compiles for, with its features. Native code is found again by an
// equal one only. A directory outlives programs and machines.
type identity struct {
	folder string // where it keeps code, below the folder of a module
	canary string // what it calls the code of a module that everybody knows
}

// key names a module as compiled by this compiler.
func (i identity) key(wasm []byte) [sha256.Size]byte {
	sum := sha256.Sum256(wasm)
	return sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%x", i.folder, i.canary, sum))
}

// identify has the compiler keep an empty module, and looks at how it does that.
func (c *Compiler) identify() (identity, error) {
	tmp, err := os.MkdirTemp(c.dir, unfinished)
	if err != nil {
		return identity{}, err
	}
	defer os.RemoveAll(tmp)
	ctx := context.Background()
	runtime, cache, err := Open(ctx, tmp)
	if err != nil {
		return identity{}, err
	}
	defer cache.Close(ctx)
	defer runtime.Close(ctx)
	if _, err := runtime.CompileModule(ctx, []byte("\x00asm\x01\x00\x00\x00")); err != nil {
		return identity{}, err
	}
	files, err := filepath.Glob(filepath.Join(tmp, "*", "*"))
	if err != nil || len(files) != 1 {
		return identity{}, fmt.Errorf("%d files for one module", len(files))
	}
	return identity{filepath.Base(filepath.Dir(files[0])), filepath.Base(files[0])}, nil
}

// unfinished is how the names of folders begin that are not complete.
const unfinished = ".compile-"

// sweep removes unfinished folders whose processes ended without doing so.
func (c *Compiler) sweep() {
	left, _ := filepath.Glob(filepath.Join(c.dir, unfinished+"*"))
	for _, folder := range left {
		if info, err := os.Lstat(folder); err == nil && time.Since(info.ModTime()) > max(time.Hour, 2*patience*c.limits.Processor) {
			_ = os.RemoveAll(folder)
		}
	}
}
