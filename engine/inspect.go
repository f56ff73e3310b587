package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero"

	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// Inspection is what can be said about a module without running it.
type Inspection struct {
	Digest   string           `json:"digest"`
	Bytes    int              `json:"bytes"`
	Manifest *Manifest        `json:"manifest"` // nil if absent or invalid: without one only `scanner run` takes it
	Exports  []string         `json:"exports"`  // name(params) -> (results)
	Imports  []string         `json:"imports"`  // module.name, in order
	Memory   *MemoryRange     `json:"memory"`   // nil without an exported memory
	Sections []InspectSection `json:"sections"`
	Problems []string         `json:"problems"` // why it would be refused
}

// MemoryRange is the declared size of the memory in bytes.
type MemoryRange struct {
	Min uint64  `json:"min"`
	Max *uint64 `json:"max"` // nil = not declared
}

// InspectSection is one section of the module.
type InspectSection struct {
	ID    int    `json:"id"`
	Name  string `json:"name,omitempty"` // custom sections
	Bytes int    `json:"bytes"`
}

// Inspect describes a module and lists everything that it would be refused for
// by LoadUnmanifested when it has no manifest, and by Load when it has. It
// always answers: what is no module at all has that as its problem.
func Inspect(ctx context.Context, wasm []byte) Inspection {
	in := Inspection{
		Digest: Digest(wasm), Bytes: len(wasm),
		Exports: []string{}, Imports: []string{}, Sections: []InspectSection{}, Problems: []string{},
	}
	in.problem(in.inspect(ctx, wasm))
	return in
}

// inspect returns what leaves the rest of a module unreadable.
func (in *Inspection) inspect(ctx context.Context, wasm []byte) error {
	if len(wasm) > DefaultLimits.ModuleBytes {
		return fmt.Errorf("%w: module of %d bytes, at most %d", ErrLimits, len(wasm), DefaultLimits.ModuleBytes)
	}
	sections, err := wasmsection.Parse(wasm)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrModule, err)
	}
	for _, s := range sections {
		in.Sections = append(in.Sections, InspectSection{ID: int(s.ID), Name: s.Name, Bytes: s.End - s.Start})
	}
	limits := in.inspectManifest(wasm)
	imports, err := wasmsection.Imports(wasm)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrModule, err)
	}
	for _, imp := range imports {
		in.Imports = append(in.Imports, imp.Module+"."+imp.Name)
	}
	refused := checkImports(wasm)
	in.problem(refused)
	return in.inspectCode(ctx, wasm, limits, refused == nil)
}

// inspectManifest returns the limits that the module would run under.
func (in *Inspection) inspectManifest(wasm []byte) Limits {
	bodies, _ := wasmsection.Custom(wasm, ManifestSection) // parsed before
	if len(bodies) == 0 {
		return DefaultLimits
	}
	if len(bodies) > 1 {
		in.problem(fmt.Errorf("%w: want exactly one section %q, the module has %d", ErrManifest, ManifestSection, len(bodies)))
		return DefaultLimits
	}
	m, err := ParseManifest(bodies[0])
	if err != nil {
		in.problem(err)
		return DefaultLimits
	}
	in.Manifest = &m
	limits, err := m.Limits.within(DefaultLimits)
	in.problem(err)
	return limits
}

// inspectCode compiles for validation, in an interpreter's runtime of its own.
func (in *Inspection) inspectCode(ctx context.Context, wasm []byte, limits Limits, provided bool) error {
	bare, err := bound(wasm)
	if err != nil {
		return err
	}
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithDebugInfoEnabled(false))
	defer runtime.Close(context.WithoutCancel(ctx))
	if err := instantiateImports(ctx, runtime); err != nil {
		return err
	}
	module, err := compile(ctx, runtime, bare, compileDeadline)
	if err != nil {
		return err
	}
	for name, f := range module.ExportedFunctions() {
		in.Exports = append(in.Exports, name+formatType(f.ParamTypes(), f.ResultTypes()))
	}
	if memory, ok := module.ExportedMemories()[exportMemory]; ok {
		in.Exports = append(in.Exports, exportMemory)
		in.Memory = &MemoryRange{Min: uint64(memory.Min()) << 16}
		if pages, declared := memory.Max(); declared {
			bytes := uint64(pages) << 16
			in.Memory.Max = &bytes
		}
	}
	slices.Sort(in.Exports)
	in.problem(checkExports(module))
	if provided {
		in.problem(checkImportTypes(runtime, module))
	}
	in.problem(checkMemory(module, limits))
	return nil
}

func (in *Inspection) problem(err error) {
	if err != nil {
		in.Problems = append(in.Problems, err.Error())
	}
}
