package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// Exports of the reactor form (sdk/abi/ABI.md).
const (
	exportMemory = "memory"
	exportAlloc  = "bartizan_alloc"
	exportScan   = "bartizan_scan"
	exportInit   = "bartizan_init"
	exportStart  = "_initialize"
)

const (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
)

// signature is an exported function as the ABI wants it.
type signature struct {
	name            string
	params, results []api.ValueType
	required        bool
}

var signatures = []signature{
	{exportAlloc, []api.ValueType{i32}, []api.ValueType{i32}, true},
	{exportScan, []api.ValueType{i32, i32}, []api.ValueType{i64}, true},
	{exportInit, []api.ValueType{i32, i32}, []api.ValueType{i32}, false},
	{exportStart, nil, nil, false},
}

func (s signature) String() string {
	return s.name + formatType(s.params, s.results)
}

func formatType(params, results []api.ValueType) string {
	names := func(types []api.ValueType) string {
		var out []string
		for _, t := range types {
			out = append(out, api.ValueTypeName(t))
		}
		return "(" + strings.Join(out, ", ") + ")"
	}
	return names(params) + " -> " + names(results)
}

// checkExports says which export is missing or has the wrong type, and what is
// expected in its place.
func checkExports(module wazero.CompiledModule) error {
	functions := module.ExportedFunctions()
	for _, want := range signatures {
		f, ok := functions[want.name]
		switch {
		case !ok && want.required && functions["_start"] != nil:
			return fmt.Errorf("%w: missing %s; the module is a WASI command, this engine runs the reactor form", ErrExports, want)
		case !ok && want.required:
			return fmt.Errorf("%w: missing %s", ErrExports, want)
		case ok && !(slices.Equal(f.ParamTypes(), want.params) && slices.Equal(f.ResultTypes(), want.results)):
			return fmt.Errorf("%w: %s has type %s; expected %s", ErrExports,
				want.name, formatType(f.ParamTypes(), f.ResultTypes()), want)
		}
	}
	if _, ok := module.ExportedMemories()[exportMemory]; !ok {
		return fmt.Errorf("%w: missing %s", ErrExports, exportMemory)
	}
	return nil
}

// wasiModule is the import module of WASI preview 1.
const wasiModule = "wasi_snapshot_preview1"

// wasiAllowed is what language runtimes import to start, print, and stop. With
// no arguments, environment, files or clock behind them they reveal nothing.
// Paths and sockets are not here.
var wasiAllowed = []string{
	"args_get", "args_sizes_get", "clock_res_get", "clock_time_get", "environ_get", "environ_sizes_get",
	"fd_close", "fd_fdstat_get", "fd_fdstat_set_flags", "fd_prestat_dir_name", "fd_prestat_get",
	"fd_read", "fd_seek", "fd_write", "poll_oneoff", "proc_exit", "random_get", "sched_yield",
}

// checkImports refuses what is not in the ABI by name. It reads the binary, so
// that a module is refused before it is compiled.
func checkImports(wasm []byte) error {
	imports, err := wasmsection.Imports(wasm)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrModule, err)
	}
	for _, imp := range imports {
		switch {
		case imp.Kind != "function":
			return fmt.Errorf("%w: %s %q of module %q: only functions can be imported", ErrImports, imp.Kind, imp.Name, imp.Module)
		case imp.Module == hostModule && imp.Name == "log":
		case imp.Module == wasiModule && slices.Contains(wasiAllowed, imp.Name):
		default:
			return fmt.Errorf("%w: %q of module %q is not provided", ErrImports, imp.Name, imp.Module)
		}
	}
	return nil
}

// checkImportTypes holds the functions of a compiled module to the types that
// the host provides, so that a mismatch is found at admission.
func checkImportTypes(r wazero.Runtime, module wazero.CompiledModule) error {
	for _, f := range module.ImportedFunctions() {
		from, name, _ := f.Import()
		host := r.Module(from)
		if host == nil || host.ExportedFunctionDefinitions()[name] == nil {
			return fmt.Errorf("%w: %q of module %q is not provided", ErrImports, name, from)
		}
		want := host.ExportedFunctionDefinitions()[name]
		if !slices.Equal(f.ParamTypes(), want.ParamTypes()) || !slices.Equal(f.ResultTypes(), want.ResultTypes()) {
			return fmt.Errorf("%w: %q of module %q has type %s; expected %s", ErrImports, name, from,
				formatType(f.ParamTypes(), f.ResultTypes()), formatType(want.ParamTypes(), want.ResultTypes()))
		}
	}
	return nil
}
