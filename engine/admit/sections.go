package admit

import (
	"bytes"
	"fmt"
	"strings"
)

// Section ids (core specification 5.5.2).
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
	sectionCount
)

// sectionOrder is the order in which sections stand; the data count is read
// before the code, which needs it.
var sectionOrder = [sectionCount]int{
	sectionType: 1, sectionImport: 2, sectionFunction: 3, sectionTable: 4,
	sectionMemory: 5, sectionGlobal: 6, sectionExport: 7, sectionStart: 8,
	sectionElement: 9, sectionDataCount: 10, sectionCode: 11, sectionData: 12,
}

var sectionNames = [sectionCount]string{
	"custom", "type", "import", "function", "table", "memory", "global", "export", "start",
	"element", "code", "data", "data count",
}

var preamble = []byte("\x00asm\x01\x00\x00\x00")

// Parse decodes and validates a module. The module keeps the slice, which must
// not change afterwards.
func Parse(wasm []byte, l Limits) (*Module, error) {
	l = l.or(DefaultLimits)
	if len(wasm) > l.ModuleBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrCost, len(wasm), l.ModuleBytes)
	}
	if !bytes.HasPrefix(wasm, preamble) {
		if len(wasm) >= 8 && string(wasm[:4]) == "\x00asm" && wasm[6] == 1 {
			return nil, fmt.Errorf("%w: a component, not a core module", ErrUnsupported)
		}
		return nil, fmt.Errorf("%w: not a WebAssembly module of version 1", ErrMalformed)
	}
	m := &Module{wasm: wasm, limits: l}
	if err := m.parseSections(); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Module) parseSections() error {
	r := &reader{b: m.wasm, pos: len(preamble), end: len(m.wasm)}
	last := 0
	for r.more() {
		id := r.byte()
		size := r.u32()
		at := r.pos
		if r.take(uint64(size)); r.err != nil {
			return r.err
		}
		s := &reader{b: m.wasm, pos: at, end: r.pos}
		section := Section{ID: id, Bytes: int(size)}
		if id >= sectionCount {
			s.fail(ErrMalformed, "section %d does not exist", id)
			return s.err
		}
		s.section = sectionNames[id]
		if id == sectionCustom {
			section.Name = s.name()
			s.pos = s.end
		} else {
			if sectionOrder[id] <= last {
				s.fail(ErrMalformed, "out of order or there twice")
				return s.err
			}
			last = sectionOrder[id]
			m.raw[id] = span{at, r.pos}
			m.parseSection(id, s)
		}
		if s.err == nil && s.more() {
			s.fail(ErrMalformed, "%d bytes left over", s.end-s.pos)
		}
		if s.err != nil {
			return s.err
		}
		m.sections = append(m.sections, section)
	}
	switch {
	case len(m.bodies) != len(m.funcs)-len(m.imports):
		return fmt.Errorf("%w: %d functions declared, %d in the code section", ErrMalformed, len(m.funcs)-len(m.imports), len(m.bodies))
	case m.dataCount != nil && uint64(*m.dataCount) != uint64(len(m.data)):
		return fmt.Errorf("%w: data count is %d, %d segments are there", ErrMalformed, *m.dataCount, len(m.data))
	}
	return nil
}

func (m *Module) parseSection(id byte, r *reader) {
	switch id {
	case sectionType:
		m.parseTypes(r)
	case sectionImport:
		m.parseImports(r)
	case sectionFunction:
		m.parseFunctions(r)
	case sectionTable:
		m.parseTables(r)
	case sectionMemory:
		m.parseMemories(r)
	case sectionGlobal:
		m.parseGlobals(r)
	case sectionExport:
		m.parseExports(r)
	case sectionStart:
		m.parseStart(r)
	case sectionElement:
		m.parseElements(r)
	case sectionDataCount:
		n := r.u32()
		m.dataCount = &n
	case sectionCode:
		m.parseCode(r)
	case sectionData:
		m.parseData(r)
	}
}

func (m *Module) parseTypes(r *reader) {
	for n := r.count("types", m.limits.Types); n > 0 && r.err == nil; n-- {
		if form := r.byte(); form != 0x60 {
			r.fail(ErrMalformed, "type form %#x", form)
		}
		f := Func{
			Params:  r.valueTypes("parameters", m.limits.Params),
			Results: r.valueTypes("results", m.limits.Results),
		}
		m.types = append(m.types, f)
	}
}

