package gomod

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	f, err := Parse([]byte(`module example.org/m

go 1.21

require (
	example.org/a v1.0.0
	example.org/b v1.0.0 // indirect
	example.org/c v1.0.0
	example.org/d v1.0.0
)

replace example.org/a v1.0.0 => example.org/fork v1.1.0

replace example.org/b v1.9.9 => example.org/other v1.0.0

replace example.org/c => ../c

replace example.org/unasked => example.org/phantom v1.0.0

exclude example.org/d v0.9.0
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &File{Path: "example.org/m", Pruned: true, Modules: []Module{
		{Path: "example.org/fork", Version: "v1.1.0", Replaces: "example.org/a", Direct: true},
		{Path: "example.org/b", Version: "v1.0.0"},
		{Path: "example.org/c", Replaces: "example.org/c", Direct: true},
		{Path: "example.org/d", Version: "v1.0.0", Direct: true},
	}}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, b := range map[string]string{
		"empty": "", "no module": "go 1.21\n", "garbage": "module (((\n", "unknown verb": "module example.org/m\n\nrun rm -rf\n",
		"bad version": "module example.org/m\n\nrequire example.org/a latest\n", "binary": "\x00\x01",
	} {
		if _, err := Parse([]byte(b)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
}

// The test binary is a Go executable at hand.
func TestReadBinary(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	f, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := ReadBinary(f)
	if err != nil {
		t.Fatal(err)
	}
	if b.Main.Path != "github.com/bartizan-mcp/bartizan" || b.GoVersion == "" || strings.HasPrefix(b.GoVersion, "go") {
		t.Errorf("binary = %+v", b)
	}
}

func TestReadBinaryRefuses(t *testing.T) {
	for name, b := range map[string]string{"empty": "", "text": "hello", "ELF header only": "\x7fELF" + strings.Repeat("\xff", 60)} {
		if _, err := ReadBinary(bytes.NewReader([]byte(b))); !errors.Is(err, ErrNoBuildInfo) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("module example.org/m\n\ngo 1.21\n\nrequire example.org/a v1.0.0 // indirect\n\nreplace example.org/a => ./a\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Parse(b); err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("error without a sentinel: %v", err)
		}
	})
}

func FuzzReadBinary(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 80)))
	f.Add([]byte("MZ" + strings.Repeat("\x00", 80)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := ReadBinary(bytes.NewReader(b)); err != nil && !errors.Is(err, ErrNoBuildInfo) {
			t.Errorf("error without a sentinel: %v", err)
		}
	})
}
