package straighten

import "fmt"

// Opcodes that matter here.
const (
	opUnreachable = 0x00
	opBlock       = 0x02
	opLoop        = 0x03
	opIf          = 0x04
	opEnd         = 0x0b
	opBr          = 0x0c
	opBrIf        = 0x0d
	opBrTable     = 0x0e
	opCall        = 0x10
	opLocalGet    = 0x20
	opLocalSet    = 0x21
	opLocalTee    = 0x22
	opI64Store    = 0x37
	opI32Const    = 0x41
	opI64Const    = 0x42

	empty = 0x40 // the type of a block without a value
)

// instruction is one of a function's, with its first immediate.
type instruction struct {
	op         byte
	imm        int64
	start, end int // in the function
}

// is compares an instruction with one that has one immediate.
func (i instruction) is(op byte, imm int64) bool { return i.op == op && i.imm == imm }

// instructions decodes what the Go toolchain writes, from r to its end.
func instructions(r *reader) (all []instruction, table []int, err error) {
	for r.pos < len(r.b) && !r.bad {
		in := instruction{start: r.pos}
		in.op = r.byte()
		switch op := in.op; {
		case op == opBlock || op == opLoop || op == opIf || op == 0x3f || op == 0x40: // blocks; size and growth of the memory
			in.imm = int64(r.byte())
		case op == opBr || op == opBrIf || op == opCall || op >= opLocalGet && op <= 0x24:
			in.imm = int64(r.number())
		case op == opBrTable:
			if table != nil {
				return nil, nil, errShape
			}
			n := r.number()
			for range n + 1 {
				if table = append(table, r.number()); r.bad {
					break
				}
			}
		case op == 0x11: // call_indirect
			in.imm = int64(r.number())
			r.number()
		case op >= 0x28 && op <= 0x3e: // loads and stores
			r.number()
			in.imm = int64(r.number())
		case op == opI32Const || op == opI64Const:
			in.imm = r.signed()
		case op == 0x43:
			r.bytes(4)
		case op == 0x44:
			r.bytes(8)
		case op == 0xfc:
			switch in.imm = int64(r.number()); {
			case in.imm == 10: // memory.copy
				r.bytes(2)
			case in.imm == 11: // memory.fill
				r.byte()
			case in.imm > 11 || in.imm > 7:
				return nil, nil, fmt.Errorf("%w: opcode fc %x", ErrMalformed, in.imm)
			}
		case op == 0x00 || op == 0x01 || op == 0x05 || op == opEnd || op == 0x0f || op == 0x1a || op == 0x1b || op >= 0x45 && op <= 0xc4:
		default:
			return nil, nil, fmt.Errorf("%w: opcode %x", ErrMalformed, op)
		}
		in.end = r.pos
		all = append(all, in)
	}
	if r.bad {
		return nil, nil, fmt.Errorf("%w: a function is cut short", ErrMalformed)
	}
	return all, table, nil
}

// reader reads the binary format's primitives; after a fault it stays bad.
type reader struct {
	b   []byte
	pos int
	bad bool
}

func (r *reader) byte() byte {
	if b := r.bytes(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) bytes(n int) []byte {
	if r.bad || n < 0 || n > len(r.b)-r.pos {
		r.bad = true
		return nil
	}
	b := r.b[r.pos : r.pos+n]
	r.pos += n
	return b
}

// number reads an unsigned LEB128 of 32 bits.
func (r *reader) number() int {
	var v uint64
	for shift := 0; ; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			r.bad = r.bad || v > 1<<32-1
			return int(v)
		}
		if shift > 28 {
			r.bad = true
			return 0
		}
	}
}

// signed reads a signed LEB128 of up to 64 bits.
func (r *reader) signed() int64 {
	var v int64
	for shift := 0; shift < 70; shift += 7 {
		b := r.byte()
		v |= int64(b&0x7f) << shift
		if b < 0x80 {
			if b&0x40 != 0 && shift+7 < 64 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	r.bad = true
	return 0
}
