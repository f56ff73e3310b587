package admit

// opcode is an instruction's byte, or its prefix byte and the number after it.
type opcode uint16

const (
	opUnreachable  opcode = 0x00
	opNop          opcode = 0x01
	opBlock        opcode = 0x02
	opLoop         opcode = 0x03
	opIf           opcode = 0x04
	opElse         opcode = 0x05
	opEnd          opcode = 0x0b
	opBr           opcode = 0x0c
	opBrIf         opcode = 0x0d
	opBrTable      opcode = 0x0e
	opReturn       opcode = 0x0f
	opCall         opcode = 0x10
	opCallIndirect opcode = 0x11
	opDrop         opcode = 0x1a
	opSelect       opcode = 0x1b
	opSelectT      opcode = 0x1c
	opLocalGet     opcode = 0x20
	opLocalSet     opcode = 0x21
	opLocalTee     opcode = 0x22
	opGlobalGet    opcode = 0x23
	opGlobalSet    opcode = 0x24
	opTableGet     opcode = 0x25
	opTableSet     opcode = 0x26
	opMemorySize   opcode = 0x3f
	opMemoryGrow   opcode = 0x40
	opI32Const     opcode = 0x41
	opI64Const     opcode = 0x42
	opI32LtS       opcode = 0x48
	opI32GtU       opcode = 0x4b
	opI32LeU       opcode = 0x4d
	opI64GtU       opcode = 0x56
	opI64GeS       opcode = 0x59
	opI32Add       opcode = 0x6a
	opI32Sub       opcode = 0x6b
	opI64Add       opcode = 0x7c
	opI64Sub       opcode = 0x7d
	opI64Mul       opcode = 0x7e
	opI64Shl       opcode = 0x86
	opI64ShrU      opcode = 0x88
	opF32Copysign  opcode = 0x98
	opF64Copysign  opcode = 0xa6
	opI64ExtendU   opcode = 0xad
	opRefNull      opcode = 0xd0
	opRefIsNull    opcode = 0xd1
	opRefFunc      opcode = 0xd2
	opMemoryInit   opcode = 0xfc08
	opDataDrop     opcode = 0xfc09
	opMemoryCopy   opcode = 0xfc0a
	opMemoryFill   opcode = 0xfc0b
	opTableInit    opcode = 0xfc0c
	opElemDrop     opcode = 0xfc0d
	opTableCopy    opcode = 0xfc0e
	opTableGrow    opcode = 0xfc0f
	opTableSize    opcode = 0xfc10
	opTableFill    opcode = 0xfc11
	opV128Or       opcode = 0xfd50
	opV128Const    opcode = 0xfd0c
)

// immediate says what follows an opcode in the code.
type immediate uint8

const (
	immIllegal immediate = iota // the opcode does not exist
	immNone
	immBlock     // block type
	immIndex     // one index
	immTwo       // two indices
	immBrTable   // vector of labels, default label
	immTypes     // vector of value types
	immRefType   // reference type
	immZero      // one zero byte: the memory
	immZeroZero  // two of them
	immIndexZero // index, then the memory
	immMemory    // alignment, offset
	immMemoryLane
	immLane
	immI32
	immI64
	immF32
	immF64
	immV128
	immShuffle
)

// instruction describes an opcode. Those whose typing depends on their
// immediates have an empty signature and a case in the validator.
type instruction struct {
	imm    immediate
	plain  bool // typed by pops and push alone
	align  uint8
	lanes  uint8
	weight uint8 // fuel; see weights.go
	push   byte  // 0: nothing
	npop   uint8
	pops   [3]byte // in the order of the stack, last one on top
}

// instructions has one row for each: 0 single bytes, 1 prefix 0xfc, 2 prefix 0xfd.
var instructions [3][256]instruction

func (op opcode) info() *instruction {
	switch op >> 8 {
	case 0xfc:
		return &instructions[1][op&0xff]
	case 0xfd:
		return &instructions[2][op&0xff]
	}
	return &instructions[0][op&0xff]
}

// letters of signatures.
var letters = map[rune]byte{
	'i': typeI32, 'I': typeI64, 'f': typeF32, 'F': typeF64, 'v': typeV128,
}

func init() {
	for op, imm := range special {
		op.info().imm = imm
	}
	for _, row := range plainOps {
		for op := row.first; op <= row.last; op++ {
			in := op.info()
			*in = instruction{imm: immNone, plain: true, align: row.align, lanes: row.lanes}
			if row.imm != immIllegal {
				in.imm = row.imm
			}
			results := false
			for _, c := range row.signature {
				switch {
				case c == ':':
					results = true
				case results:
					in.push = letters[c]
				default:
					in.pops[in.npop] = letters[c]
					in.npop++
				}
			}
		}
	}
	for _, row := range weights {
		for op := row.first; op <= row.last; op++ {
			op.info().weight = row.weight
		}
	}
}

// special are the instructions that the validator treats one by one.
var special = map[opcode]immediate{
	opUnreachable: immNone, opNop: immNone, opBlock: immBlock, opLoop: immBlock,
	opIf: immBlock, opElse: immNone, opEnd: immNone, opBr: immIndex,
	opBrIf: immIndex, opBrTable: immBrTable, opReturn: immNone, opCall: immIndex,
	opCallIndirect: immTwo, opDrop: immNone, opSelect: immNone, opSelectT: immTypes,
	opLocalGet: immIndex, opLocalSet: immIndex, opLocalTee: immIndex,
	opGlobalGet: immIndex, opGlobalSet: immIndex, opTableGet: immIndex,
	opTableSet: immIndex, opMemorySize: immZero, opMemoryGrow: immZero,
	opRefNull: immRefType, opRefIsNull: immNone, opRefFunc: immIndex,
	opMemoryInit: immIndexZero, opDataDrop: immIndex, opMemoryCopy: immZeroZero,
	opMemoryFill: immZero, opTableInit: immTwo, opElemDrop: immIndex,
	opTableCopy: immTwo, opTableGrow: immIndex, opTableSize: immIndex,
	opTableFill: immIndex,
}
