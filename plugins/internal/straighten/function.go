package straighten

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// errShape means that a function has not the shape that is straightened.
var errShape = errors.New("straighten: another shape")

// function returns the body of a function with its jumps forward made direct.
// pc is its number in program counters.
func (m *module) function(body []byte, pc int64) ([]byte, error) {
	r := read(body)
	for range r.number() { // locals
		r.number()
		r.Byte()
	}
	code, table, err := instructions(r)
	if errors.Is(err, errShape) || err == nil && table == nil {
		return body, nil
	}
	if err != nil {
		return nil, err
	}
	d, ok := findDispatch(code, table)
	if !ok || !d.private(code) {
		return body, nil
	}
	jumps, ok := d.forward(code)
	if !ok {
		return nil, fmt.Errorf("%w: unbalanced blocks", ErrMalformed)
	}
	return d.rewrite(body, code, jumps, m.entered(code, d, jumps, pc)), nil
}

// block is the local variable with the number of the block to go on with.
const block = 0

// dispatch is the loop around the table:
//
//	loop; block × n; local.get 0; br_table; end
type dispatch struct {
	table   []int
	loop    int // frames around the loop
	at      int // index of local.get
	targets int // blocks
}

func findDispatch(code []instruction, table []int) (d dispatch, ok bool) {
	d.table = table
	for d.at < len(code) && code[d.at].op != opBrTable {
		switch code[d.at].op {
		case opBlock, opLoop, opIf:
			d.loop++
		case opEnd:
			d.loop--
		}
		d.at++
	}
	d.at--
	i := d.at - 1
	for ; i >= 0 && code[i].is(opBlock, empty); i-- {
		d.targets++
	}
	d.loop -= d.targets + 1
	if i < 0 || !code[i].is(opLoop, empty) || !code[d.at].is(opLocalGet, block) || d.at+2 >= len(code) || code[d.at+2].op != opEnd {
		return d, false
	}
	for _, depth := range table {
		if depth >= d.targets {
			return d, false
		}
	}
	return d, true
}

// frame is the number of frames around the block that a table entry ends.
func (d *dispatch) frame(number int64) int {
	return d.loop + d.targets - d.table[min(number, int64(len(d.table)-1))]
}

// private reports that the number of the block is read nowhere but at the table,
// or just after it was written for another use.
func (d *dispatch) private(code []instruction) bool {
	for i, in := range code {
		switch {
		case in.is(opLocalTee, block):
			return false
		case in.is(opLocalGet, block) && i != d.at && !(i >= 2 && code[i-2].is(opLocalSet, block) && code[i-1].op == opI32Const):
			return false
		}
	}
	return true
}

// jump is a jump: i32.const number; local.set 0; br loop.
type jump struct {
	number int64
	depth  int // of the block that is left instead; -1 where the target lies behind
}

// forward finds the jumps, by the index of their first instruction.
func (d *dispatch) forward(code []instruction) (map[int]jump, bool) {
	jumps := make(map[int]jump)
	open := d.loop + 1 + d.targets
	for i := d.at + 2; i < len(code); i++ {
		switch in := code[i]; {
		case in.op == opBlock || in.op == opLoop || in.op == opIf:
			open++
		case in.op == opEnd:
			open--
		case in.op == opI32Const && i+2 < len(code) && code[i+1].is(opLocalSet, block) && code[i+2].is(opBr, int64(open-1-d.loop)):
			if in.imm < 0 || in.imm >= int64(len(d.table)) {
				return nil, false
			}
			j := jump{number: in.imm, depth: -1}
			if f := d.frame(in.imm); f < open {
				j.depth = open - 1 - f
			}
			jumps[i] = j
		}
	}
	return jumps, open == -1
}

// entered returns the numbers of the blocks that the table has to lead to:
// where the function begins, where loops begin, and what a call returns to when
// its function is entered again.
func (m *module) entered(code []instruction, d dispatch, jumps map[int]jump, pc int64) map[int64]bool {
	entered := map[int64]bool{0: true}
	for _, j := range jumps {
		if j.depth < 0 {
			entered[j.number] = true
		}
	}
	for i, in := range code {
		switch {
		case in.op == opCall && m.names[int(in.imm)] == "runtime.deferreturn": // recovering goes there
			for n := range d.table {
				entered[int64(n)] = true
			}
		case in.op == opI64Const && in.imm>>16 == pc && !m.never(code[i+1:]):
			entered[in.imm&0xffff] = true
		}
	}
	return entered
}

// never reports a return address of a call that does not return.
func (m *module) never(rest []instruction) bool {
	return len(rest) > 2 && rest[0].is(opI64Store, 0) && rest[1].is(opI32Const, 0) &&
		rest[2].op == opCall && m.names[int(rest[2].imm)] == "runtime.sigpanic"
}

// rewrite writes the function anew. Entries of the table for blocks that nothing
// enters by it lead to a trap, in a block of its own.
func (d *dispatch) rewrite(body []byte, code []instruction, jumps map[int]jump, entered map[int64]bool) []byte {
	out := append(make([]byte, 0, len(body)), body[:code[d.at].start]...)
	out = append(out, opBlock, empty)
	out = append(out, body[code[d.at].start:code[d.at].end]...)
	out = binary.AppendUvarint(append(out, opBrTable), uint64(len(d.table)-1))
	for number, depth := range d.table {
		if entered[int64(number)] {
			out = binary.AppendUvarint(out, uint64(depth+1))
		} else {
			out = append(out, 0)
		}
	}
	out = append(out, opEnd, opUnreachable)
	for i := d.at + 2; i < len(code); i++ {
		if j, ok := jumps[i]; ok && j.depth >= 0 {
			out = binary.AppendUvarint(append(out, opBr), uint64(j.depth))
			i += 2
			continue
		}
		out = append(out, body[code[i].start:code[i].end]...)
	}
	return out
}
