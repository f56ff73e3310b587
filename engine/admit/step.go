package admit

// step types the instruction just read.
func (v *validator) step() {
	in := v.info
	if in.plain {
		if in.imm >= immMemory {
			v.checkPlain()
		}
		for i := int(in.npop) - 1; i >= 0; i-- {
			v.pop(in.pops[i])
		}
		if in.push != 0 {
			v.push(in.push)
		}
		return
	}
	switch v.op {
	case opLocalGet:
		v.push(v.local())
	case opLocalSet:
		v.pop(v.local())
		v.body.kept++
	case opLocalTee:
		v.body.kept++
		t := v.local()
		v.pop(t)
		v.push(t)
	case opGlobalGet:
		v.push(v.global(false))
	case opGlobalSet:
		v.pop(v.global(true))
	case opDrop:
		v.popAny()
	case opSelect:
		v.selectUntyped()
	case opSelectT:
		if len(v.types) != 1 {
			v.invalid("select of %d types", len(v.types))
			return
		}
		v.pop(typeI32)
		v.pop(v.types[0])
		v.pop(v.types[0])
		v.push(v.types[0])
	case opRefNull:
		v.push(byte(v.x))
	case opRefIsNull:
		if t := v.popAny(); t != typeUnknown && !isReference(t) {
			v.invalid("ref.is_null of %s", typeName(t))
		}
		v.push(typeI32)
	case opRefFunc:
		if v.below("function", v.x, len(v.m.funcs)) && (v.m.declared == nil || !v.m.declared[v.x]) {
			v.invalid("ref.func of function %d, which nothing outside of code names", v.x)
		}
		v.push(typeFunc)
	case opNop, opUnreachable, opBlock, opLoop, opIf, opElse, opEnd, opBr, opBrIf, opBrTable, opReturn, opCall, opCallIndirect:
		v.control()
	default:
		v.bulk()
	}
}

// checkPlain checks the immediates of a plain instruction.
func (v *validator) checkPlain() {
	switch v.info.imm {
	case immMemory, immMemoryLane:
		v.needMemory()
		if v.x > uint32(v.info.align) {
			v.invalid("alignment 2^%d, at most 2^%d", v.x, v.info.align)
		}
		if v.info.imm == immMemoryLane && v.y >= uint32(v.info.lanes) {
			v.invalid("lane %d of %d", v.y, v.info.lanes)
		}
	case immLane:
		if v.y >= uint32(v.info.lanes) {
			v.invalid("lane %d of %d", v.y, v.info.lanes)
		}
	}
}

func (v *validator) below(what string, index uint32, n int) bool {
	if uint64(index) >= uint64(n) {
		v.invalid("%s %d does not exist", what, index)
		return false
	}
	return true
}

func (v *validator) needMemory() {
	if v.m.memory == nil {
		v.invalid("there is no memory")
	}
}

func (v *validator) local() byte {
	if !v.below("local", v.x, len(v.locals)) {
		return typeUnknown
	}
	return v.locals[v.x]
}

func (v *validator) global(set bool) byte {
	if !v.below("global", v.x, len(v.m.globals)) {
		return typeUnknown
	}
	g := v.m.globals[v.x]
	if set && !g.mutable {
		v.invalid("global %d is immutable", v.x)
	}
	return g.typ
}

func (v *validator) table(index uint32) byte {
	if !v.below("table", index, len(v.m.tables)) {
		return typeUnknown
	}
	return v.m.tables[index].elem
}

func (v *validator) selectUntyped() {
	v.pop(typeI32)
	a, b := v.popAny(), v.popAny()
	switch {
	case isReference(a) || isReference(b):
		v.invalid("select of references needs a type")
	case a != b && a != typeUnknown && b != typeUnknown:
		v.invalid("select of %s and %s", typeName(a), typeName(b))
	}
	v.push(max(a, b))
}

// control types the instructions that structure the code.
func (v *validator) control() {
	switch v.op {
	case opUnreachable:
		v.unreachable()
	case opBlock, opLoop, opIf:
		v.effort.blocks++
		v.effort.edges++
		v.body.loops = v.body.loops || v.op == opLoop
		params, results := v.blockFunc()
		v.carry(len(params) + len(results))
		if v.op == opIf {
			v.pop(typeI32)
		}
		v.popAll(params)
		v.body.kept += len(params) + len(results)
		v.pushFrame(v.op, params, results)
	case opElse:
		if v.ctrl[len(v.ctrl)-1].op != opIf {
			v.invalid("else without if")
			return
		}
		f := v.popFrame()
		v.pushFrame(opElse, f.params, f.results)
	case opEnd:
		f := v.popFrame()
		if f.op == opIf && string(f.params) != string(f.results) {
			v.invalid("if without else changes the stack")
		}
		v.pushAll(f.results)
	case opBr:
		types := v.frameAt(v.x).label()
		v.effort.edges++
		v.carry(len(types))
		v.popAll(types)
		v.unreachable()
	case opBrIf:
		v.pop(typeI32)
		types := v.frameAt(v.x).label()
		v.effort.edges++
		v.carry(len(types))
		v.popAll(types)
		v.pushAll(types)
	case opBrTable:
		v.brTable()
	case opReturn:
		v.effort.edges++
		v.carry(len(v.typ.Results))
		v.popAll(v.typ.Results)
		v.unreachable()
	case opCall:
		if v.below("function", v.x, len(v.m.funcs)) {
			v.call(v.m.funcType(v.x))
		}
	case opCallIndirect:
		if v.table(v.y) != typeFunc {
			v.invalid("call_indirect needs a table of functions")
			return
		}
		v.pop(typeI32)
		if v.below("type", v.x, len(v.m.types)) {
			v.call(v.m.types[v.x])
		}
	}
}

