package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

// cmdBinary puts a native MCP server into a file.
func cmdBinary(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: binary FILE")
	}
	bin, err := everythingServer()
	ts.Check(err)
	body, err := os.ReadFile(bin)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), body, 0o755))
}

// cmdTamper appends to a file below a folder, whatever its mode and its
// folder's, as one who owns both can.
func cmdTamper(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tamper FOLDER NAME")
	}
	found := 0
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() != args[1] {
			return err
		}
		found++
		info, err := d.Info()
		ts.Check(err)
		body, err := os.ReadFile(path)
		ts.Check(err)
		ts.Check(os.Chmod(filepath.Dir(path), 0o700))
		ts.Check(os.Remove(path)) // it may be running
		ts.Check(os.WriteFile(path, append(bytes.Clone(body), 0), info.Mode()))
		ts.Check(os.Chmod(path, info.Mode()))
		return os.Chmod(filepath.Dir(path), 0o500)
	}))
	if found == 0 {
		ts.Fatalf("no %s below %s", args[1], args[0])
	}
}

// fences reports whether artifact-bound servers start here without unsafeRun.
func fences() bool { return confine.Fences() }
