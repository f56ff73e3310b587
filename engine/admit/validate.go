package admit

// validator checks function bodies by the algorithm of the specification's
// appendix: a stack of operand types and a stack of control frames. It is
// reused from function to function.
type validator struct {
	code
	m    *Module
	vals []byte
	ctrl []frame
	body body

	typ    Func
	locals []byte // types of parameters and locals

	effort            effort // of the current function
	loopDepth         int
	product, operands int64 // of all functions
	squares           int64
}

type frame struct {
	op              opcode
	params, results []byte
	height          int
	unreachable     bool
}

// label returns the types that a branch to the frame carries.
func (f *frame) label() []byte {
	if f.op == opLoop {
		return f.params
	}
	return f.results
}

func newValidator(m *Module) *validator { return &validator{m: m} }

func (v *validator) function(index uint32, at span) (body, error) {
	v.code = code{reader: reader{b: v.m.wasm, pos: at.start, end: at.end, function: int(index) + 1}, targets: v.targets}
	v.typ = v.m.funcType(index)
	v.body = body{span: at}
	v.vals, v.ctrl = v.vals[:0], v.ctrl[:0]
	v.effort, v.loopDepth = effort{edges: 1}, 0
	v.locals = v.reader.locals(append(v.locals[:0], v.typ.Params...), v.m.limits.Locals)
	v.body.locals = len(v.locals) - len(v.typ.Params)
	v.body.code = v.pos
	v.pushFrame(opBlock, nil, v.typ.Results)
	for len(v.ctrl) > 0 {
		if !v.next() {
			v.fail(ErrMalformed, "function without end")
			break
		}
		v.step()
	}
	if v.err == nil && v.more() {
		v.fail(ErrMalformed, "instructions after the end")
	}
	v.cost()
	return v.body, v.err
}

// locals reads local declarations and appends the types one by one.
func (r *reader) locals(types []byte, limit int) []byte {
	for n := r.count("runs of locals", r.end-r.pos); n > 0 && r.err == nil; n-- {
		run := r.u32()
		t := r.valueType()
		if sum := uint64(len(types)) + uint64(run); sum > uint64(limit) {
			r.fail(ErrCost, "%d locals, at most %d are allowed", sum, limit)
			return types
		}
		for range run {
			types = append(types, t)
		}
	}
	return types
}

// effort is what a compiler has to do for one function, or for all of them.
type effort struct {
	blocks   int // block, loop and if
	loops    int
	targets  int   // of br_table instructions
	edges    int64 // see Limits.Edges
	product  int64 // edges × variables
	operands int64 // carried by calls and branches
}

// cost applies the bounds on what a compiler makes of the function.
func (v *validator) cost() {
	l := &v.m.limits
	e := &v.effort
	e.product = e.edges * int64(len(v.locals)+v.m.mutable+addedVariables)
	v.product += e.product
	v.operands += e.operands
	v.squares += min(e.edges, l.Edges) * e.edges // the bound keeps it from overflowing
	for _, c := range []struct {
		what       string
		have, most int64
	}{
		{"operands on the stack", int64(v.body.maxStack), int64(l.OperandStack)},
		{"blocks", int64(e.blocks), int64(l.Blocks)},
		{"loops", int64(e.loops), int64(l.Loops)},
		{"br_table targets", int64(e.targets), int64(l.BrTableTargets)},
		{"operands of calls and branches", e.operands, l.Operands},
		{"operands of calls and branches in all functions so far", v.operands, l.ModuleOperands},
		{"edges between blocks", e.edges, l.Edges},
		{"blocks × locals", e.product, l.BlocksTimesLocals},
		{"blocks × locals of all functions so far", v.product, l.ModuleBlocksTimesLocals},
		{"edges², summed over all functions so far", v.squares, l.ModuleEdgesSquared},
	} {
		if c.have > c.most {
			v.fail(ErrCost, "%d %s, at most %d are allowed", c.have, c.what, c.most)
		}
	}
}