func (v *validator) call(f Func) {
	v.body.calls = true
	v.effort.edges += callEdges
	v.carry(len(f.Params) + len(f.Results))
	v.popAll(f.Params)
	v.body.kept += len(v.vals)
	v.pushAll(f.Results)
}

// carry counts operands that a compiler has to move. It stops early what would
// take validation itself too long.
func (v *validator) carry(n int) {
	v.effort.operands += int64(n)
	if v.effort.operands > v.m.limits.Operands {
		v.fail(ErrCost, "calls and branches carry more than %d operands", v.m.limits.Operands)
	}
}

func (v *validator) brTable() {
	v.effort.targets += len(v.targets)
	v.effort.edges += int64(len(v.targets))
	v.pop(typeI32)
	last := v.frameAt(v.targets[len(v.targets)-1]).label()
	v.carry(len(last) * len(v.targets))
	seen := uint32(1<<32 - 1)
	for _, label := range v.targets {
		if label == seen { // runs are usual
			continue
		}
		seen = label
		types := v.frameAt(label).label()
		if len(types) != len(last) {
			v.invalid("br_table labels of %d and %d operands", len(types), len(last))
		}
		if v.err != nil {
			return
		}
		v.peekAll(types)
	}
	v.popAll(last)
	v.unreachable()
}

// peekAll checks the types of the top operands and leaves them as they are.
func (v *validator) peekAll(types []byte) {
	f := &v.ctrl[len(v.ctrl)-1]
	for i := range types {
		want := types[len(types)-1-i]
		at := len(v.vals) - 1 - i
		if at < f.height {
			if !f.unreachable {
				v.invalid("operand missing")
			}
			return
		}
		if got := v.vals[at]; got != want && got != typeUnknown {
			v.invalid("operand of type %s instead of %s", typeName(got), typeName(want))
			return
		}
	}
}

// bulk types the instructions on memory and tables as a whole. Most become
// calls.
func (v *validator) bulk() {
	v.effort.edges += callEdges
	v.body.kept += len(v.vals)
	switch v.op {
	case opMemorySize:
		v.needMemory()
		v.push(typeI32)
	case opMemoryGrow:
		v.needMemory()
		v.pop(typeI32)
		v.push(typeI32)
	case opMemoryInit:
		v.needMemory()
		v.segment()
		v.popAll(threeI32)
	case opDataDrop:
		v.segment()
	case opMemoryCopy, opMemoryFill:
		v.needMemory()
		v.popAll(threeI32)
	case opTableGet:
		t := v.table(v.x)
		v.pop(typeI32)
		v.push(t)
	case opTableSet:
		v.pop(v.table(v.x))
		v.pop(typeI32)
	case opTableInit:
		into := v.table(v.y)
		if v.below("element segment", v.x, len(v.m.elements)) && v.m.elements[v.x].typ != into {
			v.invalid("table.init of %s into %s", typeName(v.m.elements[v.x].typ), typeName(into))
		}
		v.popAll(threeI32)
	case opElemDrop:
		v.below("element segment", v.x, len(v.m.elements))
	case opTableCopy:
		if to, from := v.table(v.x), v.table(v.y); to != from {
			v.invalid("table.copy of %s into %s", typeName(from), typeName(to))
		}
		v.popAll(threeI32)
	case opTableGrow:
		v.pop(typeI32)
		v.pop(v.table(v.x))
		v.push(typeI32)
	case opTableSize:
		v.table(v.x)
		v.push(typeI32)
	case opTableFill:
		v.pop(typeI32)
		v.pop(v.table(v.x))
		v.pop(typeI32)
	default:
		v.invalid("instruction %#x", uint16(v.op))
	}
}

var threeI32 = []byte{typeI32, typeI32, typeI32}

func (v *validator) segment() {
	if v.m.dataCount == nil {
		v.invalid("data segment named without a data count section")
		return
	}
	if uint64(v.x) >= uint64(*v.m.dataCount) {
		v.invalid("data segment %d does not exist", v.x)
	}
}
