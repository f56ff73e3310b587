package admit

import (
	"fmt"
	"strconv"
)

// Options are the bounds that the rewritten module declares.
type Options struct {
	// MemoryPages clamps the memory's maximum, in pages of 64 KiB. A module
	// whose memory begins larger is refused.
	MemoryPages uint32
}

// Program is a rewritten module.
type Program struct {
	Wasm []byte
	// Globals are the export names of the guest's own mutable globals.
	Globals []string
	// Start says that there was a start function; it is exported as
	// ExportStart.
	Start bool
	// Added counts the functions that are the host's.
	Added int
}

// rewriter builds one program.
type rewriter struct {
	m *Module

	// Indices of what is added.
	yield, overflow    uint32 // functions
	refuel, firstAdded uint32
	fuel, depth, dirty uint32 // globals

	types   []Func
	slots   map[uint32]int32 // of functions in the table of references
	named   []uint32         // those functions, by slot
	meter   meter            // of helpers
	helpers map[helper]uint32
	added   []added
	plan    planner
	locals  []byte // types of parameters and locals of the current function
	code    code
	edits   []edit
	scratch encoder
}

// edit replaces a span of a function by a part of scratch.
type edit struct {
	span
	with span
}

// fuelType is the type of a function that takes and returns fuel.
var fuelType = Func{singles[typeI64], singles[typeI64]}

// Instrument rewrites the module. The same module and options give the same
// bytes.
func (m *Module) Instrument(o Options) (*Program, error) {
	if m.memory != nil && m.memory.min > uint64(o.MemoryPages) {
		return nil, fmt.Errorf("%w: memory begins with %d pages, at most %d are allowed", ErrCost, m.memory.min, o.MemoryPages)
	}
	imported, functions, globals := uint32(len(m.imports)), uint32(len(m.funcs)), uint32(len(m.globals))
	w := &rewriter{
		m:     m,
		yield: imported, overflow: imported + 1,
		firstAdded: functions + 2,
		fuel:       globals, depth: globals + 1, dirty: globals + 2,
		slots: map[uint32]int32{}, helpers: map[helper]uint32{},
	}
	w.refuel, w.meter.w = w.firstAdded, w
	w.added = append(w.added, added{w.typeIndex(fuelType), w.refuelBody()})
	bodies := w.bodies()

	p := &Program{Start: m.start != nil}
	out := append(make(encoder, 0, len(m.wasm)+len(bodies)/2), preamble...)
	imports := w.importSection()
	out.section(sectionType, w.typeSection())
	out.section(sectionImport, imports)
	out.section(sectionFunction, w.functionSection())
	out.section(sectionTable, w.tableSection())
	out.section(sectionMemory, w.memorySection(o))
	out.section(sectionGlobal, w.globalSection())
	out.section(sectionExport, w.exportSection(p))
	out.section(sectionElement, w.elementSection())
	out.section(sectionDataCount, w.relocated(sectionDataCount))
	out.section(sectionCode, bodies)
	out.section(sectionData, w.relocated(sectionData))
	p.Wasm, p.Added = out, len(w.added)
	return p, nil
}

// function translates an index of the original module.
func (w *rewriter) function(index uint32) uint32 {
	if index < uint32(len(w.m.imports)) {
		return index
	}
	return index + 2
}

// typeIndex returns the index of a function type among those added.
func (w *rewriter) typeIndex(f Func) uint32 {
	for i, t := range w.types {
		if string(t.Params) == string(f.Params) && string(t.Results) == string(f.Results) {
			return uint32(len(w.m.types) + i)
		}
	}
	w.types = append(w.types, f)
	return uint32(len(w.m.types) + len(w.types) - 1)
}

func (w *rewriter) typeSection() []byte {
	var e encoder
	e.u32(uint32(len(w.m.types) + len(w.types)))
	for _, list := range [][]Func{w.m.types, w.types} {
		for _, f := range list {
			e.raw(0x60)
			e.bytes(f.Params)
			e.bytes(f.Results)
		}
	}
	return e
}

func (w *rewriter) importSection() []byte {
	var e encoder
	e.u32(uint32(len(w.m.imports) + 2))
	entry := func(module, name string, typ uint32) {
		e.name(module)
		e.name(name)
		e.raw(kindFunction)
		e.u32(typ)
	}
	for i, imp := range w.m.imports {
		entry(imp.Module, imp.Name, w.m.funcs[i])
	}
	entry(HostModule, ImportYield, w.typeIndex(fuelType))
	entry(HostModule, ImportDepth, w.typeIndex(Func{}))
	return e
}

