package wat

import (
	"slices"
	"strconv"
	"strings"
)

const (
	opBlock = 0x02
	opLoop  = 0x03
	opIf    = 0x04
	opElse  = 0x05
	opEnd   = 0x0b
)

// plain are instructions without immediates, by their name (§6.5).
var plain = map[string]byte{
	"unreachable": 0x00, "nop": 0x01, "return": 0x0f, "drop": 0x1a, "select": 0x1b,
	"i32.eqz": 0x45, "i32.eq": 0x46, "i32.ne": 0x47, "i32.lt_s": 0x48, "i32.lt_u": 0x49, "i32.gt_s": 0x4a, "i32.gt_u": 0x4b,
	"i32.le_u": 0x4d, "i32.ge_u": 0x4f,
	"i64.eqz": 0x50, "i64.eq": 0x51, "i64.ne": 0x52, "i64.lt_u": 0x54, "i64.gt_u": 0x56, "i64.le_u": 0x58, "i64.ge_u": 0x5a,
	"i32.add": 0x6a, "i32.sub": 0x6b, "i32.mul": 0x6c, "i32.div_u": 0x6e, "i32.rem_u": 0x70, "i32.and": 0x71, "i32.or": 0x72,
	"i32.xor": 0x73, "i32.shl": 0x74, "i32.shr_u": 0x76,
	"i64.add": 0x7c, "i64.sub": 0x7d, "i64.mul": 0x7e, "i64.and": 0x83, "i64.or": 0x84, "i64.shl": 0x86, "i64.shr_u": 0x88,
	"i32.wrap_i64": 0xa7, "i64.extend_i32_u": 0xad,
}

// memory are loads and stores.
var memory = map[string]byte{
	"i32.load": 0x28, "i64.load": 0x29, "i32.load8_u": 0x2d, "i32.load16_u": 0x2f,
	"i32.store": 0x36, "i64.store": 0x37, "i32.store8": 0x3a,
}

// function writes one body.
type function struct {
	module *module
	names  []string // of parameters and locals
	labels []string // of the blocks around, the innermost last
	b      []byte
}

func (m *module) function(n node) error {
	s, err := signatureOf(n)
	if err != nil {
		return err
	}
	f := &function{module: m, names: s.names}
	if err := f.sequence(s.body); err != nil {
		return err
	}
	locals := uleb(uint64(len(s.locals)))
	for _, t := range s.locals {
		locals = append(locals, 1, t)
	}
	body := slices.Concat(locals, f.b, []byte{opEnd})
	m.code = append(m.code, slices.Concat(uleb(uint64(len(body))), body))
	return nil
}

func (f *function) sequence(nodes []node) error {
	for _, n := range nodes {
		if err := f.instruction(n); err != nil {
			return err
		}
	}
	return nil
}

// instruction writes (op immediates operands ...), operands first.
func (f *function) instruction(n node) error {
	op := n.head()
	if op == "" {
		return n.bad("an instruction is in parentheses")
	}
	rest := n.list[1:]
	switch op {
	case "block", "loop":
		return f.block(map[string]byte{"block": opBlock, "loop": opLoop}[op], rest)
	case "if":
		return f.condition(n, rest)
	case "memory.size", "memory.grow":
		if err := f.sequence(rest); err != nil {
			return err
		}
		f.b = append(f.b, map[string]byte{"memory.size": 0x3f, "memory.grow": 0x40}[op], 0)
		return nil
	case "memory.copy":
		err := f.sequence(rest)
		f.b = append(f.b, 0xfc, 10, 0, 0)
		return err
	}
	if code, ok := plain[op]; ok {
		err := f.sequence(rest)
		f.b = append(f.b, code)
		return err
	}
	if code, ok := memory[op]; ok {
		offset := uint64(0)
		if len(rest) > 0 && strings.HasPrefix(rest[0].atom, "offset=") {
			var err error
			if offset, err = strconv.ParseUint(rest[0].atom[len("offset="):], 0, 32); err != nil {
				return n.bad("%s", err)
			}
			rest = rest[1:]
		}
		err := f.sequence(rest)
		f.b = slices.Concat(f.b, []byte{code, 0}, uleb(offset))
		return err
	}
	return f.named(n, op)
}

