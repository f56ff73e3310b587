package admit

// code reads instructions one by one. The fields describe the last one read.
type code struct {
	reader
	at      int // where the instruction begins
	op      opcode
	info    *instruction
	x, y    uint32   // indices, in order; an alignment and an offset or lane
	types   []byte   // of a typed select
	targets []uint32 // of a br_table, the default last; valid until the next one
	block   blockType
}

// blockType is the encoding of a block's type.
type blockType struct {
	index  int64 // of a function type, if not negative
	single byte  // or the one result, 0 for none
}

// next reads an instruction; false means the end or a failure.
func (c *code) next() bool {
	if c.err != nil || c.pos >= c.end {
		return false
	}
	c.at = c.pos
	first := c.b[c.pos]
	c.pos++
	c.op = opcode(first)
	if first == 0xfc || first == 0xfd {
		sub := c.unpadded()
		if sub > 0xff {
			c.fail(ErrUnsupported, "instruction %#x %#x", first, sub)
			return false
		}
		c.op = opcode(first)<<8 | opcode(sub)
	}
	c.info = c.op.info()
	switch c.info.imm {
	case immNone:
	case immIndex:
		c.x = c.u32()
	case immI32:
		c.x = uint32(c.s32())
	case immMemory:
		c.x = c.u32()
		c.u32()
	default:
		c.rare()
	}
	return c.err == nil
}

// rare reads the immediates of less frequent instructions.
func (c *code) rare() {
	switch c.info.imm {
	case immIllegal:
		c.pos = c.at
		c.fail(ErrUnsupported, "instruction %#x", uint16(c.op))
	case immBlock:
		c.readBlockType()
	case immTwo:
		c.x = c.u32()
		c.y = c.u32()
	case immBrTable:
		c.targets = c.targets[:0]
		n := c.u32()
		if uint64(n) > uint64(c.end-c.pos) {
			c.fail(ErrMalformed, "%d labels in %d bytes", n, c.end-c.pos)
			return
		}
		for i := uint64(0); i <= uint64(n) && c.err == nil; i++ {
			c.targets = append(c.targets, c.u32())
		}
	case immTypes:
		at := c.pos
		c.unpadded()
		c.pos = at
		c.types = c.valueTypes("types of a select", 1<<10)
	case immRefType:
		c.x = uint32(c.refType())
	case immZero:
		c.zero()
	case immZeroZero:
		c.zero()
		c.zero()
	case immIndexZero:
		c.x = c.u32()
		c.zero()
	case immMemoryLane:
		c.x = c.u32()
		c.u32()
		c.y = uint32(c.byte())
	case immLane:
		c.y = uint32(c.byte())
	case immI64:
		c.s64()
	case immF32:
		c.take(4)
	case immF64:
		c.take(8)
	case immV128:
		c.take(16)
	case immShuffle:
		for _, lane := range c.take(16) {
			if lane >= 32 {
				c.fail(ErrInvalid, "shuffle lane %d", lane)
			}
		}
	}
}

// unpadded reads an integer in its shortest form. The format allows others, but
// engines are known to read some of these integers as one byte, so that they and
// this package would go on at different places in the code.
func (c *code) unpadded() uint32 {
	v := c.u32()
	if c.err == nil && c.pos-c.at > 2 && c.b[c.pos-1] == 0 {
		c.fail(ErrUnsupported, "padded integer in an opcode")
	}
	return v
}

func (c *code) zero() {
	if c.byte() != 0 {
		c.fail(ErrMalformed, "memory index that is not zero")
	}
}

func (c *code) readBlockType() {
	c.block = blockType{index: -1}
	if c.pos < c.end {
		switch t := c.b[c.pos]; {
		case t == 0x40:
			c.pos++
			return
		case typeName(t) != "unknown":
			c.pos++
			c.block.single = t
			return
		}
	}
	if c.block.index = c.s33(); c.block.index < 0 {
		c.fail(ErrMalformed, "block type %d", c.block.index)
	}
}
