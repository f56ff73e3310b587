// Package compile turns WebAssembly into native code in a process of its own.
//
// The compiler cannot be interrupted, and what it needs is chosen by the
// module: 41 KB of code have taken it more than a minute and gigabytes. A child
// has a processor and a memory limit that the kernel keeps, and is killed. It
// leaves native code in a directory that only this user can write, one folder
// for each module, which the parent then loads. The package knows nothing of
// scanners: bytes in, a folder out.
package compile

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Errors of this package.
var (
	// ErrCache means that the directory cannot be trusted or written.
	ErrCache = errors.New("compilation cache")
	// ErrLimits means that a module costs more to compile than it may.
	ErrLimits = errors.New("compilation limits")
	// ErrModule means that the compiler refuses the module.
	ErrModule = errors.New("not a valid module")
)

// Limits bound one compilation.
type Limits struct {
	Processor   time.Duration // processor time; the wall clock may show patience times as much
	MemoryBytes uint64        // address space beyond what the process starts with
}

// patience is how much longer than its processor time a compilation may take,
// since a machine that is busy is no fault of the module.
const patience = 4

// DefaultLimits are some ten times what the largest guests of the standard Go
// toolchain need.
var DefaultLimits = Limits{Processor: 30 * time.Second, MemoryBytes: 2 << 30}

// Compiler compiles into a directory.
type Compiler struct {
	dir      string
	limits   Limits
	compiler identity
}

// New returns a compiler into dir, which is made if it is absent and refused
// when anybody else could have written there: what it holds is executed.
func New(dir string, limits Limits) (*Compiler, error) {
	if limits.Processor <= 0 {
		limits.Processor = DefaultLimits.Processor
	}
	if limits.MemoryBytes == 0 {
		limits.MemoryBytes = DefaultLimits.MemoryBytes
	}
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
	c := &Compiler{dir: dir, limits: limits}
	c.sweep()
	if c.compiler, err = c.identify(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCache, err)
	}
	return c, nil
}

// Compile returns the folder that holds the native code of a module, and
// whether it was there before.
func (c *Compiler) Compile(ctx context.Context, wasm []byte) (folder string, hit bool, err error) {
	sum := c.compiler.key(wasm)
	folder = filepath.Join(c.dir, hex.EncodeToString(sum[:]))
	if c.compiled(folder) {
		return folder, true, nil
	}
	// Two processes may do the same at once; each renames a whole folder.
	tmp, err := os.MkdirTemp(c.dir, unfinished)
	if err != nil {
		return "", false, fmt.Errorf("%w: %w", ErrCache, err)
	}
	defer os.RemoveAll(tmp)
	if err := c.run(ctx, tmp, wasm); err != nil {
		return "", false, err
	}
	if !c.compiled(tmp) { // another program than this one, put in its place
		return "", false, fmt.Errorf("%w: the child left no code for this process", ErrCache)
	}
	err = os.Rename(tmp, folder)
	if err != nil && !c.compiled(folder) { // something else is there
		if err = c.Forget(folder); err == nil {
			err = os.Rename(tmp, folder)
		}
	}
	if err != nil && !c.compiled(folder) {
		return "", false, fmt.Errorf("%w: %w", ErrCache, err)
	}
	return folder, false, nil
}

// Forget removes a folder that could not be loaded, so that it is made again.
func (c *Compiler) Forget(folder string) error {
	// Whole, as it came: half a folder would be loaded as one that holds nothing.
	tmp, err := os.MkdirTemp(c.dir, unfinished)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCache, err)
	}
	defer os.RemoveAll(tmp)
	if err := os.Rename(folder, filepath.Join(tmp, "folder")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrCache, err)
	}
	return nil
}

// compiled reports whether a folder holds what a child left there for a process
// like this one. A folder appears whole or not at all. It must not be taken for
// compiled if it is not: whoever loads it would compile, without any limit.
func (c *Compiler) compiled(folder string) bool {
	files, err := os.ReadDir(filepath.Join(folder, c.compiler.folder))
	return err == nil && len(files) == 1
}

var errDeadline = errors.New("compilation deadline")

func (c *Compiler) run(ctx context.Context, dir string, wasm []byte) error {
	self, err := executable()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCache, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience*c.limits.Processor, errDeadline)
	defer cancel()
	var report bytes.Buffer
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = []string{childVariable + "=" + c.limits.encode(dir)}
	cmd.Dir = c.dir
	cmd.Stdin = bytes.NewReader(wasm)
	cmd.Stdout = &bounded{buffer: &report}
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errDeadline):
		return fmt.Errorf("%w: not compiled within %s", ErrLimits, patience*c.limits.Processor)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case !errors.As(err, &exit):
		return fmt.Errorf("%w: %w", ErrCache, err)
	case exit.ExitCode() == exitInvalid:
		return fmt.Errorf("%w: %s", ErrModule, strings.TrimSpace(report.String()))
	case exit.ExitCode() == exitCache:
		return fmt.Errorf("%w: %s", ErrCache, strings.TrimSpace(report.String()))
	}
	// Killed by the kernel, or by the Go runtime when it got no more memory.
	return fmt.Errorf("%w: needs more than %s of processor time or %d MiB of memory", ErrLimits, c.limits.Processor, c.limits.MemoryBytes>>20)
}

// bounded keeps the first bytes of what a child says.
type bounded struct{ buffer *bytes.Buffer }

const reportBytes = 1 << 10

func (b *bounded) Write(p []byte) (int, error) {
	b.buffer.Write(p[:min(len(p), reportBytes-b.buffer.Len())])
	return len(p), nil
}
