package compile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/wat"
)

func assemble(t *testing.T, source string) []byte {
	t.Helper()
	wasm, err := wat.Assemble(source)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func newCompiler(t *testing.T, l Limits) (*Compiler, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "cache")
	c, err := New(dir, l)
	if err != nil {
		t.Fatal(err)
	}
	return c, dir
}

// bomb is 41 KB that compile for minutes and into gigabytes: every local that is
// read at the end may have come round every loop before.
func bomb(t *testing.T) []byte {
	const locals, loops = 5000, 3000
	var b strings.Builder
	b.WriteString("(module (func (param i32) (local" + strings.Repeat(" i32", locals) + ")")
	b.WriteString(strings.Repeat("(loop (br_if 0 (local.get 0)))", loops))
	for i := range locals {
		fmt.Fprintf(&b, "(drop (local.get %d))", i+1)
	}
	b.WriteString("))")
	return assemble(t, b.String())
}

func TestCompile(t *testing.T) {
	c, dir := newCompiler(t, Limits{})
	wasm := assemble(t, `(module (func (export "f") (result i32) (i32.const 1)))`)
	folder, hit, err := c.Compile(t.Context(), wasm)
	if err != nil || hit || filepath.Dir(folder) != dir {
		t.Fatalf("%s, %v, %v", folder, hit, err)
	}
	if again, hit, err := c.Compile(t.Context(), wasm); err != nil || !hit || again != folder {
		t.Errorf("again: %s, %v, %v", again, hit, err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestLimits(t *testing.T) {
	wasm := bomb(t)
	for name, tc := range map[string]struct {
		limits Limits
		want   []string
	}{
		"time":   {Limits{Processor: time.Second, MemoryBytes: 8 << 30}, []string{"1s of processor time", "within 4s"}}, // as busy as the machine is
		"memory": {Limits{Processor: 2 * time.Minute, MemoryBytes: 192 << 20}, []string{"192 MiB"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, dir := newCompiler(t, tc.limits)
			_, _, err := c.Compile(t.Context(), wasm)
			if !errors.Is(err, ErrLimits) || !slices.ContainsFunc(tc.want, func(s string) bool { return strings.Contains(err.Error(), s) }) {
				t.Errorf("%v", err)
			}
			if left, _ := os.ReadDir(dir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
			next, err := New(dir, Limits{}) // which a slow machine finishes, too
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := next.Compile(t.Context(), assemble(t, `(module (func))`)); err != nil {
				t.Errorf("the next one: %v", err)
			}
		})
	}
}

func TestInvalidModule(t *testing.T) {
	c, _ := newCompiler(t, Limits{})
	if _, _, err := c.Compile(t.Context(), []byte("\x00asm\x01\x00\x00\x00\x01")); !errors.Is(err, ErrModule) {
		t.Error(err)
	}
}

// TestTwoAtOnce holds that processes which compile the same module do not
// disturb each other.
func TestTwoAtOnce(t *testing.T) {
	_, dir := newCompiler(t, Limits{})
	wasm := assemble(t, `(module (func (export "f")))`)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			c, err := New(dir, Limits{})
			if err != nil {
				t.Error(err)
				return
			}
			if folder, _, err := c.Compile(t.Context(), wasm); err != nil || !c.compiled(folder) {
				t.Errorf("%s: %v", folder, err)
			}
		})
	}
	wg.Wait()
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%v", left)
	}
}

func TestUntrustedDirectory(t *testing.T) {
	_, dir := newCompiler(t, Limits{})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := New(dir, Limits{}); !errors.Is(err, ErrCache) {
		t.Errorf("open to others: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(file, Limits{}); !errors.Is(err, ErrCache) {
		t.Errorf("a file: %v", err)
	}
}
