// Package catalogue drives syft as a library over a directory that Bartizan
// itself filled with checked files.
//
// It is the only package that imports syft. It must not know CycloneDX, MCP or
// archives, and it never hands syft a string to resolve: syft's own source
// detection dials container daemons and remote registries.
package catalogue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/cataloging"
	"github.com/anchore/syft/syft/cataloging/pkgcataloging"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/pkg/cataloger/golang"
	"github.com/anchore/syft/syft/pkg/cataloger/javascript"
	"github.com/anchore/syft/syft/sbom"
	"github.com/anchore/syft/syft/source"
	"github.com/anchore/syft/syft/source/directorysource"
)

// ErrFailed: syft returned an error or panicked.
var ErrFailed = errors.New("cataloguing failed")

// Package is one package as syft found it.
type Package struct {
	Name, Version, Purl string
	Licenses            []License
	Locations           []string // files of the directory, slash-separated, no leading slash
	GoSum               string   // h1: digest of a Go module, if known
	Binary              bool     // read from an executable
	Main                bool     // main module of an executable
}

// License is one licence that a package declares.
type License struct {
	Value string // an SPDX expression, or what the package calls it
	SPDX  bool
}

// Version is the version of syft that this package is written against.
const Version = "v1.52.0"

// Result is what syft found, and the files that it could not read.
type Result struct {
	Packages []Package
	Unread   []string
}

// Directory catalogues dir. Nothing in it is executed and no network is used.
// When ctx ends first, the context's error is returned at once and release is
// called as soon as syft has let go of dir; otherwise before returning.
func Directory(ctx context.Context, dir string, release func()) (*Result, error) {
	type outcome struct {
		result *Result
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		result, err := run(ctx, dir)
		release()
		done <- outcome{result, err}
	}()
	select {
	case o := <-done:
		if err := ctx.Err(); err != nil && o.err != nil {
			return nil, err
		}
		return o.result, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func run(ctx context.Context, dir string) (out *Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("%w: panic: %v\n%s", ErrFailed, p, debug.Stack())
		}
	}()
	shared, err := licences()
	if err != nil {
		return nil, err
	}
	src, err := directorysource.New(directorysource.Config{
		Path: dir, Base: dir,
		Alias: source.Alias{Name: "artifact"}, // keeps ids independent of the directory
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFailed, err)
	}
	defer src.Close()
	found, err := syft.CreateSBOM(withValues{ctx, shared}, src, config())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return &Result{Packages: packages(found), Unread: unread(found)}, nil
}

// config selects exactly the catalogers of docs/sbom.md. One worker: syft then
// starts no goroutines, so a panic reaches our recover.
func config() *syft.CreateSBOMConfig {
	goConfig := golang.CatalogerConfig{
		UsePackagesLib:    false, // true runs the go command inside the artifact
		CaptureSymbols:    cataloging.SymbolScopeNone,
		MainModuleVersion: golang.MainModuleVersionConfig{FromLDFlags: true},
	}
	compliance := cataloging.ComplianceConfig{
		MissingName:    cataloging.ComplianceActionDrop,
		MissingVersion: cataloging.ComplianceActionKeep,
	}
	// Selected by a tag: syft refuses a selection that no cataloger answers to.
	ref := func(c pkg.Cataloger) pkgcataloging.CatalogerReference {
		return pkgcataloging.NewCatalogerReference(c, []string{pkgcataloging.DirectoryTag})
	}
	return syft.DefaultCreateSBOMConfig().
		WithoutCatalogers().
		WithCatalogers(
			ref(javascript.NewLockCataloger(javascript.CatalogerConfig{IncludeDevDependencies: true})),
			ref(javascript.NewPackageCataloger()),
			ref(golang.NewGoModuleFileCataloger(goConfig)),
			ref(golang.NewGoModuleBinaryCataloger(goConfig)),
		).
		WithoutFiles().
		WithComplianceConfig(compliance).
		WithRelationshipsConfig(cataloging.RelationshipsConfig{}).
		WithDataGenerationConfig(cataloging.DataGenerationConfig{GenerateCPEs: false}).
		WithParallelism(1)
}

// licences builds syft's licence scanner once: it costs about a second of CPU,
// and CreateSBOM would otherwise build it per call.
var licences = sync.OnceValues(func() (context.Context, error) {
	ctx, err := syft.SetContextLicenseScanner(context.Background(), cataloging.DefaultLicenseConfig())
	if err != nil {
		return nil, fmt.Errorf("%w: licence scanner: %w", ErrFailed, err)
	}
	return ctx, nil
})

// withValues is the caller's context with the shared one's values behind it.
type withValues struct {
	context.Context
	values context.Context
}

func (c withValues) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.values.Value(key)
}

// unread lists files at which a cataloger gave up; syft itself only notes them.
func unread(found *sbom.SBOM) []string {
	var out []string
	for at := range found.Artifacts.Unknowns {
		out = append(out, strings.TrimPrefix(at.RealPath, "/"))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func packages(found *sbom.SBOM) []Package {
	var out []Package
	for p := range found.Artifacts.Packages.Enumerate() {
		out = append(out, convert(p))
	}
	slices.SortFunc(out, func(a, b Package) int {
		return cmp.Or(strings.Compare(a.Purl, b.Purl), strings.Compare(a.Name, b.Name),
			strings.Compare(a.Version, b.Version), slices.Compare(a.Locations, b.Locations))
	})
	return out
}

func convert(p pkg.Package) Package {
	out := Package{Name: p.Name, Version: p.Version, Purl: p.PURL}
	for _, l := range p.Licenses.ToSlice() {
		if l.SPDXExpression != "" {
			out.Licenses = append(out.Licenses, License{l.SPDXExpression, true})
		} else if l.Value != "" {
			out.Licenses = append(out.Licenses, License{l.Value, false})
		}
	}
	slices.SortFunc(out.Licenses, func(a, b License) int { return strings.Compare(a.Value, b.Value) })
	out.Licenses = slices.Compact(out.Licenses)
	for _, l := range p.Locations.ToSlice() {
		out.Locations = append(out.Locations, strings.TrimPrefix(l.RealPath, "/"))
	}
	slices.Sort(out.Locations)
	switch m := p.Metadata.(type) {
	case pkg.GolangModuleEntry:
		out.GoSum = m.H1Digest
	case pkg.GolangBinaryBuildinfoEntry:
		out.GoSum, out.Binary = m.H1Digest, true
		out.Main = m.MainModule != "" && m.MainModule == p.Name
	}
	return out
}
