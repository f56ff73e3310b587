package catalogue

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/modfile"
)

func write(t *testing.T, dir, name, body string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDirectory(t *testing.T) {
	dir, released := t.TempDir(), false
	write(t, dir, "package-lock.json", `{"lockfileVersion":3,"packages":{"":{"name":"r"},"node_modules/a":{"version":"1.0.0","license":"MIT"},"node_modules/d":{"version":"1.0.0","dev":true}}}`)
	got, err := Directory(t.Context(), dir, func() { released = true })
	if err != nil {
		t.Fatal(err)
	}
	want := []Package{
		{Name: "a", Version: "1.0.0", Purl: "pkg:npm/a@1.0.0", Licenses: []License{{"MIT", true}}, Locations: []string{"package-lock.json"}},
		{Name: "d", Version: "1.0.0", Purl: "pkg:npm/d@1.0.0", Locations: []string{"package-lock.json"}},
		{Name: "r", Purl: "pkg:npm/r", Locations: []string{"package-lock.json"}},
	}
	if diff := cmp.Diff(want, got.Packages); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	if !released {
		t.Error("the directory was not released")
	}
}

// A cataloger that panics (syft v1.52.0 does on an alias without a version) must
// neither end the process nor pass in silence.
func TestPanicIsContained(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "package-lock.json", `{"lockfileVersion":1,"dependencies":{"a":{"version":"npm:b"}}}`)
	got, err := Directory(t.Context(), dir, func() {})
	if !errors.Is(err, ErrFailed) && (err != nil || len(got.Unread) == 0) {
		t.Errorf("result %+v, error %v: want an error or an unread file", got, err)
	}
}

func TestUnreadFilesAreTold(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "package-lock.json", `{"lockfileVersion":3,`)
	got, err := Directory(t.Context(), dir, func() {})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"package-lock.json"}, got.Unread); diff != "" {
		t.Error(diff)
	}
}

func TestEndedContextStillReleases(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir, released := t.TempDir(), make(chan struct{})
	write(t, dir, "package-lock.json", `{"lockfileVersion":3,"packages":{}}`)
	if _, err := Directory(ctx, dir, func() { close(released) }); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	<-released
}

// A directive in go.mod must never make syft run the go command: it would fetch
// what the artifact names.
func TestGoCommandIsNotRun(t *testing.T) {
	dir, bin := t.TempDir(), t.TempDir()
	mark := filepath.Join(bin, "ran")
	write(t, bin, "go", "#!/bin/sh\ntouch '"+mark+"'\n")
	if err := os.Chmod(filepath.Join(bin, "go"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	write(t, dir, "go.mod", "module example.org/m\n\ngo 1.24\n\nrequire example.org/a v1.0.0\n")
	write(t, dir, "main.go", "package main\n\nimport _ \"example.org/a\"\n\nfunc main() {}\n")
	got, err := Directory(t.Context(), dir, func() {})
	if err != nil || len(got.Packages) != 1 {
		t.Errorf("result %+v, error %v", got, err)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("the go command was run")
	}
}

func TestVersionIsTheLinkedOne(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := modfile.Parse("go.mod", b, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range f.Require {
		if strings.HasSuffix(r.Mod.Path, "anchore/syft") && r.Mod.Version != Version {
			t.Errorf("Version is %s, go.mod has %s", Version, r.Mod.Version)
		}
	}
}
