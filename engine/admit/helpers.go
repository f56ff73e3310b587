package admit

// helper is a function appended to the module in place of an instruction whose
// work depends on an operand.
type helper struct {
	op      opcode
	segment uint32 // of memory.init
}

// chunk is how much memory is written between two looks at the fuel.
const chunk = 32 << 10

// helperIndex returns the index of the function for a helper, which it adds at
// its first use.
func (w *rewriter) helperIndex(h helper) uint32 {
	if i, ok := w.helpers[h]; ok {
		return i
	}
	index := w.firstAdded + uint32(len(w.added))
	w.helpers[h] = index
	typ := Func{Params: threeI32}
	if h.op == opMemoryGrow {
		typ = Func{Params: singles[typeI32], Results: singles[typeI32]}
	}
	w.added = append(w.added, added{typ: w.typeIndex(typ), body: w.helperBody(h)})
	return index
}

type added struct {
	typ  uint32
	body []byte
}

func (w *rewriter) helperBody(h helper) []byte {
	var e encoder
	e.u32(0) // locals
	switch h.op {
	case opMemoryGrow:
		w.growBody(&e)
	case opMemoryCopy:
		w.copyBody(&e)
	default:
		w.forwardBody(&e, h)
	}
	e.end()
	return e
}

// refuelBody asks the host for more fuel. The global has it too, so that the
// host can tell what was spent when the guest traps.
func (w *rewriter) refuelBody() []byte {
	var e encoder
	e.u32(0)
	e.op(opLocalGet, 0)
	e.op(opCall, w.yield)
	e.op(opLocalTee, 0)
	e.op(opGlobalSet, w.fuel)
	e.op(opLocalGet, 0)
	e.end()
	return e
}

func (w *rewriter) growBody(e *encoder) {
	w.meter.chargeLength(e, 0, costMemoryGrow, costPage, 0)
	w.meter.check(e)
	e.op(opLocalGet, 0)
	e.op(opMemoryGrow, 0)
	// A refusal is marked, so that a trap that follows is named for its cause.
	e.op(opLocalTee, 0)
	e.i32(-1)
	e.raw(0x46) // i32.eq
	e.ifEmpty()
	e.i32(DirtyMemory)
	e.op(opGlobalSet, w.dirty)
	e.end()
	e.op(opLocalGet, 0)
}

// outside leaves an i32 that is not zero if the n bytes at the address lie
// partly beyond the memory.
func (w *rewriter) outside(e *encoder, address, n uint32) {
	e.op(opLocalGet, address)
	e.op(opI64ExtendU)
	e.op(opLocalGet, n)
	e.op(opI64ExtendU)
	e.op(opI64Add)
	e.op(opMemorySize, 0)
	e.op(opI64ExtendU)
	e.i64(16)
	e.op(opI64Shl)
	e.op(opI64GtU)
}

// do appends the instruction itself with operands from the locals, the length
// given or local 2.
func (h helper) do(e *encoder, length int32) {
	e.op(opLocalGet, 0)
	e.op(opLocalGet, 1)
	if length > 0 {
		e.i32(length)
	} else {
		e.op(opLocalGet, 2)
	}
	switch h.op {
	case opMemoryFill:
		e.op(opMemoryFill, 0)
	case opMemoryCopy:
		e.op(opMemoryCopy, 0, 0)
	case opMemoryInit:
		e.op(opMemoryInit, h.segment, 0)
	}
}

// advance adds to a local.
func advance(e *encoder, local uint32, by int32) {
	e.op(opLocalGet, local)
	e.i32(by)
	e.op(opI32Add)
	e.op(opLocalSet, local)
}

// long opens an if on a length beyond one chunk.
func long(e *encoder) {
	e.op(opLocalGet, 2)
	e.i32(chunk)
	e.op(opI32GtU)
	e.ifEmpty()
}

// chunks appends a loop that does whole chunks while more than one is left,
// each paid for before it is done.
func (w *rewriter) chunks(e *encoder, each func()) {
	e.raw(byte(opLoop), 0x40)
	w.meter.charge(e, chunk>>bulkShift+costBulk)
	w.meter.check(e)
	each()
	advance(e, 2, -chunk)
	e.op(opLocalGet, 2)
	e.i32(chunk)
	e.op(opI32GtU)
	e.op(opBrIf, 0)
	e.end()
}

// rest pays for and does what is left of the length.
func (w *rewriter) rest(e *encoder, h helper) {
	w.meter.chargeLength(e, 2, costBulk, 1, bulkShift)
	w.meter.check(e)
	h.do(e, 0)
}

// trapIf runs the whole instruction, which is known to trap before it writes.
func (w *rewriter) trapIf(e *encoder, h helper) {
	e.ifEmpty()
	h.do(e, 0)
	e.op(opReturn)
	e.end()
}

// forwardBody does memory.fill and memory.init in chunks from low to high.
func (w *rewriter) forwardBody(e *encoder, h helper) {
	long(e)
	w.outside(e, 0, 2)
	w.trapIf(e, h)
	if h.op == opMemoryInit {
		// Beyond the segment, or the segment was dropped: a probe of no
		// length at the far end traps exactly when the whole would.
		w.probeSegment(e, h)
	}
	w.chunks(e, func() {
		h.do(e, chunk)
		advance(e, 0, chunk)
		if h.op == opMemoryInit {
			advance(e, 1, chunk)
		}
	})
	e.end()
	w.rest(e, h)
}

// probeSegment traps if the segment ends before the bytes wanted.
func (w *rewriter) probeSegment(e *encoder, h helper) {
	e.op(opLocalGet, 1)
	e.op(opI64ExtendU)
	e.op(opLocalGet, 2)
	e.op(opI64ExtendU)
	e.op(opI64Add)
	s := w.m.data[h.segment]
	e.i64(int64(s.end - s.start))
	e.op(opI64GtU)
	w.trapIf(e, h)
	e.i32(0)
	e.op(opLocalGet, 1)
	e.op(opLocalGet, 2)
	e.op(opI32Add)
	e.i32(0)
	e.op(opMemoryInit, h.segment, 0)
}

// copyBody does memory.copy in chunks: from high to low where the destination
// lies above the source, because the two may overlap.
func (w *rewriter) copyBody(e *encoder) {
	h := helper{op: opMemoryCopy}
	long(e)
	w.outside(e, 0, 2)
	w.trapIf(e, h)
	w.outside(e, 1, 2)
	w.trapIf(e, h)
	e.op(opLocalGet, 0)
	e.op(opLocalGet, 1)
	e.op(opI32LeU)
	e.ifEmpty()
	w.chunks(e, func() {
		h.do(e, chunk)
		advance(e, 0, chunk)
		advance(e, 1, chunk)
	})
	e.raw(byte(opElse))
	w.chunks(e, func() {
		for local := range uint32(2) {
			e.op(opLocalGet, local)
			e.op(opLocalGet, 2)
			e.op(opI32Add)
			e.i32(-chunk)
			e.op(opI32Add)
		}
		e.i32(chunk)
		e.op(opMemoryCopy, 0, 0)
	})
	e.end()
	e.end()
	w.rest(e, h)
}