// inRegisters is how many operands a compiler surely finds registers for.
const inRegisters = 8

// addedVariables is how many variables a rewritten function has besides its own.
const addedVariables = 4

// What counts for more than one edge. A loop counts for its depth as well.
const (
	loopEdges = 3
	callEdges = 2
)

func (v *validator) invalid(format string, args ...any) {
	v.pos = v.at
	v.fail(ErrInvalid, format, args...)
}

func (v *validator) push(t byte) {
	v.vals = append(v.vals, t)
	if len(v.vals) > v.body.maxStack {
		v.body.maxStack = len(v.vals)
	}
	if len(v.vals) > inRegisters {
		v.body.kept++
	}
}

func (v *validator) pushAll(types []byte) {
	for _, t := range types {
		v.push(t)
	}
}

// popAny takes the top operand; in unreachable code there is always one.
func (v *validator) popAny() byte {
	f := &v.ctrl[len(v.ctrl)-1]
	if len(v.vals) == f.height {
		if !f.unreachable {
			v.invalid("operand missing")
		}
		return typeUnknown
	}
	t := v.vals[len(v.vals)-1]
	v.vals = v.vals[:len(v.vals)-1]
	return t
}

func (v *validator) pop(want byte) byte {
	got := v.popAny()
	if got != want && got != typeUnknown && want != typeUnknown {
		v.invalid("operand of type %s instead of %s", typeName(got), typeName(want))
	}
	return got
}

func (v *validator) popAll(types []byte) {
	for i := len(types) - 1; i >= 0; i-- {
		v.pop(types[i])
	}
}

func (v *validator) pushFrame(op opcode, params, results []byte) {
	if len(v.ctrl) > v.m.limits.Nesting {
		v.fail(ErrCost, "nesting deeper than %d", v.m.limits.Nesting)
		return
	}
	if op == opLoop {
		v.loopDepth++
		v.effort.loops++
		v.effort.edges += int64(v.loopDepth) + loopEdges
		if v.loopDepth > v.m.limits.LoopNesting {
			v.fail(ErrCost, "loops nested deeper than %d", v.m.limits.LoopNesting)
		}
	}
	v.ctrl = append(v.ctrl, frame{op: op, params: params, results: results, height: len(v.vals)})
	v.pushAll(params)
}

func (v *validator) popFrame() frame {
	f := v.ctrl[len(v.ctrl)-1]
	v.popAll(f.results)
	if v.err == nil && len(v.vals) != f.height {
		v.invalid("%d operands left over at the end of a block", len(v.vals)-f.height)
	}
	v.ctrl = v.ctrl[:len(v.ctrl)-1]
	if f.op == opLoop {
		v.loopDepth--
	}
	return f
}

// unreachable says that what follows in this frame is not executed.
func (v *validator) unreachable() {
	f := &v.ctrl[len(v.ctrl)-1]
	v.vals = v.vals[:f.height]
	f.unreachable = true
}

// frameAt returns the frame that a label means.
func (v *validator) frameAt(label uint32) *frame {
	if uint64(label) >= uint64(len(v.ctrl)) {
		v.invalid("label %d does not exist", label)
		return &v.ctrl[0]
	}
	return &v.ctrl[len(v.ctrl)-1-int(label)]
}

// blockFunc resolves a block type.
func (v *validator) blockFunc() (params, results []byte) {
	switch {
	case v.block.index >= 0:
		if v.block.index >= int64(len(v.m.types)) {
			v.invalid("type %d does not exist", v.block.index)
			return nil, nil
		}
		f := v.m.types[v.block.index]
		return f.Params, f.Results
	case v.block.single != 0:
		return nil, singles[v.block.single]
	}
	return nil, nil
}

// singles holds the type lists of length one.
var singles = func() (all [256][]byte) {
	for i := range all {
		all[i] = []byte{byte(i)}
	}
	return all
}()
