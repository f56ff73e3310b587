package admit

import "fmt"

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

	vars, blocksTimesVars, callsTimesGlobals int64 // module-wide sums
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
	v.code = code{reader: reader{b: v.m.wasm, pos: at.start, end: at.end}, targets: v.targets}
	v.typ = v.m.funcType(index)
	v.body = body{span: at}
	v.vals, v.ctrl = v.vals[:0], v.ctrl[:0]
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
	if v.err != nil {
		return body{}, fmt.Errorf("function %d: %w", index, v.err)
	}
	return v.body, nil
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

// cost applies the bounds on what a compiler makes of the function.
func (v *validator) cost() {
	l := &v.m.limits
	vars := int64(len(v.locals) + v.m.mutable)
	product := int64(v.body.blocks+v.body.brTargets) * vars
	v.blocksTimesVars += product
	switch {
	case v.body.maxStack > l.OperandStack:
		v.fail(ErrCost, "%d operands, at most %d are allowed", v.body.maxStack, l.OperandStack)
	case v.body.blocks > l.Blocks:
		v.fail(ErrCost, "%d blocks, at most %d are allowed", v.body.blocks, l.Blocks)
	case v.body.brTargets > l.BrTableTargets:
		v.fail(ErrCost, "%d br_table targets, at most %d are allowed", v.body.brTargets, l.BrTableTargets)
	case product > l.BlocksTimesVars:
		v.fail(ErrCost, "blocks × variables is %d, at most %d is allowed", product, l.BlocksTimesVars)
	case v.blocksTimesVars > l.ModuleBlocksTimesVars:
		v.fail(ErrCost, "blocks × variables of the module is %d so far, at most %d is allowed", v.blocksTimesVars, l.ModuleBlocksTimesVars)
	case v.callsTimesGlobals > l.CallsTimesGlobals:
		v.fail(ErrCost, "calls × mutable globals is %d so far, at most %d is allowed", v.callsTimesGlobals, l.CallsTimesGlobals)
	}
}

func (v *validator) invalid(format string, args ...any) {
	v.pos = v.at
	v.fail(ErrInvalid, format, args...)
}

func (v *validator) push(t byte) {
	v.vals = append(v.vals, t)
	if len(v.vals) > v.body.maxStack {
		v.body.maxStack = len(v.vals)
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