func (m *Module) parseImports(r *reader) {
	for n := r.count("imports", m.limits.Imports); n > 0 && r.err == nil; n-- {
		imp := Import{Module: r.name(), Name: r.name(), Kind: r.byte()}
		if r.err != nil {
			return
		}
		switch {
		case imp.Module == HostModule:
			r.fail(ErrInvalid, "import from %q, which is the host's", HostModule)
			return
		case imp.Kind > kindGlobal:
			r.fail(ErrUnsupported, "import of kind %d", imp.Kind)
			return
		case imp.Kind != kindFunction:
			r.fail(ErrUnsupported, "import of a %s (%q.%q): a scanner's state is its own", kindNames[imp.Kind], imp.Module, imp.Name)
			return
		}
		index := r.index("type", len(m.types))
		if r.err != nil {
			return
		}
		imp.Func = m.types[index]
		m.imports = append(m.imports, imp)
		m.funcs = append(m.funcs, index)
	}
}

var kindNames = [...]string{"function", "table", "memory", "global"}

func (m *Module) parseFunctions(r *reader) {
	for n := r.count("functions", m.limits.Functions); n > 0 && r.err == nil; n-- {
		m.funcs = append(m.funcs, r.index("type", len(m.types)))
	}
}

func (m *Module) parseTables(r *reader) {
	var sum uint64
	for n := r.count("tables", m.limits.Tables); n > 0 && r.err == nil; n-- {
		t := table{elem: r.refType()}
		t.bounds = r.bounds("table", 1<<32-1)
		if sum += t.min; sum > uint64(m.limits.TableElements) {
			r.fail(ErrCost, "tables of %d elements, at most %d are allowed", sum, m.limits.TableElements)
		}
		m.tables = append(m.tables, t)
	}
}

func (m *Module) parseMemories(r *reader) {
	n := r.count("memories", 1<<20)
	if n > 1 {
		r.fail(ErrUnsupported, "%d memories, at most 1 is allowed", n)
	}
	if n == 0 || r.err != nil {
		return
	}
	b := r.bounds("memory", 1<<16)
	m.memory = &b
}

func (m *Module) parseGlobals(r *reader) {
	for n := r.count("globals", m.limits.Globals); n > 0 && r.err == nil; n-- {
		g := global{typ: r.valueType()}
		switch r.byte() {
		case 0:
		case 1:
			g.mutable = true
			m.mutable++
			if g.typ == typeV128 || isReference(g.typ) {
				r.fail(ErrUnsupported, "mutable global of type %s: it cannot be reset", typeName(g.typ))
			}
		default:
			r.fail(ErrMalformed, "mutability of a global")
		}
		m.constant(r, g.typ)
		m.globals = append(m.globals, g)
	}
}

func (m *Module) parseExports(r *reader) {
	names := map[string]bool{}
	for n := r.count("exports", m.limits.Exports); n > 0 && r.err == nil; n-- {
		e := Export{Name: r.name(), Kind: r.byte()}
		switch {
		case names[e.Name]:
			r.fail(ErrInvalid, "export %q is there twice", e.Name)
		case strings.HasPrefix(e.Name, reserved):
			r.fail(ErrInvalid, "export %q: names beginning with %q are the host's", e.Name, reserved)
		}
		names[e.Name] = true
		switch e.Kind {
		case kindFunction:
			e.Index = r.index("function", len(m.funcs))
			if r.err == nil {
				e.Func = m.funcType(e.Index)
				m.declare(e.Index)
			}
		case kindTable:
			e.Index = r.index("table", len(m.tables))
		case kindMemory:
			e.Index = r.index("memory", m.memories())
		case kindGlobal:
			e.Index = r.index("global", len(m.globals))
		default:
			r.fail(ErrMalformed, "export of kind %d", e.Kind)
		}
		m.exports = append(m.exports, e)
	}
}

func (m *Module) parseStart(r *reader) {
	index := r.index("function", len(m.funcs))
	if r.err != nil {
		return
	}
	if f := m.funcType(index); len(f.Params)+len(f.Results) != 0 {
		r.fail(ErrInvalid, "start function has parameters or results")
	}
	m.start = &index
}

func (m *Module) memories() int {
	if m.memory == nil {
		return 0
	}
	return 1
}

// declare notes that a function is named outside of code, so that ref.func in
// code may name it too.
func (m *Module) declare(index uint32) {
	if m.declared == nil {
		m.declared = make([]bool, len(m.funcs))
	}
	m.declared[index] = true
	m.importReferred = m.importReferred || int(index) < len(m.imports)
}
