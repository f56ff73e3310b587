package admit

// bodies returns the code section.
func (w *rewriter) bodies() []byte {
	var code, body encoder
	for i := range w.m.bodies {
		body = w.body(body[:0], uint32(len(w.m.imports)+i), &w.m.bodies[i])
		code.bytes(body)
	}
	for _, a := range w.added {
		code.bytes(a.body)
	}
	var e encoder
	e.u32(uint32(len(w.m.bodies) + len(w.added)))
	return append(e, code...)
}

// share is how much of the depth a call to the function takes: a leaf's frame
// is covered by its caller's share. A compiler may give every value that lives
// across a call or comes to a join a place of its own in the frame, however
// short its life is.
func (b *body) share(params int, joined int64) int32 {
	values := max(int64(b.locals+b.maxStack), int64(b.kept)+joined)
	return int32(1 + (int64(params)+values)/16)
}

// body appends the rewritten function.
func (w *rewriter) body(e encoder, index uint32, b *body) encoder {
	typ := w.m.funcType(index)
	own := uint32(len(typ.Params) + b.locals)
	t := meter{w: w, inside: b.loops, local: own}
	wrapped := b.calls || b.loops
	extra := own // an i32 for lengths, if needed
	if t.inside {
		extra++
	}
	r := &reader{b: w.m.wasm, pos: b.start, end: b.code}
	w.locals = r.locals(append(w.locals[:0], typ.Params...), w.m.limits.Locals)
	needsExtra := w.planBody(b, t, extra, wrapped)

	share := b.share(len(typ.Params), w.plan.joined)

	// Local declarations.
	runs := &reader{b: w.m.wasm, pos: b.start, end: b.code}
	n := runs.u32()
	if t.inside {
		n++
	}
	if needsExtra {
		n++
	}
	e.u32(n)
	e.raw(w.m.wasm[runs.pos:b.code]...)
	if t.inside {
		e.raw(1, typeI64)
	}
	if needsExtra {
		e.raw(1, typeI32)
	}

	at, edits := b.code, w.edits
	emit := func(to int) { // the code up to an offset, with its edits
		for len(edits) > 0 && edits[0].start < to {
			e.raw(w.m.wasm[at:edits[0].start]...)
			e.raw(w.scratch[edits[0].with.start:edits[0].with.end]...)
			at = edits[0].end
			edits = edits[1:]
		}
		if at < to {
			e.raw(w.m.wasm[at:to]...)
			at = to
		}
	}
	for i := range w.plan.points {
		p := &w.plan.points[i]
		if p.into != i || !p.forced && (p.dead || p.weight == 0) {
			continue
		}
		emit(p.at)
		if i == 0 {
			t.reload(&e)
		}
		t.charge(&e, p.weight)
		switch {
		case p.retry:
			t.checkLoop(&e, p.weight, &w.plan.heads[p.head], w.locals)
		case p.check:
			t.check(&e)
		}
		if i == 0 {
			if b.calls {
				w.enter(&e, share)
			}
			if wrapped {
				w.wrap(&e, typ.Results)
			}
		}
	}
	emit(b.end)
	if wrapped {
		if b.calls {
			w.leave(&e, share)
		}
		t.flush(&e)
		e.end()
	}
	return e
}

// planBody walks the function: it decides what is charged where and collects
// the instructions that change. It reports whether they need the extra local.
func (w *rewriter) planBody(b *body, t meter, extra uint32, wrapped bool) (needsExtra bool) {
	p, c := &w.plan, &w.code
	*c = code{reader: reader{b: w.m.wasm, pos: b.code, end: b.end}, targets: c.targets}
	w.edits, w.scratch = w.edits[:0], w.scratch[:0]
	p.reset(b.code, costEntry+int64(b.locals)/8, len(w.locals))
	for c.next() {
		p.add(int64(c.info.weight))
		mark := len(w.scratch)
		switch c.op {
		case opBlock, opLoop, opIf:
			f := w.blockFunc(c.block)
			p.add(carriedBy(f))
			p.block(c.op, c.pos, len(f.Params))
		case opElse:
			p.otherwise(c.pos)
		case opEnd:
			p.end(c.pos)
		case opBr, opBrIf, opBrTable:
			p.close()
			if c.op == opBrTable {
				for _, label := range c.targets {
					p.branch(label)
				}
			} else {
				p.branch(c.x)
			}
			if c.op == opBrIf {
				p.open(c.pos, p.cur, p.unchecked)
			} else {
				p.stop(c.pos)
			}
		case opReturn:
			if wrapped {
				w.scratch.op(opBr, uint32(len(p.ctrl)-1))
			}
			p.close()
			p.stop(c.pos)
		case opUnreachable:
			p.close()
			p.stop(c.pos)
		case opCall:
			p.add(carriedBy(w.m.funcType(c.x)))
			if int(c.x) < len(w.m.imports) {
				p.add(costHostCall)
			}
			t.flush(&w.scratch)
			w.scratch.op(opCall, w.function(c.x))
			t.reload(&w.scratch)
			p.called(c.pos)
		case opCallIndirect:
			p.add(carriedBy(w.m.types[c.x]))
			if w.m.importReferred {
				p.add(costHostCall)
			}
			if t.inside {
				t.flush(&w.scratch)
				w.scratch.raw(w.m.wasm[c.at:c.pos]...)
				t.reload(&w.scratch)
			}
			p.called(c.pos)
		case opLocalGet:
			p.read(c.x)
		case opLocalSet, opLocalTee:
			p.assign(c.x, c.at)
		case opRefFunc:
			w.scratch.i32(w.slot(c.x))
			w.scratch.op(opTableGet, uint32(len(w.m.tables)))
		case opMemoryGrow, opMemoryFill, opMemoryCopy, opMemoryInit:
			h := helper{op: c.op}
			if c.op == opMemoryInit {
				h.segment = c.x
			}
			p.add(costEntry)
			t.flush(&w.scratch)
			w.scratch.op(opCall, w.helperIndex(h))
			t.reload(&w.scratch)
			p.called(c.pos)
		case opTableFill, opTableCopy, opTableInit, opTableGrow:
			needsExtra = true
			w.tableBulk(t, extra)
		case opTableSet, opElemDrop, opDataDrop:
			w.setDirty(&w.scratch)
			w.scratch.raw(w.m.wasm[c.at:c.pos]...)
		}
		if len(w.scratch) > mark {
			w.edits = append(w.edits, edit{span{c.at, c.pos}, span{mark, len(w.scratch)}})
		}
		if p.points[p.cur].weight >= maxSegment {
			p.cut(c.pos)
		}
	}
	return needsExtra
}

// tableBulk charges for the length on top of the stack before the instruction.
func (w *rewriter) tableBulk(t meter, local uint32) {
	e := &w.scratch
	e.op(opLocalSet, local)
	base := int64(costTableBulk)
	if w.code.op == opTableGrow {
		base = costTableGrow
	}
	t.chargeLength(e, local, base, 1, 0)
	t.check(e)
	w.setDirty(e)
	e.op(opLocalGet, local)
	e.raw(w.m.wasm[w.code.at:w.code.pos]...)
}

// blockFunc is the type of a block; a single result does not matter here.
func (w *rewriter) blockFunc(t blockType) Func {
	if t.index < 0 {
		return Func{}
	}
	return w.m.types[t.index]
}

// carriedBy is the cost of operands that may have to be moved.
func carriedBy(f Func) int64 { return int64(len(f.Params)+len(f.Results)) / 2 }
