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
			if lang == "c" { // the header also suits Zig's compiler
				t.Run("zig cc", func(t *testing.T) { byZigCC(t, bartizan, golden, more) })
			}
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

// byZigCC makes the example in C by Zig's compiler, from the same files.
func byZigCC(t *testing.T, bartizan, golden, more string) {
	zig := first(t, "zig")
	wasm := build(t, bartizan, "c", "CLANG="+zig+" cc", "CLANG_TARGET=wasm32-freestanding", "LDFLAGS=")
	if got := verdicts(t, bartizan, wasm, "cases.jsonl") + verdicts(t, bartizan, wasm, more); got != golden {
		t.Errorf("other verdicts than by clang")
	}
	conform(t, wasm)
	keep(t, "c by zig cc", wasm)
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
func build(t *testing.T, bartizan, lang string, variables ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ticket")
	run(t, ".", bartizan, "scanner", "new", "--lang", lang, "--dir", dir, "ticket")
	if len(variables) == 0 {
		ask(t, dir)
	}
	run(t, dir, "make", append(variables, "-s", "BARTIZAN="+bartizan, "build")...)
	return filepath.Join(dir, "ticket.wasm")
}

// ask skips a language whose compiler is absent.
func ask(t *testing.T, dir string) {
	t.Helper()
	// Where a language's compiler is looked for is known to its Makefile.
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "make", "-s", "toolchain")
	cmd.Dir, cmd.Stderr = dir, &said
	if err := cmd.Run(); err != nil && !strings.Contains(said.String(), "No rule to make target") {
		if why := strings.TrimSpace(said.String()); required {
			t.Fatalf("required, and absent: %s", why)
		} else {
			t.Skip(why)
		}
	}
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
