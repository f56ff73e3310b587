package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/cmd/internal/toolchain"
	"github.com/bartizan-mcp/bartizan/sdk"
	"github.com/bartizan-mcp/bartizan/sdk/scaffold"
)

// TestScaffolds makes a scanner in every language, under a name of its own and
// outside of this repository, builds it without a network and runs its cases.
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
			cmd := newScannerBuild()
			cmd.SetContext(t.Context())
			var said bytes.Buffer
			cmd.SetErr(&said)
			if _, err := buildScanner(cmd, dir, file); errors.Is(err, toolchain.ErrMissing) {
				if os.Getenv("BARTIZAN_TOOLCHAINS") == "required" {
					t.Fatal(err)
				}
				t.Skip(err)
			} else if err != nil {
				t.Fatalf("%v\n%s", err, said.Bytes())
			}
			bartizan(t, "scanner", "build", dir)
			cases := filepath.Join(dir, "cases.jsonl")
			if _, err := os.Stat(cases); err != nil {
				t.Skip("there are no shared cases")
			}
			out := bartizan(t, "scanner", "test", filepath.Join(dir, "odd-one.wasm"), "--cases", cases)
			if strings.Contains(out, "is reached by no case") {
				t.Error(out)
			}
		})
	}
}
