package toolchain

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// program writes a shell script and returns its folder.
func program(t *testing.T, name, script string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCommand(t *testing.T) {
	dir := program(t, "make-it", `echo compiling >&2; mkdir -p out; printf %s "$1" > out/x.wasm`)
	var log bytes.Buffer
	got, err := Build(t.Context(), Job{Dir: dir, Command: []string{"./make-it", "a b"}, Module: "out/x.wasm"}, &log)
	if err != nil || string(got) != "a b" || log.String() != "compiling\n" {
		t.Errorf("%q, %v, said %q", got, err, log.String())
	}
}

func TestFailures(t *testing.T) {
	t.Setenv("PATH", "/usr/bin:/bin")
	dir := program(t, "fails", "exit 7")
	for name, test := range map[string]struct {
		job  Job
		want error
		text string
	}{
		"nothing to do":  {Job{}, ErrMissing, "neither a language nor a command"},
		"no language":    {Job{Language: "cobol"}, ErrMissing, `language "cobol": one of `},
		"fails":          {Job{Command: []string{"./fails"}, Module: "x"}, ErrFailed, "exit status 7"},
		"writes nothing": {Job{Command: []string{"true"}, Module: "x.wasm"}, ErrFailed, "wrote no "},
		"no program":     {Job{Command: []string{"no-such-program"}, Module: "x"}, ErrMissing, `no program "no-such-program"`},
		"not checked":    {Job{Command: []string{"true"}, Check: []string{"sh", "-c", "echo ask for clang >&2; echo 'make: *** [Makefile:9: toolchain] Error 1' >&2; exit 1"}}, ErrMissing, "toolchain: ask for clang"},
		"silent":         {Job{Command: []string{"true"}, Check: []string{"./fails"}}, ErrMissing, "exit status 7"},
		"unchecked":      {Job{Command: []string{"true"}, Check: []string{"no-such-program"}}, ErrMissing, "no program"},
		"checked":        {Job{Command: []string{"true"}, Check: []string{"true"}, Module: "x.wasm"}, ErrFailed, "wrote no"},
		"no go":          {Job{Command: []string{"go", "build"}, Module: "x"}, ErrMissing, "install Go 1.24"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "no go" {
				t.Setenv("PATH", dir)
			}
			test.job.Dir = dir
			_, err := Build(t.Context(), test.job, new(bytes.Buffer))
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "***") {
				t.Errorf("%v, want %q", err, test.text)
			}
		})
	}
}

func TestVersions(t *testing.T) {
	for said, text := range map[string]string{
		"go version go1.19.8 linux/amd64": "is version 1.19.8: install Go 1.24",
		"go version go2.0 linux/amd64":    "wrote no",
		"go version devel":                "wrote no",
	} {
		dir := program(t, "go", `[ "$1" = version ] && echo "`+said+`"; exit 0`)
		t.Setenv("PATH", dir+":/usr/bin:/bin")
		_, err := Build(t.Context(), Job{Dir: dir, Language: "go"}, new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v, want %q", said, err, text)
		}
	}
	t.Setenv("GO", "elsewhere")
	if _, err := Build(t.Context(), Job{Language: "go"}, new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "no elsewhere here") {
		t.Errorf("%v", err)
	}
}

func TestExplained(t *testing.T) {
	l := language{explained: []explanation{{"E0463", "install the target"}}}
	dir := program(t, "rust", "echo 'error[E0463]: no core' >&2; exit 1")
	err := step{words: []string{filepath.Join(dir, "rust")}}.run(t.Context(), dir, l, new(bytes.Buffer))
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "install the target") {
		t.Errorf("%v", err)
	}
}

// TestBounds holds that neither a chatty program nor a huge file is kept whole.
func TestBounds(t *testing.T) {
	var end tail
	for range 10 {
		_, _ = end.Write(bytes.Repeat([]byte("x"), maxTail/3))
	}
	if len(end.b) != maxTail {
		t.Errorf("keeps %d bytes", len(end.b))
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "x"), MaxModule+1); err != nil {
		t.Fatal(err)
	}
	if _, err := read(filepath.Join(dir, "x")); !errors.Is(err, ErrFailed) {
		t.Errorf("%v", err)
	}
}
