package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// TestBuild compiles twice: the bytes are the same, hold one manifest and
// nothing of where they were made, and nothing else is left behind.
func TestBuild(t *testing.T) {
	var built [2][]byte
	for i := range built {
		dist := t.TempDir()
		if err := build("testdata/tiny", dist); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(dist)
		if err != nil || len(entries) != 1 {
			t.Fatalf("%v, %v", entries, err)
		}
		if built[i], err = os.ReadFile(filepath.Join(dist, "tiny.wasm")); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(built[i], []byte(dist)) {
			t.Error("the module names the folder it was made in")
		}
	}
	if !bytes.Equal(built[0], built[1]) {
		t.Error("two builds differ")
	}
	bodies, err := wasmsection.Custom(built[0], section)
	if err != nil || len(bodies) != 1 || string(bodies[0]) != `{"name":"tiny","rules":[]}` {
		t.Errorf("%q, %v", bodies, err)
	}
}

func TestBuildFails(t *testing.T) {
	for name, manifest := range map[string]string{"no JSON": "name: x", "no Go": "{}"} {
		dir, dist := t.TempDir(), t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(manifest), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := build(dir, dist); err == nil {
			t.Errorf("%s: built", name)
		}
		if entries, _ := os.ReadDir(dist); len(entries) != 0 {
			t.Errorf("%s: left %v behind", name, entries)
		}
	}
}
