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

func (s signature) typ() string { return FormatType(s.params, s.results) }

// FormatType writes a function type as (params) -> (results).
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

// ExportError is an export that is not as the ABI wants it. It wraps
// [ErrExports].
type ExportError struct {
	Name  string
	Want  string // its type; "" for the memory
	Found string // its type in the module; "" if it is missing
	// Command: the module is of the other form, a WASI command.
	Command bool
}

// Error implements error.
func (e *ExportError) Error() string {
	switch {
	case e.Command:
		return fmt.Sprintf("%s: missing %s%s: the module is a WASI command, whose manifest says form %s", ErrExports, e.Name, e.Want, Command)
	case e.Found == "":
		return fmt.Sprintf("%s: missing %s%s", ErrExports, e.Name, e.Want)
	}
	return fmt.Sprintf("%s: %s has type %s: the ABI wants %s", ErrExports, e.Name, e.Found, e.Want)
}

// Unwrap makes every one of them an [ErrExports].
func (e *ExportError) Unwrap() error { return ErrExports }

// CheckExports says which exports are missing or have the wrong type, each as an
// [*ExportError]; several are unwrapped.
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
	_, command := functions[exportStart]
	var errs []error
	for _, want := range signatures[form] {
		f, ok := functions[want.name]
		switch found := FormatType(f.Params, f.Results); {
		case !ok && want.required:
			errs = append(errs, &ExportError{Name: want.name, Want: want.typ(), Command: form == Reactor && command})
		case ok && found != want.typ():
			errs = append(errs, &ExportError{Name: want.name, Want: want.typ(), Found: found})
		}
	}
	if !memory {
		errs = append(errs, &ExportError{Name: exportMemory})
	}
	return together(errs...)
}

// CheckImports refuses what the host does not provide, by name and by type.
// Imports that are no functions were refused before.
func CheckImports(m *admit.Module) error {
	for _, i := range m.Imports() {
		at := slices.IndexFunc(provided, func(f hostFunction) bool { return f.module == i.Module && f.name == i.Name })
		if at < 0 {
			return fmt.Errorf("%w: %q of module %q is not provided: a scanner may import bartizan.log and what runtimes need of %s",
				ErrImports, i.Name, i.Module, wasiModule)
		}
		if f := provided[at]; !slices.Equal(i.Func.Params, f.params) || !slices.Equal(i.Func.Results, f.results) {
			return fmt.Errorf("%w: %q of module %q has type %s: the ABI wants %s", ErrImports, i.Name, i.Module,
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
