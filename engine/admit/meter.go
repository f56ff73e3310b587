package admit

// ifEmpty opens an if without parameters and results.
func (e *encoder) ifEmpty() { e.raw(byte(opIf), 0x40) }

func (e *encoder) end() { e.raw(byte(opEnd)) }

// charge subtracts a constant from the fuel.
func (w *rewriter) charge(e *encoder, units int64) {
	e.op(opGlobalGet, w.fuel)
	e.i64(units)
	e.op(opI64Sub)
	e.op(opGlobalSet, w.fuel)
}

// check yields when the fuel has run out.
func (w *rewriter) check(e *encoder) {
	e.op(opGlobalGet, w.fuel)
	e.i64(0)
	e.op(opI64LtS)
	e.ifEmpty()
	e.op(opCall, w.refuel)
	e.end()
}

// chargeLocal subtracts base + (the unsigned local × each) >> shift.
func (w *rewriter) chargeLocal(e *encoder, local uint32, base, each int64, shift int64) {
	e.op(opGlobalGet, w.fuel)
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
	e.op(opGlobalSet, w.fuel)
}

// enter takes the function's share of the stack and opens the block that every
// way out of the function ends.
func (w *rewriter) enter(e *encoder, share int32, results []byte) {
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
