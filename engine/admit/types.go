package admit

func isReference(t byte) bool { return t == typeFunc || t == typeExtern }

func typeName(t byte) string {
	switch t {
	case typeI32:
		return "i32"
	case typeI64:
		return "i64"
	case typeF32:
		return "f32"
	case typeF64:
		return "f64"
	case typeV128:
		return "v128"
	case typeFunc:
		return "funcref"
	case typeExtern:
		return "externref"
	}
	return "unknown"
}

func (r *reader) valueType() byte {
	t := r.byte()
	if r.err == nil && typeName(t) == "unknown" {
		r.fail(ErrMalformed, "value type %#x", t)
	}
	return t
}

func (r *reader) refType() byte {
	t := r.byte()
	if r.err == nil && !isReference(t) {
		r.fail(ErrMalformed, "reference type %#x", t)
	}
	return t
}

// valueTypes returns a part of the module's bytes.
func (r *reader) valueTypes(what string, limit int) []byte {
	n := r.count(what, limit)
	at := r.pos
	for range n {
		r.valueType()
	}
	if r.err != nil {
		return nil
	}
	return r.b[at:r.pos:r.pos]
}

// index reads an index below n.
func (r *reader) index(what string, n int) uint32 {
	i := r.u32()
	if r.err == nil && uint64(i) >= uint64(n) {
		r.fail(ErrInvalid, "%s %d does not exist", what, i)
		return 0
	}
	return i
}

// bounds reads the limits of a table or memory.
func (r *reader) bounds(what string, most uint64) bounds {
	flags := r.byte()
	if r.err == nil && flags > 1 {
		if flags < 8 {
			r.fail(ErrUnsupported, "%s with flags %#x (shared or 64 bit)", what, flags)
		} else {
			r.fail(ErrMalformed, "%s with flags %#x", what, flags)
		}
	}
	b := bounds{min: uint64(r.u32())}
	if flags == 1 {
		m := uint64(r.u32())
		b.max = &m
		if m > most || m < b.min {
			r.fail(ErrInvalid, "%s of %d to %d, at most %d", what, b.min, m, most)
		}
	}
	if b.min > most {
		r.fail(ErrInvalid, "%s of %d, at most %d", what, b.min, most)
	}
	return b
}
