package admit

// ifEmpty opens an if without parameters and results.
func (e *encoder) ifEmpty() { e.raw(byte(opIf), 0x40) }

func (e *encoder) end() { e.raw(byte(opEnd)) }

// A meter says where a function keeps the fuel while it runs. Without loops
// that is the global. With loops it is a local, which a compiler keeps in a
// register: the global would be stored and loaded again in every round. The
// local is written back before calls and at the end, and read again after calls.
type meter struct {
	w      *rewriter
	inside bool
	local  uint32
}

func (t meter) get(e *encoder) {
	if t.inside {
		e.op(opLocalGet, t.local)
	} else {
		e.op(opGlobalGet, t.w.fuel)
	}
}

func (t meter) set(e *encoder) {
	if t.inside {
		e.op(opLocalSet, t.local)
	} else {
		e.op(opGlobalSet, t.w.fuel)
	}
}

// charge subtracts a constant from the fuel.
func (t meter) charge(e *encoder, units int64) {
	t.get(e)
	e.i64(units)
	e.op(opI64Sub)
	t.set(e)
}

// check yields when the fuel has run out. The way that is nearly always taken
// comes first: compilers lay it out straight and let it decide what is in which
// register.
func (t meter) check(e *encoder) {
	t.get(e)
	e.i64(0)
	e.op(opI64GeS)
	e.ifEmpty()
	e.raw(byte(opElse))
	t.get(e)
	e.op(opCall, t.w.refuel)
	t.set(e)
	e.end()
}

// checkLoop is check at the head of a loop that takes no operands. The way out
// of line goes back to the head, so that it never joins the way that is nearly
// always taken, and it carries on with copies of the locals that the loop
// assigns: otherwise the call in it would have every round of the loop write
// them to the stack. The head charges once more, so the charge is given back.
func (t meter) checkLoop(e *encoder, units int64, c *carried, types []byte) {
	t.get(e)
	e.i64(0)
	e.op(opI64GeS)
	e.ifEmpty()
	e.raw(byte(opElse))
	for _, l := range c.list[:c.n] {
		if l.assigned {
			e.op(opLocalGet, l.index)
			e.same(types[l.index], l.index)
			e.op(opLocalSet, l.index)
		}
	}
	t.get(e)
	e.op(opCall, t.w.refuel)
	e.i64(units)
	e.op(opI64Add)
	t.set(e)
	e.op(opBr, 1)
	e.end()
}

// same turns the operand, which is the value of the local, into an equal one
// that a compiler takes for another.
func (e *encoder) same(typ byte, local uint32) {
	switch typ {
	case typeI32:
		e.i32(0)
		e.op(opI32Add)
	case typeI64:
		e.i64(0)
		e.op(opI64Add)
	case typeF32:
		e.op(opLocalGet, local)
		e.op(opF32Copysign)
	case typeF64:
		e.op(opLocalGet, local)
		e.op(opF64Copysign)
	case typeV128:
		e.op(opLocalGet, local)
		e.op(opV128Or)
	}
}

// flush writes the local back.
func (t meter) flush(e *encoder) {
	if t.inside {
		e.op(opLocalGet, t.local)
		e.op(opGlobalSet, t.w.fuel)
	}
}

// reload reads the global again.
func (t meter) reload(e *encoder) {
	if t.inside {
		e.op(opGlobalGet, t.w.fuel)
		e.op(opLocalSet, t.local)
	}
}

// chargeLength subtracts base + (the unsigned local × each) >> shift.
func (t meter) chargeLength(e *encoder, local uint32, base, each int64, shift int64) {
	t.get(e)
	e.op(opLocalGet, local)
	e.op(opI64ExtendU)
	if shift > 0 {
		e.i64(shift)
		e.op(opI64ShrU)
	}
	if each > 1 {
		e.i64(each)
		e.op(opI64Mul)
	}
	e.i64(base)
	e.op(opI64Add)
	e.op(opI64Sub)
	t.set(e)
}

// enter takes the function's share of the stack.
func (w *rewriter) enter(e *encoder, share int32) {
	e.op(opGlobalGet, w.depth)
	e.i32(share)
	e.op(opI32Sub)
	e.op(opGlobalSet, w.depth)
	e.op(opGlobalGet, w.depth)
	e.i32(0)
	e.op(opI32LtS)
	e.ifEmpty()
	e.op(opCall, w.overflow)
	e.end()
}

// wrap opens the block that every way out of the function ends.
func (w *rewriter) wrap(e *encoder, results []byte) {
	e.raw(byte(opBlock))
	switch len(results) {
	case 0:
		e.raw(0x40)
	case 1:
		e.raw(results[0])
	default:
		e.s64(int64(w.typeIndex(Func{Results: results})))
	}
}

// leave gives the share back.
func (w *rewriter) leave(e *encoder, share int32) {
	e.op(opGlobalGet, w.depth)
	e.i32(share)
	e.op(opI32Add)
	e.op(opGlobalSet, w.depth)
}

func (w *rewriter) setDirty(e *encoder) {
	e.i32(DirtyTables)
	e.op(opGlobalSet, w.dirty)
}
