package admit

// plainOps are the instructions whose type is fixed. A signature has operands,
// a colon, and at most one result: i i32, I i64, f f32, F f64, v v128.
// Source: core specification 5.4 and the instruction index of its appendix.
var plainOps = []struct {
	first, last opcode
	signature   string
	imm         immediate
	align       uint8 // largest exponent allowed
	lanes       uint8
}{
	// Memory.
	{0x28, 0x28, "i:i", immMemory, 2, 0}, // i32.load
	{0x29, 0x29, "i:I", immMemory, 3, 0}, // i64.load
	{0x2a, 0x2a, "i:f", immMemory, 2, 0}, // f32.load
	{0x2b, 0x2b, "i:F", immMemory, 3, 0}, // f64.load
	{0x2c, 0x2d, "i:i", immMemory, 0, 0}, // i32.load8
	{0x2e, 0x2f, "i:i", immMemory, 1, 0}, // i32.load16
	{0x30, 0x31, "i:I", immMemory, 0, 0}, // i64.load8
	{0x32, 0x33, "i:I", immMemory, 1, 0}, // i64.load16
	{0x34, 0x35, "i:I", immMemory, 2, 0}, // i64.load32
	{0x36, 0x36, "ii:", immMemory, 2, 0}, // i32.store
	{0x37, 0x37, "iI:", immMemory, 3, 0}, // i64.store
	{0x38, 0x38, "if:", immMemory, 2, 0}, // f32.store
	{0x39, 0x39, "iF:", immMemory, 3, 0}, // f64.store
	{0x3a, 0x3a, "ii:", immMemory, 0, 0}, // i32.store8
	{0x3b, 0x3b, "ii:", immMemory, 1, 0}, // i32.store16
	{0x3c, 0x3c, "iI:", immMemory, 0, 0}, // i64.store8
	{0x3d, 0x3d, "iI:", immMemory, 1, 0}, // i64.store16
	{0x3e, 0x3e, "iI:", immMemory, 2, 0}, // i64.store32

	// Constants.
	{0x41, 0x41, ":i", immI32, 0, 0},
	{0x42, 0x42, ":I", immI64, 0, 0},
	{0x43, 0x43, ":f", immF32, 0, 0},
	{0x44, 0x44, ":F", immF64, 0, 0},

	// Comparisons.
	{0x45, 0x45, "i:i", 0, 0, 0},  // i32.eqz
	{0x46, 0x4f, "ii:i", 0, 0, 0}, // i32
	{0x50, 0x50, "I:i", 0, 0, 0},  // i64.eqz
	{0x51, 0x5a, "II:i", 0, 0, 0}, // i64
	{0x5b, 0x60, "ff:i", 0, 0, 0}, // f32
	{0x61, 0x66, "FF:i", 0, 0, 0}, // f64

	// Arithmetic.
	{0x67, 0x69, "i:i", 0, 0, 0},  // i32.clz, ctz, popcnt
	{0x6a, 0x78, "ii:i", 0, 0, 0}, // i32
	{0x79, 0x7b, "I:I", 0, 0, 0},  // i64.clz, ctz, popcnt
	{0x7c, 0x8a, "II:I", 0, 0, 0}, // i64
	{0x8b, 0x91, "f:f", 0, 0, 0},  // f32.abs to sqrt
	{0x92, 0x98, "ff:f", 0, 0, 0}, // f32
	{0x99, 0x9f, "F:F", 0, 0, 0},  // f64.abs to sqrt
	{0xa0, 0xa6, "FF:F", 0, 0, 0}, // f64

	// Conversions.
	{0xa7, 0xa7, "I:i", 0, 0, 0}, // i32.wrap
	{0xa8, 0xa9, "f:i", 0, 0, 0}, // i32.trunc_f32
	{0xaa, 0xab, "F:i", 0, 0, 0}, // i32.trunc_f64
	{0xac, 0xad, "i:I", 0, 0, 0}, // i64.extend_i32
	{0xae, 0xaf, "f:I", 0, 0, 0}, // i64.trunc_f32
	{0xb0, 0xb1, "F:I", 0, 0, 0}, // i64.trunc_f64
	{0xb2, 0xb3, "i:f", 0, 0, 0}, // f32.convert_i32
	{0xb4, 0xb5, "I:f", 0, 0, 0}, // f32.convert_i64
	{0xb6, 0xb6, "F:f", 0, 0, 0}, // f32.demote
	{0xb7, 0xb8, "i:F", 0, 0, 0}, // f64.convert_i32
	{0xb9, 0xba, "I:F", 0, 0, 0}, // f64.convert_i64
	{0xbb, 0xbb, "f:F", 0, 0, 0}, // f64.promote
	{0xbc, 0xbc, "f:i", 0, 0, 0}, // i32.reinterpret
	{0xbd, 0xbd, "F:I", 0, 0, 0}, // i64.reinterpret
	{0xbe, 0xbe, "i:f", 0, 0, 0}, // f32.reinterpret
	{0xbf, 0xbf, "I:F", 0, 0, 0}, // f64.reinterpret
	{0xc0, 0xc1, "i:i", 0, 0, 0}, // i32.extend8_s, extend16_s
	{0xc2, 0xc4, "I:I", 0, 0, 0}, // i64.extend8_s to extend32_s
	{0xfc00, 0xfc01, "f:i", 0, 0, 0},
	{0xfc02, 0xfc03, "F:i", 0, 0, 0}, // trunc_sat
	{0xfc04, 0xfc05, "f:I", 0, 0, 0},
	{0xfc06, 0xfc07, "F:I", 0, 0, 0},

	// Vectors: memory, constants, lanes.
	{0xfd00, 0xfd00, "i:v", immMemory, 4, 0}, // v128.load
	{0xfd01, 0xfd06, "i:v", immMemory, 3, 0}, // v128.load8x8 to load32x2
	{0xfd07, 0xfd07, "i:v", immMemory, 0, 0}, // v128.load8_splat
	{0xfd08, 0xfd08, "i:v", immMemory, 1, 0},
	{0xfd09, 0xfd09, "i:v", immMemory, 2, 0},
	{0xfd0a, 0xfd0a, "i:v", immMemory, 3, 0},
	{0xfd0b, 0xfd0b, "iv:", immMemory, 4, 0}, // v128.store
	{0xfd0c, 0xfd0c, ":v", immV128, 0, 0},
	{0xfd0d, 0xfd0d, "vv:v", immShuffle, 0, 0},
	{0xfd0e, 0xfd0e, "vv:v", 0, 0, 0}, // i8x16.swizzle
	{0xfd0f, 0xfd11, "i:v", 0, 0, 0},  // splat
	{0xfd12, 0xfd12, "I:v", 0, 0, 0},
	{0xfd13, 0xfd13, "f:v", 0, 0, 0},
	{0xfd14, 0xfd14, "F:v", 0, 0, 0},
	{0xfd15, 0xfd16, "v:i", immLane, 0, 16}, // i8x16.extract_lane
	{0xfd17, 0xfd17, "vi:v", immLane, 0, 16},
	{0xfd18, 0xfd19, "v:i", immLane, 0, 8}, // i16x8
	{0xfd1a, 0xfd1a, "vi:v", immLane, 0, 8},
	{0xfd1b, 0xfd1b, "v:i", immLane, 0, 4}, // i32x4
	{0xfd1c, 0xfd1c, "vi:v", immLane, 0, 4},
	{0xfd1d, 0xfd1d, "v:I", immLane, 0, 2}, // i64x2
	{0xfd1e, 0xfd1e, "vI:v", immLane, 0, 2},
	{0xfd1f, 0xfd1f, "v:f", immLane, 0, 4}, // f32x4
	{0xfd20, 0xfd20, "vf:v", immLane, 0, 4},
	{0xfd21, 0xfd21, "v:F", immLane, 0, 2}, // f64x2
	{0xfd22, 0xfd22, "vF:v", immLane, 0, 2},
	{0xfd54, 0xfd54, "iv:v", immMemoryLane, 0, 16}, // v128.load8_lane
	{0xfd55, 0xfd55, "iv:v", immMemoryLane, 1, 8},
	{0xfd56, 0xfd56, "iv:v", immMemoryLane, 2, 4},
	{0xfd57, 0xfd57, "iv:v", immMemoryLane, 3, 2},
	{0xfd58, 0xfd58, "iv:", immMemoryLane, 0, 16}, // v128.store8_lane
	{0xfd59, 0xfd59, "iv:", immMemoryLane, 1, 8},
	{0xfd5a, 0xfd5a, "iv:", immMemoryLane, 2, 4},
	{0xfd5b, 0xfd5b, "iv:", immMemoryLane, 3, 2},
	{0xfd5c, 0xfd5c, "i:v", immMemory, 2, 0}, // v128.load32_zero
	{0xfd5d, 0xfd5d, "i:v", immMemory, 3, 0}, // v128.load64_zero

	// Vectors: arithmetic.
	{0xfd23, 0xfd4c, "vv:v", 0, 0, 0},  // comparisons
	{0xfd4d, 0xfd4d, "v:v", 0, 0, 0},   // v128.not
	{0xfd4e, 0xfd51, "vv:v", 0, 0, 0},  // v128.and to xor
	{0xfd52, 0xfd52, "vvv:v", 0, 0, 0}, // v128.bitselect
	{0xfd53, 0xfd53, "v:i", 0, 0, 0},   // v128.any_true
	{0xfd5e, 0xfd5f, "v:v", 0, 0, 0},   // demote, promote
	{0xfd60, 0xfd62, "v:v", 0, 0, 0},   // i8x16.abs, neg, popcnt
	{0xfd63, 0xfd64, "v:i", 0, 0, 0},   // i8x16.all_true, bitmask
	{0xfd65, 0xfd66, "vv:v", 0, 0, 0},  // i8x16.narrow
	{0xfd67, 0xfd6a, "v:v", 0, 0, 0},   // f32x4.ceil to nearest
	{0xfd6b, 0xfd6d, "vi:v", 0, 0, 0},  // i8x16 shifts
	{0xfd6e, 0xfd73, "vv:v", 0, 0, 0},  // i8x16.add to sub_sat
	{0xfd74, 0xfd75, "v:v", 0, 0, 0},   // f64x2.ceil, floor
	{0xfd76, 0xfd79, "vv:v", 0, 0, 0},  // i8x16.min, max
	{0xfd7a, 0xfd7a, "v:v", 0, 0, 0},   // f64x2.trunc
	{0xfd7b, 0xfd7b, "vv:v", 0, 0, 0},  // i8x16.avgr_u
	{0xfd7c, 0xfd7f, "v:v", 0, 0, 0},   // extadd_pairwise
	{0xfd80, 0xfd81, "v:v", 0, 0, 0},   // i16x8.abs, neg
	{0xfd82, 0xfd82, "vv:v", 0, 0, 0},  // i16x8.q15mulr_sat_s
	{0xfd83, 0xfd84, "v:i", 0, 0, 0},   // i16x8.all_true, bitmask
	{0xfd85, 0xfd86, "vv:v", 0, 0, 0},  // i16x8.narrow
	{0xfd87, 0xfd8a, "v:v", 0, 0, 0},   // i16x8.extend
	{0xfd8b, 0xfd8d, "vi:v", 0, 0, 0},  // i16x8 shifts
	{0xfd8e, 0xfd93, "vv:v", 0, 0, 0},  // i16x8.add to sub_sat
	{0xfd94, 0xfd94, "v:v", 0, 0, 0},   // f64x2.nearest
	{0xfd95, 0xfd99, "vv:v", 0, 0, 0},  // i16x8.mul, min, max
	{0xfd9b, 0xfd9f, "vv:v", 0, 0, 0},  // i16x8.avgr_u, extmul
	{0xfda0, 0xfda1, "v:v", 0, 0, 0},   // i32x4.abs, neg
	{0xfda3, 0xfda4, "v:i", 0, 0, 0},   // i32x4.all_true, bitmask
	{0xfda7, 0xfdaa, "v:v", 0, 0, 0},   // i32x4.extend
	{0xfdab, 0xfdad, "vi:v", 0, 0, 0},  // i32x4 shifts
	{0xfdae, 0xfdae, "vv:v", 0, 0, 0},  // i32x4.add
	{0xfdb1, 0xfdb1, "vv:v", 0, 0, 0},  // i32x4.sub
	{0xfdb5, 0xfdba, "vv:v", 0, 0, 0},  // i32x4.mul, min, max, dot
	{0xfdbc, 0xfdbf, "vv:v", 0, 0, 0},  // i32x4.extmul
	{0xfdc0, 0xfdc1, "v:v", 0, 0, 0},   // i64x2.abs, neg
	{0xfdc3, 0xfdc4, "v:i", 0, 0, 0},   // i64x2.all_true, bitmask
	{0xfdc7, 0xfdca, "v:v", 0, 0, 0},   // i64x2.extend
	{0xfdcb, 0xfdcd, "vi:v", 0, 0, 0},  // i64x2 shifts
	{0xfdce, 0xfdce, "vv:v", 0, 0, 0},  // i64x2.add
	{0xfdd1, 0xfdd1, "vv:v", 0, 0, 0},  // i64x2.sub
	{0xfdd5, 0xfddf, "vv:v", 0, 0, 0},  // i64x2.mul, comparisons, extmul
	{0xfde0, 0xfde1, "v:v", 0, 0, 0},   // f32x4.abs, neg
	{0xfde3, 0xfde3, "v:v", 0, 0, 0},   // f32x4.sqrt
	{0xfde4, 0xfdeb, "vv:v", 0, 0, 0},  // f32x4.add to pmax
	{0xfdec, 0xfded, "v:v", 0, 0, 0},   // f64x2.abs, neg
	{0xfdef, 0xfdef, "v:v", 0, 0, 0},   // f64x2.sqrt
	{0xfdf0, 0xfdf7, "vv:v", 0, 0, 0},  // f64x2.add to pmax
	{0xfdf8, 0xfdff, "v:v", 0, 0, 0},   // trunc_sat, convert
}
