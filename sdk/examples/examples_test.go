//go:build sdk

package examples

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write verdicts.golden anew, from the example in C")

// required makes a missing toolchain a failure: the machine promised to have all.
var required = os.Getenv("BARTIZAN_TOOLCHAINS") == "required"

// TestExamples makes every example as an author would who begins with it:
// `scanner new`, make, `scanner test`.
func TestExamples(t *testing.T) {
	folders, err := filepath.Glob("*/scanner.yaml")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no examples here: %v", err)
	}
	bartizan := program(t)
	more := filepath.Join(t.TempDir(), "more.jsonl")
	if err := os.WriteFile(more, longCases(t), 0o600); err != nil {
		t.Fatal(err)
	}
	golden := readGolden(t)
	for _, folder := range folders {
		lang := filepath.Dir(folder)
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			wasm := build(t, bartizan, lang)
			got := verdicts(t, bartizan, wasm, "cases.jsonl") + verdicts(t, bartizan, wasm, more)
			if *update && lang == "c" {
				if err := os.WriteFile(goldenFile, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.Split(golden, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
			conform(t, wasm)
			keep(t, lang, wasm)
		})
	}
}

// program is the command line, as `make` left it or made here.
func program(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("BARTIZAN_BIN"); dir != "" {
		return filepath.Join(dir, "bartizan")
	}
	out := filepath.Join(t.TempDir(), "bartizan")
	run(t, "../..", "go", "build", "-o", out, "./cmd/bartizan")
	return out
}

// build writes the scaffold of a language into a folder of its own, makes it
// there and returns the module's path.
func build(t *testing.T, bartizan, lang string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ticket")
	run(t, ".", bartizan, "scanner", "new", "--lang", lang, "--dir", dir, "ticket")
	// Where a language's compiler is looked for is known to its Makefile.
	var said bytes.Buffer
	ask := exec.CommandContext(t.Context(), "make", "-s", "toolchain")
	ask.Dir, ask.Stderr = dir, &said
	if err := ask.Run(); err != nil && !strings.Contains(said.String(), "No rule to make target") {
		if why := strings.TrimSpace(said.String()); required {
			t.Fatalf("required, and absent: %s", why)
		} else {
			t.Skip(why)
		}
	}
	run(t, dir, "make", "-s", "BARTIZAN="+bartizan, "build")
	return filepath.Join(dir, "ticket.wasm")
}

// verdicts are what `scanner test` prints for a file of cases, all of which have
// to come out as they want.
func verdicts(t *testing.T, bartizan, wasm, cases string) string {
	t.Helper()
	return shortened(t, run(t, ".", bartizan, "scanner", "test", wasm, "--cases", cases, "-o", "json"))
}

func run(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(append([]string{name}, args...), " "), err, out.Bytes(), said.Bytes())
	}
	return out.Bytes()
}

// keep leaves a module where the table of docs/scanners.md is measured.
func keep(t *testing.T, lang, wasm string) {
	t.Helper()
	dir := os.Getenv("BARTIZAN_MODULES")
	if dir == "" {
		return
	}
	if err := errors.Join(os.MkdirAll(dir, 0o755), copyFile(filepath.Join(dir, lang+".wasm"), wasm)); err != nil {
		t.Fatal(err)
	}
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
