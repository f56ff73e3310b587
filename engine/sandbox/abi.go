package sandbox

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/bartizan-mcp/bartizan/engine/admit"
)

// Form is how a module is called.
type Form string

// Forms of sdk/abi/ABI.md.
const (
	Reactor Form = "reactor" // bartizan_alloc, bartizan_scan
	Command Form = "command" // _start, standard input and output
)

// Exports of the two forms.
const (
	exportMemory     = "memory"
	exportAlloc      = "bartizan_alloc"
	exportScan       = "bartizan_scan"
	exportInit       = "bartizan_init"
	exportInitialize = "_initialize"
	exportStart      = "_start"

	startFunction = "the start function" // which has no name
)

// signature is an exported function as the ABI wants it.
type signature struct {
	name            string
	params, results []api.ValueType
	required        bool
}

var signatures = map[Form][]signature{
	Reactor: {
		{exportAlloc, []api.ValueType{i32}, []api.ValueType{i32}, true},
		{exportScan, []api.ValueType{i32, i32}, []api.ValueType{i64}, true},
		{exportInit, []api.ValueType{i32, i32}, []api.ValueType{i32}, false},
		{exportInitialize, nil, nil, false},
	},
	Command: {
		{exportStart, nil, nil, true},
	},
}

func (s signature) String() string { return s.name + FormatType(s.params, s.results) }

func FormatType(params, results []api.ValueType) string {
	names := func(types []api.ValueType) string {
		var out []string
		for _, t := range types {
			out = append(out, api.ValueTypeName(t))
		}
		return "(" + strings.Join(out, ", ") + ")"
	}
	return names(params) + " -> " + names(results)
}

// Kinds of imports and exports (core spec, external types).
const (
	kindFunction = 0
	kindMemory   = 2
)

// CheckExports says which export is missing or has the wrong type, and what is
// expected in its place.
func CheckExports(m *admit.Module, form Form) error {
	functions := make(map[string]admit.Func)
	memory := false
	for _, e := range m.Exports() {
		switch e.Kind {
		case kindFunction:
			functions[e.Name] = e.Func
		case kindMemory:
			memory = memory || e.Name == exportMemory
		}
	}
	for _, want := range signatures[form] {
		f, ok := functions[want.name]
		_, command := functions[exportStart]
		switch {
		case !ok && want.required && form == Reactor && command:
			return fmt.Errorf("%w: missing %s; the module is a WASI command, whose manifest says form %q", ErrExports, want, Command)
		case !ok && want.required:
			return fmt.Errorf("%w: missing %s", ErrExports, want)
		case ok && !(slices.Equal(f.Params, want.params) && slices.Equal(f.Results, want.results)):
			return fmt.Errorf("%w: %s has type %s; expected %s", ErrExports, want.name, FormatType(f.Params, f.Results), want)
		}
	}
	if !memory {
		return fmt.Errorf("%w: missing %s", ErrExports, exportMemory)
	}
	return nil
}

// CheckImports refuses what the host does not provide, by name and by type.
// Imports that are no functions were refused before.
func CheckImports(m *admit.Module) error {
	for _, i := range m.Imports() {
		at := slices.IndexFunc(provided, func(f hostFunction) bool { return f.module == i.Module && f.name == i.Name })
		if at < 0 {
			return fmt.Errorf("%w: %q of module %q is not provided", ErrImports, i.Name, i.Module)
		}
		if f := provided[at]; !slices.Equal(i.Func.Params, f.params) || !slices.Equal(i.Func.Results, f.results) {
			return fmt.Errorf("%w: %q of module %q has type %s; expected %s", ErrImports, i.Name, i.Module,
				FormatType(i.Func.Params, i.Func.Results), FormatType(f.params, f.results))
		}
	}
	return nil
}

// CheckMemory holds the memory that a module starts with to its limit.
func CheckMemory(m *admit.Module, limit uint32) error {
	if pages, _, ok := m.Memory(); ok && pages<<16 > uint64(limit) {
		return fmt.Errorf("%w: starts with %d bytes of memory, gets %d", ErrLimits, pages<<16, limit)
	}
	return nil
}

// hasExport reports whether a function of that name is exported.
func hasExport(m *admit.Module, name string) bool {
	return slices.ContainsFunc(m.Exports(), func(e admit.Export) bool { return e.Kind == kindFunction && e.Name == name })
}
