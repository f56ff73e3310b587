package admit

// parseElements reads the element section (core specification 5.5.12). The
// flags say: bit 0 not active, bit 1 explicit table or declarative, bit 2
// expressions instead of indices.
func (m *Module) parseElements(r *reader) {
	total := 0
	for n := r.count("element segments", m.limits.ElementSegments); n > 0 && r.err == nil; n-- {
		flags := r.u32()
		if flags > 7 {
			r.fail(ErrMalformed, "element segment of kind %d", flags)
			return
		}
		active, explicit, expressions := flags&1 == 0, flags&2 != 0, flags&4 != 0
		e := element{typ: typeFunc}
		into, offset := uint32(0), uint32(0)
		if active {
			if explicit {
				into = r.u32()
			}
			if r.err == nil && uint64(into) >= uint64(len(m.tables)) {
				r.fail(ErrInvalid, "table %d does not exist", into)
			}
			offset = m.constant(r, typeI32)
		}
		if !active || explicit {
			if expressions {
				e.typ = r.refType()
			} else if kind := r.byte(); kind != 0 {
				r.fail(ErrMalformed, "element kind %d", kind)
			}
		}
		if r.err != nil {
			return
		}
		if active && m.tables[into].elem != e.typ {
			r.fail(ErrInvalid, "segment of %s for a table of %s", typeName(e.typ), typeName(m.tables[into].elem))
		}
		e.count = r.count("element entries", m.limits.ElementInits-total)
		total += e.count
		// Such a module traps when it is instantiated, but for wazero, which
		// leaves out this segment and all that follow.
		if active && r.err == nil && uint64(offset)+uint64(e.count) > m.tables[into].min {
			r.fail(ErrInvalid, "segment of %d elements at %d in a table of %d", e.count, offset, m.tables[into].min)
		}
		for range e.count {
			if r.err != nil {
				return
			}
			if expressions {
				m.constant(r, e.typ)
			} else {
				m.reference(r)
			}
		}
		m.elements = append(m.elements, e)
	}
}

// reference reads a function index that has to be shifted later.
func (m *Module) reference(r *reader) {
	at := r.pos
	index := r.index("function", len(m.funcs))
	if r.err != nil {
		return
	}
	m.declare(index)
	m.refs = append(m.refs, relocation{span{at, r.pos}, index})
}

// constant reads a constant expression of the given type. As globals cannot be
// imported there is none that global.get could name here, so an expression is
// one instruction and its end. The result is the value of an i32.
func (m *Module) constant(r *reader, want byte) (value uint32) {
	var got byte
	switch op := r.byte(); op {
	case 0x41:
		value = uint32(r.s32())
		got = typeI32
	case 0x42:
		r.s64()
		got = typeI64
	case 0x43:
		r.take(4)
		got = typeF32
	case 0x44:
		r.take(8)
		got = typeF64
	case 0xfd:
		if sub := r.u32(); sub != uint32(opV128Const&0xff) {
			r.fail(ErrInvalid, "instruction in a constant expression")
		}
		r.take(16)
		got = typeV128
	case 0xd0:
		got = r.refType()
	case 0xd2:
		m.reference(r)
		got = typeFunc
	case 0x23:
		r.u32()
		r.fail(ErrInvalid, "a constant expression may only name imported globals, and there are none")
	default:
		r.fail(ErrInvalid, "instruction %#x in a constant expression", op)
	}
	if r.err == nil && got != want {
		r.fail(ErrInvalid, "constant of type %s instead of %s", typeName(got), typeName(want))
	}
	if r.byte() != byte(opEnd) {
		r.fail(ErrInvalid, "constant expression of more than one instruction")
	}
	return value
}

func (m *Module) parseData(r *reader) {
	for n := r.count("data segments", m.limits.DataSegments); n > 0 && r.err == nil; n-- {
		switch flags := r.u32(); flags {
		case 0, 2:
			memory := uint32(0)
			if flags == 2 {
				memory = r.u32()
			}
			if r.err == nil && int64(memory) >= int64(m.memories()) {
				r.fail(ErrInvalid, "memory %d does not exist", memory)
			}
			m.constant(r, typeI32)
		case 1:
		default:
			r.fail(ErrMalformed, "data segment of kind %d", flags)
		}
		size := uint64(r.u32())
		at := r.pos
		r.take(size)
		m.data = append(m.data, span{at, r.pos})
	}
}

func (m *Module) parseCode(r *reader) {
	n := r.count("functions", m.limits.Functions)
	if want := len(m.funcs) - len(m.imports); r.err == nil && n != want {
		r.fail(ErrMalformed, "%d functions declared, %d in the code section", want, n)
	}
	v := newValidator(m)
	for i := 0; i < n && r.err == nil; i++ {
		size := uint64(r.u32())
		if r.err == nil && size > uint64(m.limits.FunctionBytes) {
			r.fail(ErrCost, "function %d has %d bytes, at most %d are allowed", len(m.imports)+i, size, m.limits.FunctionBytes)
		}
		at := r.pos
		r.take(size)
		if r.err != nil {
			return
		}
		b, err := v.function(uint32(len(m.imports)+i), span{at, r.pos})
		if err != nil {
			r.err = err
			return
		}
		m.bodies = append(m.bodies, b)
	}
}
