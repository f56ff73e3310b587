package compile

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestAnotherCompiler holds that code which another version left, or the same
// one on another processor, is no hit: whoever loaded it would find nothing of
// its own there and compile in its own process, which nobody could end.
func TestAnotherCompiler(t *testing.T) {
	c, dir := newCompiler(t, Limits{})
	wasm := assemble(t, `(module (func (export "f")))`)
	folder, _, err := c.Compile(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	processor := *c
	processor.compiler.canary = "of another processor"
	if other, hit, err := processor.Compile(t.Context(), wasm); err != nil || hit || other == folder {
		t.Errorf("another processor: %s, hit %t, %v", other, hit, err)
	}
	version := *c
	version.compiler.folder = "wazero-9.9.9-amd64-linux"
	if _, _, err := version.Compile(t.Context(), wasm); !errors.Is(err, ErrCache) {
		t.Errorf("a child that is another program: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, unfinished+"*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestSpoiledFolder holds that a folder which is not what a child leaves, or
// which could not be loaded, is made anew.
func TestSpoiledFolder(t *testing.T) {
	c, _ := newCompiler(t, Limits{})
	wasm := assemble(t, `(module (func (export "f")))`)
	for name, spoil := range map[string]func(folder string) error{
		"emptied": func(folder string) error { return os.RemoveAll(filepath.Join(folder, c.compiler.folder)) },
		"one more": func(folder string) error {
			return os.WriteFile(filepath.Join(folder, c.compiler.folder, "x"), nil, 0o600)
		},
		"forgotten": c.Forget,
	} {
		folder, _, err := c.Compile(t.Context(), wasm)
		if err != nil {
			t.Fatal(err)
		}
		if err := spoil(folder); err != nil {
			t.Fatal(err)
		}
		if _, hit, err := c.Compile(t.Context(), wasm); err != nil || hit {
			t.Errorf("%s: hit %t, %v", name, hit, err)
		}
		if _, hit, err := c.Compile(t.Context(), wasm); err != nil || !hit {
			t.Errorf("%s, again: hit %t, %v", name, hit, err)
		}
	}
	if err := c.Forget(filepath.Join(t.TempDir(), "absent")); err != nil {
		t.Error(err)
	}
}

// TestSweep holds that what a killed process left is removed some time, and what
// another one is at is not.
func TestSweep(t *testing.T) {
	_, dir := newCompiler(t, Limits{})
	old, young := filepath.Join(dir, unfinished+"old"), filepath.Join(dir, unfinished+"young")
	for _, folder := range []string{old, young} {
		if err := os.MkdirAll(filepath.Join(folder, "below"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(old, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	if _, err := New(dir, Limits{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old one: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("the young one: %v", err)
	}
}

// TestProgramReplaced holds that a process whose file was replaced while it runs
// still has its own version compile.
func TestProgramReplaced(t *testing.T) {
	const inner = "BARTIZAN_TEST_REPLACED"
	if dir := os.Getenv(inner); dir != "" {
		if err := os.WriteFile(os.Args[0]+".new", []byte("#!/bin/sh\nexit 0\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(os.Args[0]+".new", os.Args[0]); err != nil {
			t.Skip("a running program cannot be replaced here: ", err)
		}
		c, err := New(dir, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Compile(t.Context(), assemble(t, `(module (func))`)); err != nil {
			if _, proc := os.Stat("/proc/self/exe"); proc == nil || !errors.Is(err, ErrCache) {
				t.Fatal(err)
			}
		}
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	replaced := filepath.Join(dir, "program")
	if err := os.WriteFile(replaced, program, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), replaced, "-test.run=^TestProgramReplaced$")
	cmd.Env = append(os.Environ(), inner+"="+filepath.Join(dir, "cache"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
