// Package gomod reads the module requirements of a go.mod file and of a Go
// executable, as the go command means them.
//
// It knows Go's module formats; it must not know archives or CycloneDX, runs
// nothing and reads no network.
package gomod

import (
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// ErrMalformed: a go.mod that the go command would refuse.
var ErrMalformed = errors.New("malformed go.mod")

// Limits of one file.
const (
	MaxModBytes = 4 << 20
	MaxSumBytes = 16 << 20
)

// Module is one module of a build.
type Module struct {
	Path, Version string // of the code that is used: after replacement
	Replaces      string // path of the module that it stands in for, if replaced
	Direct        bool   // required by the main module itself
}

// File is what a go.mod says.
type File struct {
	Path    string // module path
	Modules []Module
	Pruned  bool // go 1.17 or later: indirect modules are listed too
}

// Parse reads a go.mod. Replacements are applied exactly: by version where one
// is given, and only to modules that are required.
func Parse(b []byte) (*File, error) {
	f, err := modfile.Parse("go.mod", b, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrMalformed, brief(err))
	}
	if f.Module == nil {
		return nil, fmt.Errorf("%w: no module path", ErrMalformed)
	}
	out := &File{Path: f.Module.Mod.Path}
	if f.Go != nil {
		out.Pruned = semver.Compare("v"+f.Go.Version, "v1.17") >= 0
	}
	replaced := map[module.Version]module.Version{}
	for _, r := range f.Replace {
		replaced[r.Old] = r.New
	}
	for _, r := range f.Require {
		m := Module{Path: r.Mod.Path, Version: r.Mod.Version, Direct: !r.Indirect}
		to, ok := replaced[r.Mod]
		if !ok {
			to, ok = replaced[module.Version{Path: r.Mod.Path}]
		}
		if ok {
			m = replace(m, to.Path, to.Version)
		}
		out.Modules = append(out.Modules, m)
	}
	return out, nil
}

// replace keeps the required path when the replacement is a directory, which
// has no name of its own.
func replace(m Module, path, version string) Module {
	m.Replaces, m.Version = m.Path, version
	if !modfile.IsDirectoryPath(path) {
		m.Path = path
	}
	return m
}

// Binary is what a Go executable says of its build.
type Binary struct {
	Main      Module
	Modules   []Module
	GoVersion string // without "go"
}

// ErrNoBuildInfo: not a Go executable, or one without module information.
var ErrNoBuildInfo = errors.New("no Go build information")

// ReadBinary reads the build information of an executable.
func ReadBinary(r io.ReaderAt) (b *Binary, err error) {
	defer func() { // the object file readers are fed by strangers
		if p := recover(); p != nil {
			b, err = nil, fmt.Errorf("%w: unreadable executable", ErrNoBuildInfo)
		}
	}()
	info, err := buildinfo.Read(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrNoBuildInfo, brief(err))
	}
	version, _, _ := strings.Cut(info.GoVersion, " ") // experiments follow the space
	b = &Binary{Main: built(&info.Main), GoVersion: strings.TrimPrefix(version, "go")}
	if b.Main.Path == "" {
		b.Main.Path = info.Path
	}
	for _, d := range info.Deps {
		if d != nil {
			b.Modules = append(b.Modules, built(d))
		}
	}
	return b, nil
}

func built(d *debug.Module) Module {
	m := Module{Path: d.Path, Version: d.Version}
	if d.Replace != nil {
		m = replace(m, d.Replace.Path, d.Replace.Version)
	}
	if m.Version == "(devel)" {
		m.Version = ""
	}
	return m
}

func brief(err error) string {
	s := strings.ToValidUTF8(err.Error(), "?")
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return s
}
