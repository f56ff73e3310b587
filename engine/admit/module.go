package admit

import "slices"

// Value types by their byte in the binary format.
const (
	typeI32     = 0x7f
	typeI64     = 0x7e
	typeF32     = 0x7d
	typeF64     = 0x7c
	typeV128    = 0x7b
	typeFunc    = 0x70
	typeExtern  = 0x6f
	typeUnknown = 0 // an operand in unreachable code
)

// Kinds of imports and exports.
const (
	kindFunction = iota
	kindTable
	kindMemory
	kindGlobal
)

// Func is a function type. The bytes are value types: 0x7f i32, 0x7e i64, 0x7d
// f32, 0x7c f64, 0x7b v128, 0x70 funcref, 0x6f externref.
type Func struct{ Params, Results []byte }

// Import is one entry of the import section.
type Import struct {
	Module, Name string
	Kind         byte // 0: a function; others are refused
	Func         Func
}

// Export is one entry of the export section.
type Export struct {
	Name  string
	Kind  byte // 0 function, 1 table, 2 memory, 3 global
	Func  Func // of a function
	Index uint32
}

// Section is one section as it stood in the file.
type Section struct {
	ID    byte
	Name  string // of a custom section
	Bytes int    // of its contents
}

// Module is a module that passed Parse. It keeps the bytes it was made from.
type Module struct {
	wasm     []byte
	limits   Limits
	sections []Section
	raw      [sectionCount]span // contents of the known sections

	types     []Func
	imports   []Import
	funcs     []uint32 // type of every function, imported ones first
	tables    []table
	memory    *bounds
	globals   []global
	exports   []Export
	start     *uint32
	elements  []element
	dataCount *uint32
	data      []span // contents of the data segments
	bodies    []body

	mutable  int    // mutable globals
	declared []bool // functions that ref.func may name in code
	// importReferred says that one of them is imported: any indirect call may
	// be a call of the host then.
	importReferred bool
	refs           []relocation // function indices in the global and element sections
}

type span struct{ start, end int }

type bounds struct {
	min uint64
	max *uint64
}

type table struct {
	elem byte
	bounds
}

type global struct {
	typ     byte
	mutable bool
}

type element struct {
	typ   byte
	count int
}

// relocation is the place of a function index that shifts in the rewriting.
type relocation struct {
	span
	index uint32
}

// body is a function of the module and what validation found out about it.
type body struct {
	span     // from its local declarations to its end
	code     int
	locals   int // without parameters
	maxStack int // operands
	kept     int // values that may need a place in the frame, at most
	calls    bool
	loops    bool
}

// Imports lists what the module imports, in order.
func (m *Module) Imports() []Import { return slices.Clone(m.imports) }

// Exports lists what the module exports, in order.
func (m *Module) Exports() []Export { return slices.Clone(m.exports) }

// Sections lists the sections of the file, in order.
func (m *Module) Sections() []Section { return slices.Clone(m.sections) }

// Memory returns the bounds of the memory in pages of 64 KiB.
func (m *Module) Memory() (minimum uint64, maximum *uint64, ok bool) {
	if m.memory == nil {
		return 0, nil, false
	}
	return m.memory.min, m.memory.max, true
}

func (m *Module) funcType(index uint32) Func { return m.types[m.funcs[index]] }
