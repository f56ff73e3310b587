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
	Manifest *Manifest        `json:"manifest"` // nil if absent or invalid
	Exports  []string         `json:"exports"`  // name(params) -> (results)
	Imports  []string         `json:"imports"`  // module.name, in order
	Memory   *MemoryRange     `json:"memory"`   // nil without an exported memory
	Sections []InspectSection `json:"sections"`
	Problems []string         `json:"problems"` // why Load would refuse it
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

// Inspect describes a module and lists everything that Load would refuse it
// for. The error says that it is no module at all.
func Inspect(ctx context.Context, wasm []byte) (Inspection, error) {
	in := Inspection{Digest: Digest(wasm), Bytes: len(wasm), Exports: []string{}, Imports: []string{}, Problems: []string{}}
	sections, err := wasmsection.Parse(wasm)
	if err != nil {
		return in, fmt.Errorf("%w: %w", ErrModule, err)
	}
	for _, s := range sections {
		in.Sections = append(in.Sections, InspectSection{ID: int(s.ID), Name: s.Name, Bytes: s.End - s.Start})
	}
	in.inspectManifest(wasm)
	imports, err := wasmsection.Imports(wasm)
	if err != nil {
		return in, fmt.Errorf("%w: %w", ErrModule, err)
	}
	for _, imp := range imports {
		in.Imports = append(in.Imports, imp.Module+"."+imp.Name)
	}
	in.problem(checkImports(wasm))
	return in, in.inspectCode(ctx, wasm)
}

func (in *Inspection) inspectManifest(wasm []byte) {
	bodies, _ := wasmsection.Custom(wasm, ManifestSection) // parsed before
	if len(bodies) != 1 {
		in.problem(fmt.Errorf("%w: want exactly one section %q, the module has %d", ErrManifest, ManifestSection, len(bodies)))
		return
	}
	m, err := ParseManifest(bodies[0])
	if err != nil {
		in.problem(err)
		return
	}
	in.Manifest = &m
	_, err = m.Limits.within(DefaultLimits)
	in.problem(err)
}

// inspectCode compiles for validation, in an interpreter's runtime of its own.
func (in *Inspection) inspectCode(ctx context.Context, wasm []byte) error {
	if len(wasm) > DefaultLimits.ModuleBytes {
		in.problem(fmt.Errorf("%w: module of %d bytes, at most %d", ErrLimits, len(wasm), DefaultLimits.ModuleBytes))
		return nil
	}
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithDebugInfoEnabled(false))
	defer runtime.Close(ctx)
	module, err := runtime.CompileModule(ctx, wasm)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrModule, err)
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
	return nil
}

func (in *Inspection) problem(err error) {
	if err != nil {
		in.Problems = append(in.Problems, err.Error())
	}
}
