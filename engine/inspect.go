package engine

import (
	"errors"
	"fmt"
	"slices"

	"github.com/bartizan-mcp/bartizan/engine/admit"
	"github.com/bartizan-mcp/bartizan/engine/sandbox"
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
	Caps     Caps             `json:"caps"`     // what a call of it may cost
	Injected *Injected        `json:"injected"` // nil where that is not come to
	Problems []string         `json:"problems"` // why it would be refused
}

// Caps are the limits that a module would run under: the engine's, or those
// that its manifest asks for where they are lower.
type Caps struct {
	MemoryBytes uint32 `json:"memoryBytes"`
	Fuel        int64  `json:"fuel"`        // units of one call
	FuelPerByte int64  `json:"fuelPerByte"` // units more for each byte of input
	DeadlineMs  int64  `json:"deadlineMs"`
	OutputBytes int    `json:"outputBytes"`
	Findings    int    `json:"findings"`
}

// Injected is what admission adds to a module: what meters its fuel and depth
// and what the host sets its state back by. The guest's code can name none of it.
type Injected struct {
	Bytes     int      `json:"bytes"`     // of the module as it is compiled
	Functions int      `json:"functions"` // added ones
	Imports   []string `json:"imports"`
	Exports   []string `json:"exports"`
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
func Inspect(wasm []byte) Inspection {
	in := Inspection{
		Digest: Digest(wasm), Bytes: len(wasm),
		Exports: []string{}, Imports: []string{}, Sections: []InspectSection{}, Problems: []string{},
	}
	in.problem(in.inspect(wasm))
	return in
}

// inspect returns what leaves the rest of a module unreadable.
func (in *Inspection) inspect(wasm []byte) error {
	if len(wasm) > DefaultLimits.ModuleBytes {
		return fmt.Errorf("%w: module of %d bytes, at most %d", ErrLimits, len(wasm), DefaultLimits.ModuleBytes)
	}
	limits, form := in.inspectManifest(wasm), sandbox.Reactor
	in.Caps = Caps{
		MemoryBytes: limits.MemoryBytes, Fuel: limits.Fuel, FuelPerByte: limits.FuelPerByte,
		DeadlineMs: limits.Deadline.Milliseconds(), OutputBytes: limits.OutputBytes, Findings: limits.Findings,
	}
	if in.Manifest != nil {
		form = sandbox.Form(in.Manifest.Form)
	}
	module, err := admit.Parse(wasm, admit.DefaultLimits)
	if err != nil {
		return refusal(err)
	}
	for _, s := range module.Sections() {
		in.Sections = append(in.Sections, InspectSection{ID: int(s.ID), Name: s.Name, Bytes: s.Bytes})
	}
	for _, imp := range module.Imports() {
		in.Imports = append(in.Imports, imp.Module+"."+imp.Name)
	}
	in.inspectExports(module)
	in.problem(sandbox.CheckImports(module))
	in.problem(sandbox.CheckExports(module, form))
	if err := sandbox.CheckMemory(module, limits.MemoryBytes); err != nil {
		return err
	}
	program, err := module.Instrument(admit.Options{MemoryPages: limits.MemoryBytes >> 16})
	if err != nil {
		return refusal(err)
	}
	in.Injected = injected(program)
	return nil
}

func injected(p *admit.Program) *Injected {
	added := &Injected{
		Bytes: len(p.Wasm), Functions: p.Added,
		Imports: []string{admit.HostModule + "." + admit.ImportYield, admit.HostModule + "." + admit.ImportDepth},
		Exports: []string{admit.ExportFuel, admit.ExportDepth, admit.ExportDirty},
	}
	if p.Start {
		added.Exports = append(added.Exports, admit.ExportStart)
	}
	added.Exports = append(added.Exports, p.Globals...)
	return added
}

// inspectManifest returns the limits that the module would run under.
func (in *Inspection) inspectManifest(wasm []byte) Limits {
	bodies, _ := wasmsection.Custom(wasm, ManifestSection) // parsed before
	if len(bodies) == 0 {
		return DefaultLimits
	}
	if len(bodies) > 1 {
		in.problem(unfit("", wrongSections, len(bodies), ManifestSection))
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

// inspectExports describes what a host can reach.
func (in *Inspection) inspectExports(module *admit.Module) {
	for _, e := range module.Exports() {
		switch e.Kind {
		case 0:
			in.Exports = append(in.Exports, e.Name+sandbox.FormatType(e.Func.Params, e.Func.Results))
		case 2:
			in.Exports = append(in.Exports, e.Name)
		}
	}
	slices.Sort(in.Exports)
	least, most, ok := module.Memory()
	if !ok {
		return
	}
	in.Memory = &MemoryRange{Min: least << 16}
	if most != nil {
		bytes := *most << 16
		in.Memory.Max = &bytes
	}
}

func (in *Inspection) problem(err error) {
	if all, ok := err.(interface{ Unwrap() []error }); ok && errors.Is(err, ErrExports) { // each by itself
		for _, one := range all.Unwrap() {
			in.Problems = append(in.Problems, one.Error())
		}
		return
	}
	if err != nil {
		in.Problems = append(in.Problems, err.Error())
	}
}
