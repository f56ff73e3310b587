package admit

// weights is the fuel of each instruction; those without a row cost nothing,
// because no machine instruction is theirs (constants, local.get, drop, block,
// end). One unit is about the time of one simple machine instruction when all
// goes well. What can go badly weighs more, so that the fuel between two yields
// stands for a bounded time in the worst case too: a load may miss every cache,
// a store may fault its page in, a division may take forty cycles, an indirect
// call may be mispredicted.
var weights = []struct {
	first, last opcode
	weight      uint8
}{
	{opUnreachable, opUnreachable, 1},
	{opIf, opIf, 1},
	{opBr, opReturn, 1},
	{opCall, opCall, 4},
	{opCallIndirect, opCallIndirect, 8},
	{opSelect, opSelectT, 1},
	{opLocalSet, opLocalTee, 1},
	{opGlobalGet, opGlobalSet, 1},
	{opTableGet, opTableSet, 4},
	{0x28, 0x35, 2}, // loads
	{0x36, 0x3e, 8}, // stores
	{opMemorySize, opMemorySize, 1},
	{0x45, 0x68, 1}, // comparisons, clz
	{0x69, 0x69, 2}, // ctz, popcnt
	{0x6a, 0x6c, 1}, // i32.add, sub, mul
	{0x6d, 0x70, 4}, // i32.div, rem
	{0x71, 0x7a, 1},
	{0x7b, 0x7b, 2},
	{0x7c, 0x7e, 1}, // i64.add, sub, mul
	{0x7f, 0x82, 6}, // i64.div, rem
	{0x83, 0x8a, 1},
	{0x8b, 0x90, 1}, // f32.abs to nearest
	{0x91, 0x91, 4}, // f32.sqrt
	{0x92, 0x94, 1},
	{0x95, 0x95, 4}, // f32.div
	{0x96, 0x97, 2}, // f32.min, max
	{0x98, 0x9e, 1},
	{0x9f, 0x9f, 6}, // f64.sqrt
	{0xa0, 0xa2, 1},
	{0xa3, 0xa3, 4}, // f64.div
	{0xa4, 0xa5, 2}, // f64.min, max
	{0xa6, 0xa7, 1},
	{0xa8, 0xab, 3}, // i32.trunc
	{0xac, 0xad, 1},
	{0xae, 0xb1, 4}, // i64.trunc
	{0xb2, 0xbb, 2}, // f32.convert to f64.promote
	{0xbc, 0xc4, 1},
	{opRefIsNull, opRefIsNull, 1},
	{opRefFunc, opRefFunc, 4}, // a table.get
	{0xfc00, 0xfc07, 4},       // trunc_sat
	{opDataDrop, opDataDrop, 4},
	{opElemDrop, opElemDrop, 4},
	{opTableSize, opTableSize, 1},
	{0xfd00, 0xfd0a, 3},  // v128 loads
	{0xfd0b, 0xfd0b, 12}, // v128.store
	{0xfd0d, 0xfd53, 2},
	{0xfd54, 0xfd57, 4},
	{0xfd58, 0xfd5b, 6},
	{0xfd5c, 0xfd5d, 3},
	{0xfd5e, 0xfdff, 4},
}

// Fuel of what the table cannot say.
const (
	costLoop       = 1   // a loop head, besides what is in it
	costEntry      = 4   // a function, besides what is in it
	costHostCall   = 256 // a call to an import
	costMemoryGrow = 1000
	costPage       = 16 // a page of memory.grow
	costBulk       = 8  // memory.fill, copy and init, besides their length
	costTableBulk  = 32 // table.fill, copy, init and grow, besides their length
	costTableGrow  = 1000

	bulkShift = 4 // memory is 16 bytes a unit, tables one entry a unit
)