func (w *rewriter) functionSection() []byte {
	var e encoder
	own := w.m.funcs[len(w.m.imports):]
	e.u32(uint32(len(own) + len(w.added)))
	for _, typ := range own {
		e.u32(typ)
	}
	for _, a := range w.added {
		e.u32(a.typ)
	}
	return e
}

func (w *rewriter) tableSection() []byte {
	count := len(w.m.tables) + min(len(w.named), 1)
	if count == 0 {
		return nil
	}
	var e encoder
	e.u32(uint32(count))
	for _, t := range w.m.tables {
		e.raw(t.elem)
		e.bounds(t.min, t.clamp(uint64(w.m.limits.TableElements)))
	}
	if n := uint64(len(w.named)); n > 0 {
		e.raw(typeFunc)
		e.bounds(n, n)
	}
	return e
}

// slot is where the table of references, which comes after the guest's own,
// holds a function. ref.func becomes a look into that table: by itself it makes
// an object on the host's heap each time, which lives as long as the instance.
func (w *rewriter) slot(function uint32) int32 {
	at, ok := w.slots[function]
	if !ok {
		at = int32(len(w.named))
		w.slots[function], w.named = at, append(w.named, function)
	}
	return at
}

// elementSection is the original's, with a segment for the table of references.
func (w *rewriter) elementSection() []byte {
	old := w.relocated(sectionElement)
	if len(w.named) == 0 {
		return old
	}
	var e encoder
	e.u32(uint32(len(w.m.elements) + 1))
	if old != nil {
		e.raw(old[countSize(old):]...)
	}
	e.u32(2) // active, into a table that is named, by function indices
	e.u32(uint32(len(w.m.tables)))
	e.i32(0)
	e.end()
	e.raw(0) // of functions
	e.u32(uint32(len(w.named)))
	for _, function := range w.named {
		e.u32(w.function(function))
	}
	return e
}

func (w *rewriter) memorySection(o Options) []byte {
	if w.m.memory == nil {
		return nil
	}
	var e encoder
	e.u32(1)
	e.bounds(w.m.memory.min, w.m.memory.clamp(uint64(o.MemoryPages)))
	return e
}

func (b bounds) clamp(most uint64) uint64 {
	if b.max != nil {
		return min(*b.max, most)
	}
	return most
}

func (w *rewriter) globalSection() []byte {
	var e encoder
	e.u32(uint32(len(w.m.globals) + 3))
	if old := w.relocated(sectionGlobal); old != nil {
		e.raw(old[countSize(old):]...)
	}
	for _, typ := range []byte{typeI64, typeI32, typeI32} { // fuel, depth, dirty
		e.raw(typ, 1)
		if typ == typeI64 {
			e.i64(0)
		} else {
			e.i32(0)
		}
		e.end()
	}
	return e
}

// countSize is the length of the count that a section begins with.
func countSize(section []byte) int {
	n := 1
	for section[n-1] >= 0x80 {
		n++
	}
	return n
}

func (w *rewriter) exportSection(p *Program) []byte {
	var e encoder
	count := uint32(0)
	entry := func(name string, kind byte, index uint32) {
		e.name(name)
		e.raw(kind)
		e.u32(index)
		count++
	}
	for _, x := range w.m.exports {
		if x.Kind == kindFunction {
			x.Index = w.function(x.Index)
		}
		entry(x.Name, x.Kind, x.Index)
	}
	for i, g := range w.m.globals {
		if g.mutable {
			name := exportGlobal + strconv.Itoa(i)
			p.Globals = append(p.Globals, name)
			entry(name, kindGlobal, uint32(i))
		}
	}
	entry(ExportFuel, kindGlobal, w.fuel)
	entry(ExportDepth, kindGlobal, w.depth)
	entry(ExportDirty, kindGlobal, w.dirty)
	if p.Start {
		entry(ExportStart, kindFunction, w.function(*w.m.start))
	}
	var section encoder
	section.u32(count)
	section.raw(e...)
	return section
}

// relocated returns a section of the original with its function indices
// shifted, nil if there was none.
func (w *rewriter) relocated(id int) []byte {
	at := w.m.raw[id]
	var e encoder
	for _, ref := range w.m.refs {
		if ref.start < at.start || ref.end > at.end {
			continue
		}
		e.raw(w.m.wasm[at.start:ref.start]...)
		e.u32(w.function(ref.index))
		at.start = ref.end
	}
	return append(e, w.m.wasm[at.start:at.end]...)
}