// named are instructions whose first immediate is a number or a name.
func (f *function) named(n node, op string) error {
	if len(n.list) < 2 {
		return n.bad("%s of what?", op)
	}
	immediate := n.list[1].atom
	if err := f.sequence(n.list[2:]); err != nil {
		return err
	}
	at := func(code byte, index int) error {
		if index < 0 {
			return n.bad("no %s", immediate)
		}
		f.b = slices.Concat(f.b, []byte{code}, uleb(uint64(index)))
		return nil
	}
	known := func(names map[string]uint64) int {
		if index, ok := names[immediate]; ok {
			return int(index)
		}
		return -1
	}
	switch op {
	case "i32.const", "i64.const":
		v, err := strconv.ParseInt(immediate, 0, 64)
		if err != nil {
			var u uint64
			if u, err = strconv.ParseUint(immediate, 0, 64); err != nil {
				return n.bad("%s", err)
			}
			v = int64(u)
		}
		code := byte(0x42)
		if op == "i32.const" {
			code, v = 0x41, int64(int32(v))
		}
		f.b = slices.Concat(f.b, []byte{code}, sleb(v))
		return nil
	case "local.get":
		return at(0x20, slices.Index(f.names, immediate))
	case "local.set":
		return at(0x21, slices.Index(f.names, immediate))
	case "local.tee":
		return at(0x22, slices.Index(f.names, immediate))
	case "global.get":
		return at(0x23, known(f.module.globalNames))
	case "global.set":
		return at(0x24, known(f.module.globalNames))
	case "call":
		return at(0x10, known(f.module.funcs))
	case "br":
		return at(0x0c, f.depth(immediate))
	case "br_if":
		return at(0x0d, f.depth(immediate))
	}
	return n.bad("unknown instruction %s", op)
}

func (f *function) depth(label string) int {
	for i := len(f.labels) - 1; i >= 0; i-- {
		if f.labels[i] == label {
			return len(f.labels) - 1 - i
		}
	}
	return -1
}

// block writes ($label? (result t)? instructions ...).
func (f *function) block(code byte, rest []node) error {
	rest, err := f.open(code, rest)
	if err == nil {
		err = f.sequence(rest)
	}
	f.close()
	return err
}

// open writes the beginning of a block and returns what is in it.
func (f *function) open(code byte, rest []node) ([]node, error) {
	label, typ := "", byte(0x40)
	if len(rest) > 0 && strings.HasPrefix(rest[0].atom, "$") {
		label, rest = rest[0].atom, rest[1:]
	}
	if len(rest) > 0 && rest[0].head() == "result" && len(rest[0].list) == 2 {
		t, err := valueType(rest[0].list[1])
		if err != nil {
			return nil, err
		}
		typ, rest = t, rest[1:]
	}
	f.labels = append(f.labels, label)
	f.b = append(f.b, code, typ)
	return rest, nil
}

func (f *function) close() {
	f.labels = f.labels[:len(f.labels)-1]
	f.b = append(f.b, opEnd)
}

// condition writes ((result t)? condition (then ...) (else ...)?).
func (f *function) condition(n node, rest []node) error {
	var result []node
	if len(rest) > 0 && rest[0].head() == "result" {
		result, rest = rest[:1], rest[1:]
	}
	if len(rest) < 2 || rest[1].head() != "then" {
		return n.bad("want (if condition (then ...) (else ...))")
	}
	if err := f.instruction(rest[0]); err != nil {
		return err
	}
	if _, err := f.open(opIf, result); err != nil {
		return err
	}
	if err := f.sequence(rest[1].list[1:]); err != nil {
		return err
	}
	if len(rest) > 2 {
		f.b = append(f.b, opElse)
		if err := f.sequence(rest[2].list[1:]); err != nil {
			return err
		}
	}
	f.close()
	return nil
}
