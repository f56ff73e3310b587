package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/sdk"
	"github.com/bartizan-mcp/bartizan/sdk/scaffold"
)

// TestScaffolds makes a scanner in every language, under a name of its own and
// outside of this repository, builds it without a network and runs its cases.
// `make sdk` makes them all under the name that they have here.
func TestScaffolds(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	for _, lang := range scaffold.Languages(sdk.Files) {
		t.Run(lang, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "mine")
			bartizan(t, "scanner", "new", "--lang", lang, "--dir", dir, "odd-one")
			file, err := readScannerFile(dir)
			if err != nil {
				t.Fatal(err)
			}
			if file.Name != "odd-one" || !strings.HasPrefix(file.Rules[0].ID, "odd-one.") {
				t.Errorf("the scanner is called %s, its first rule %s", file.Name, file.Rules[0].ID)
			}
			if why := unbuildable(t, dir); why != "" {
				t.Skip(why)
			}
			bartizan(t, "scanner", "build", dir)
			cases := filepath.Join(dir, "cases.jsonl")
			out := bartizan(t, "scanner", "test", filepath.Join(dir, "odd-one.wasm"), "--cases", cases)
			if strings.Contains(out, "is reached by no case") {
				t.Error(out)
			}
		})
	}
}

// unbuildable says why a scaffold cannot be built on this machine, or "".
func unbuildable(t *testing.T, dir string) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "package.json")); err == nil {
		return "its compiler comes from npm, which wants a network"
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "make", "-s", "toolchain")
	cmd.Dir, cmd.Stderr = dir, &said
	if err := cmd.Run(); err == nil || strings.Contains(said.String(), "No rule to make target") {
		return ""
	}
	return strings.TrimSpace(said.String())
}

// bartizan runs the command line in this process.
func bartizan(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr); code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	return stdout.String()
}
