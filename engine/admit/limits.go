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
	FunctionBytes  int
	Locals         int // parameters and locals
	Nesting        int
	LoopNesting    int
	Loops          int
	Blocks         int // block, loop and if
	BrTableTargets int // of all br_table instructions
	OperandStack   int
	Operands       int64 // carried by calls, blocks and branches
	// Edges bounds what splits a function: blocks, branches, br_table
	// targets, calls. Calls and loops count for more than one.
	Edges int64
	// BlocksTimesLocals bounds the product of the edges of a function and its
	// variables (parameters, locals, mutable globals), which are carried over
	// every edge.
	BlocksTimesLocals int64

	// Summed over all functions.
	ModuleOperands          int64
	ModuleBlocksTimesLocals int64
	ModuleEdgesSquared      int64 // compilers have passes that are quadratic
}

// DefaultLimits lets through what Go, Rust, C and AssemblyScript compilers emit
// with at least four times to spare.
var DefaultLimits = Limits{
	ModuleBytes:             16 << 20,
	Types:                   4096,
	Params:                  128,
	Results:                 64,
	Imports:                 256,
	Functions:               40_000,
	Exports:                 4096,
	Globals:                 1024,
	Tables:                  16,
	TableElements:           64 << 10,
	ElementSegments:         4096,
	ElementInits:            16 << 10,
	DataSegments:            128 << 10,
	FunctionBytes:           512 << 10,
	Locals:                  2048,
	Nesting:                 11 << 10,
	LoopNesting:             64,
	Loops:                   2048,
	Blocks:                  20 << 10,
	BrTableTargets:          32 << 10,
	OperandStack:            1024,
	Operands:                256 << 10,
	Edges:                   48 << 10,
	BlocksTimesLocals:       3 << 19,
	ModuleOperands:          4 << 20,
	ModuleBlocksTimesLocals: 16 << 20,
	ModuleEdgesSquared:      768 << 20,
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
	set(&l.LoopNesting, d.LoopNesting)
	set(&l.Loops, d.Loops)
	set(&l.Blocks, d.Blocks)
	set(&l.BrTableTargets, d.BrTableTargets)
	set(&l.OperandStack, d.OperandStack)
	set64(&l.Operands, d.Operands)
	set64(&l.Edges, d.Edges)
	set64(&l.BlocksTimesLocals, d.BlocksTimesLocals)
	set64(&l.ModuleOperands, d.ModuleOperands)
	set64(&l.ModuleBlocksTimesLocals, d.ModuleBlocksTimesLocals)
	set64(&l.ModuleEdgesSquared, d.ModuleEdgesSquared)
	return l
}
