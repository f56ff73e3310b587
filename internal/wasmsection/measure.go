package wasmsection

import (
	"encoding/binary"
	"slices"
)

// Sizes are what a module asks its compiler for, whatever its own length: a
// handful of bytes can declare four billion local variables.
type Sizes struct {
	Locals   uint64 // declared by the function that declares most
	Body     int    // bytes of the longest function body
	Tables   int
	TableMin uint64 // elements of all tables at the start
}

// Section ids that Measure reads.
const (
	idType     = 1
	idFunction = 3
	idTable    = 4
	idGlobal   = 6
	idExport   = 7
	idElement  = 9
	idCode     = 10
	idData     = 11
)

// Measure reads every vector of a module against the bytes that are there, so
// that a decoder that allocates by the count alone is safe with what passes.
func Measure(wasm []byte) (Sizes, error) {
	var size Sizes
	sections, err := Parse(wasm)
	if err != nil {
		return size, err
	}
	items := map[byte]func(*reader){
		idType:     (*reader).functionType,
		idFunction: func(r *reader) { r.u32() },
		idTable: func(r *reader) {
			size.Tables++
			size.TableMin += uint64(r.table().min)
		},
		idGlobal:  func(r *reader) { r.valueType(); r.byte(); r.expression() },
		idExport:  func(r *reader) { r.name(); r.byte(); r.u32() },
		idElement: (*reader).element,
		idCode:    func(r *reader) { r.function(&size) },
		idData:    (*reader).data,
	}
	for _, s := range sections {
		item, ok := items[s.ID]
		if !ok {
			continue
		}
		r := reader{b: s.Body}
		for n := r.vector(1); n > 0 && !r.bad; n-- {
			item(&r)
		}
		if r.bad || r.pos != len(s.Body) {
			return size, malformed("section %d", s.ID)
		}
	}
	_, err = Imports(wasm)
	return size, err
}

// Bare returns the module without custom sections and with a maximum for each
// table: together they can hold elements, shared evenly beyond what they start
// with. Such a module means the same, but that table.grow fails earlier.
func Bare(wasm []byte, elements uint64) ([]byte, error) {
	size, err := Measure(wasm)
	if err != nil {
		return nil, err
	}
	if size.TableMin > elements {
		return nil, malformed("tables of %d elements, at most %d", size.TableMin, elements)
	}
	sections, err := Parse(wasm)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(preamble)
	for _, s := range sections {
		switch s.ID {
		case IDCustom:
		case idTable:
			body := boundTables(s.Body, (elements-size.TableMin)/uint64(max(size.Tables, 1)))
			out = binary.AppendUvarint(append(out, idTable), uint64(len(body)))
			out = append(out, body...)
		default:
			out = append(out, wasm[s.Start:s.End]...)
		}
	}
	return out, nil
}

// boundTables lets no table of a measured section grow by more than growth.
func boundTables(section []byte, growth uint64) []byte {
	r := reader{b: section}
	n := r.u32()
	out := binary.AppendUvarint(nil, uint64(n))
	for ; n > 0; n-- {
		t := r.table()
		limit := uint64(t.min) + growth
		if t.bounded {
			limit = min(limit, uint64(t.max))
		}
		out = binary.AppendUvarint(append(out, t.element, 1), uint64(t.min))
		out = binary.AppendUvarint(out, limit)
	}
	return out
}

// vector reads a count of items of at least so many bytes each.
func (r *reader) vector(least int) uint32 {
	n := r.u32()
	if uint64(n)*uint64(least) > uint64(len(r.b)-r.pos) {
		r.bad = true
		return 0
	}
	return n
}

func (r *reader) functionType() {
	if r.byte() != 0x60 {
		r.bad = true
	}
	for range 2 { // parameters, results
		for n := r.vector(1); n > 0 && !r.bad; n-- {
			r.valueType()
		}
	}
}

// valueType reads a type of one byte: all that core 2.0 has.
func (r *reader) valueType() {
	switch r.byte() {
	case 0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f:
	default:
		r.bad = true
	}
}

type tableType struct {
	element  byte
	bounded  bool
	min, max uint32
}

func (r *reader) table() tableType {
	t := tableType{element: r.byte()}
	flag := r.byte()
	t.min = r.u32()
	if t.bounded = flag == 1; t.bounded {
		t.max = r.u32()
	}
	if t.element != 0x70 && t.element != 0x6f || flag > 1 || t.bounded && t.max < t.min {
		r.bad = true
	}
	return t
}

// function reads the size and the locals of a body and passes over its code.
func (r *reader) function(size *Sizes) {
	body := reader{b: r.bytes(r.u32()), bad: r.bad}
	var locals uint64
	for n := body.vector(2); n > 0 && !body.bad; n-- {
		locals += uint64(body.u32())
		body.valueType()
	}
	r.bad = r.bad || body.bad
	size.Locals, size.Body = max(size.Locals, locals), max(size.Body, len(body.b))
}

// element reads a segment (core specification 2.0, §5.5.12).
func (r *reader) element() {
	form := r.u32()
	if form > 7 {
		r.bad = true
	}
	active, explicit, expressions := form&1 == 0, form&2 != 0, form&4 != 0
	if active && explicit {
		r.u32() // table
	}
	if active {
		r.expression()
	}
	if !active || explicit {
		r.byte() // element kind or reference type
	}
	for n := r.vector(1); n > 0 && !r.bad; n-- {
		if expressions {
			r.expression()
		} else {
			r.u32()
		}
	}
}

func (r *reader) data() {
	switch form := r.u32(); form {
	case 0, 2:
		if form == 2 {
			r.u32() // memory
		}
		r.expression()
	case 1: // passive
	default:
		r.bad = true
	}
	r.bytes(r.u32())
}

// expression reads a constant expression, arithmetic of the extended-const
// proposal included.
func (r *reader) expression() {
	for !r.bad {
		switch r.byte() {
		case 0x0b: // end
			return
		case 0x41, 0x42: // i32.const, i64.const
			r.leb()
		case 0x43: // f32.const
			r.bytes(4)
		case 0x44: // f64.const
			r.bytes(8)
		case 0x23, 0xd2: // global.get, ref.func
			r.u32()
		case 0xd0: // ref.null
			r.leb()
		case 0xfd: // v128.const
			if r.u32() != 12 {
				r.bad = true
			}
			r.bytes(16)
		case 0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e: // add, sub, mul
		default:
			r.bad = true
		}
	}
}

// leb passes over a LEB128 number of at most ten bytes.
func (r *reader) leb() {
	for range 10 {
		if r.byte() < 0x80 {
			return
		}
	}
	r.bad = true
}
