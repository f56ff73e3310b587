package admit

// Limits bounds what Parse accepts. They protect the compiler and the
// instantiation, not the run: each is far above what compilers emit and far
// below what takes an engine minutes or gigabytes. A field that is zero has its
// value from DefaultLimits.
type Limits struct {
	ModuleBytes int

	Types     int
	Params    int // per function type
	Results   int // per function type
	Imports   int
	Functions int
	Exports   int
	Globals   int
	Tables    int
	// TableElements bounds the sum of the minima of all tables, and is what
	// a table's maximum is clamped to.
	TableElements   int
	ElementSegments int
	ElementInits    int // entries of all element segments
	DataSegments    int

	// Per function.
	FunctionBytes   int
	Locals          int // parameters and locals
	Nesting         int
	Blocks          int // block, loop and if
	BrTableTargets  int // of all br_table instructions
	OperandStack    int
	BlocksTimesVars int64 // (blocks + br_table targets) × (locals + mutable globals)

	// Summed over the module.
	ModuleBlocksTimesVars int64
	CallsTimesGlobals     int64 // calls × mutable globals
}

// DefaultLimits lets through what Go, Rust, C and AssemblyScript compilers emit
// with at least four times to spare.
var DefaultLimits = Limits{
	ModuleBytes:           16 << 20,
	Types:                 4096,
	Params:                128,
	Results:               64,
	Imports:               256,
	Functions:             40_000,
	Exports:               4096,
	Globals:               1024,
	Tables:                16,
	TableElements:         64 << 10,
	ElementSegments:       4096,
	ElementInits:          128 << 10,
	DataSegments:          128 << 10,
	FunctionBytes:         1 << 20,
	Locals:                4096,
	Nesting:               4096,
	Blocks:                16 << 10,
	BrTableTargets:        64 << 10,
	OperandStack:          4096,
	BlocksTimesVars:       4 << 20,
	ModuleBlocksTimesVars: 64 << 20,
	CallsTimesGlobals:     8 << 20,
}

// or fills in the fields that are zero.
func (l Limits) or(d Limits) Limits {
	set := func(have *int, other int) {
		if *have == 0 {
			*have = other
		}
	}
	set64 := func(have *int64, other int64) {
		if *have == 0 {
			*have = other
		}
	}
	set(&l.ModuleBytes, d.ModuleBytes)
	set(&l.Types, d.Types)
	set(&l.Params, d.Params)
	set(&l.Results, d.Results)
	set(&l.Imports, d.Imports)
	set(&l.Functions, d.Functions)
	set(&l.Exports, d.Exports)
	set(&l.Globals, d.Globals)
	set(&l.Tables, d.Tables)
	set(&l.TableElements, d.TableElements)
	set(&l.ElementSegments, d.ElementSegments)
	set(&l.ElementInits, d.ElementInits)
	set(&l.DataSegments, d.DataSegments)
	set(&l.FunctionBytes, d.FunctionBytes)
	set(&l.Locals, d.Locals)
	set(&l.Nesting, d.Nesting)
	set(&l.Blocks, d.Blocks)
	set(&l.BrTableTargets, d.BrTableTargets)
	set(&l.OperandStack, d.OperandStack)
	set64(&l.BlocksTimesVars, d.BlocksTimesVars)
	set64(&l.ModuleBlocksTimesVars, d.ModuleBlocksTimesVars)
	set64(&l.CallsTimesGlobals, d.CallsTimesGlobals)
	return l
}
