package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// TestModulesThatAreNone holds that a file which can be read gets an answer of
// the usual shape, whatever is in it.
func TestModulesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	call := filepath.Join(dir, "call.json")
	write(t, call, `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	for name, content := range map[string]string{
		"empty": "", "text": "(module)", "cut": "\x00asm\x01\x00\x00\x00\x01\x20",
		"bomb": "\x00asm\x01\x00\x00\x00\x03\x05\xff\xff\xff\xff\x0f",
		"long": "\x00asm\x01\x00\x00\x00",
	} {
		path := filepath.Join(dir, name)
		write(t, path, content)
		if name == "long" {
			if err := os.Truncate(path, 100<<20); err != nil {
				t.Fatal(err)
			}
		}
		for _, args := range [][]string{
			{"scanner", "run", path, "--phase", "request", "--input", call},
			{"scanner", "inspect", path, "-o", "json"},
		} {
			var out, errs bytes.Buffer
			if code := run(t.Context(), args, strings.NewReader(""), &out, &errs); code != exitPolicy {
				t.Errorf("%s %s: exit code %d: %s", args[1], name, code, errs.String())
			}
			var answer struct {
				Digest  string `json:"digest"`
				Scanner struct {
					Digest string `json:"digest"`
				} `json:"scanner"`
				Failure struct {
					Kind string `json:"kind"`
				} `json:"failure"`
				Problems []string `json:"problems"`
			}
			if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
				t.Errorf("%s %s: %v", args[1], name, err)
			}
			if answer.Failure.Kind != "refused" && len(answer.Problems) != 1 {
				t.Errorf("%s %s: %s", args[1], name, out.String())
			}
			if digest := answer.Digest + answer.Scanner.Digest; len(digest) != len("sha256:")+64 {
				t.Errorf("%s %s: digest %q", args[1], name, digest)
			}
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
