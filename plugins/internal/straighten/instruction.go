package straighten

import (
	"fmt"

	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

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
func instructions(r reader) (all []instruction, table []int, err error) {
	for r.More() {
		in := instruction{start: r.Pos()}
		in.op = r.Byte()
		switch op := in.op; {
		case op == opBlock || op == opLoop || op == opIf || op == 0x3f || op == 0x40: // blocks; size and growth of the memory
			in.imm = int64(r.Byte())
		case op == opBr || op == opBrIf || op == opCall || op >= opLocalGet && op <= 0x24:
			in.imm = int64(r.number())
		case op == opBrTable:
			if table != nil {
				return nil, nil, errShape
			}
			n := r.number()
			for range n + 1 {
				if table = append(table, r.number()); r.Bad() {
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
			in.imm = r.S64()
		case op == 0x43:
			r.Bytes(4)
		case op == 0x44:
			r.Bytes(8)
		case op == 0xfc:
			switch in.imm = int64(r.number()); {
			case in.imm == 10: // memory.copy
				r.Bytes(2)
			case in.imm == 11: // memory.fill
				r.Byte()
			case in.imm > 11 || in.imm > 7:
				return nil, nil, fmt.Errorf("%w: opcode fc %x", ErrMalformed, in.imm)
			}
		case op == 0x00 || op == 0x01 || op == 0x05 || op == opEnd || op == 0x0f || op == 0x1a || op == 0x1b || op >= 0x45 && op <= 0xc4:
		default:
			return nil, nil, fmt.Errorf("%w: opcode %x", ErrMalformed, op)
		}
		in.end = r.Pos()
		all = append(all, in)
	}
	if r.Bad() {
		return nil, nil, fmt.Errorf("%w: a function is cut short", ErrMalformed)
	}
	return all, table, nil
}

// reader counts in the numbers that slices are indexed by.
type reader struct{ *wasmsection.Reader }

func read(b []byte) reader { return reader{wasmsection.NewReader(b)} }

// number reads an unsigned LEB128 of 32 bits.
func (r reader) number() int { return int(r.U32()) }
