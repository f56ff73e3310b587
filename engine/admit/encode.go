package admit

// encoder appends the binary format to a slice.
type encoder []byte

func (e *encoder) raw(b ...byte) { *e = append(*e, b...) }

func (e *encoder) u32(v uint32) {
	for v >= 0x80 {
		*e = append(*e, byte(v)|0x80)
		v >>= 7
	}
	*e = append(*e, byte(v))
}

func (e *encoder) s64(v int64) {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			*e = append(*e, c)
			return
		}
		*e = append(*e, c|0x80)
	}
}

// op appends an instruction whose immediates are indices.
func (e *encoder) op(op opcode, immediates ...uint32) {
	if op > 0xff {
		e.raw(byte(op >> 8))
		e.u32(uint32(op & 0xff))
	} else {
		e.raw(byte(op))
	}
	for _, v := range immediates {
		e.u32(v)
	}
}

func (e *encoder) i32(v int32) { e.raw(byte(opI32Const)); e.s64(int64(v)) }
func (e *encoder) i64(v int64) { e.raw(byte(opI64Const)); e.s64(v) }

func (e *encoder) name(s string) {
	e.u32(uint32(len(s)))
	*e = append(*e, s...)
}

func (e *encoder) bytes(b []byte) {
	e.u32(uint32(len(b)))
	*e = append(*e, b...)
}

func (e *encoder) section(id byte, contents []byte) {
	if len(contents) == 0 {
		return
	}
	e.raw(id)
	e.bytes(contents)
}

func (e *encoder) bounds(minimum, maximum uint64) {
	e.raw(1)
	e.u32(uint32(minimum))
	e.u32(uint32(maximum))
}
