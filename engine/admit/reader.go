package admit

import (
	"fmt"
	"unicode/utf8"
)

// reader decodes the primitive encodings (core specification 5.2). The first
// failure sticks: later reads return zero values, and loops test err.
type reader struct {
	b   []byte // the whole module: positions are offsets into the file
	pos int
	end int // reads stop here
	err error

	section  string // for messages
	function int    // one more than the index of the function, for messages
}

func (r *reader) fail(kind error, format string, args ...any) {
	if r.err == nil {
		where := ""
		if r.section != "" {
			where = r.section + " section, "
		}
		if r.function > 0 {
			where = fmt.Sprintf("function %d, ", r.function-1)
		}
		r.err = fmt.Errorf("%w: %soffset %#x: %s", kind, where, r.pos, fmt.Sprintf(format, args...))
	}
	r.end = r.pos
}

func (r *reader) more() bool { return r.pos < r.end }

func (r *reader) byte() byte {
	if r.pos >= r.end {
		r.fail(ErrMalformed, "unexpected end")
		return 0
	}
	c := r.b[r.pos]
	r.pos++
	return c
}

// take returns the next n bytes without copying them.
func (r *reader) take(n uint64) []byte {
	if n > uint64(r.end-r.pos) {
		r.fail(ErrMalformed, "%d bytes wanted, %d left", n, r.end-r.pos)
		return nil
	}
	s := r.b[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return s
}

func (r *reader) u32() uint32 {
	if r.pos < r.end { // most are one byte
		if c := r.b[r.pos]; c < 0x80 {
			r.pos++
			return uint32(c)
		}
	}
	return uint32(r.unsigned(32))
}

func (r *reader) s32() int32 { return int32(r.signed(32)) }
func (r *reader) s33() int64 { return r.signed(33) }
func (r *reader) s64() int64 { return r.signed(64) }

// unsigned reads a LEB128 of at most the given bits: not longer than they need,
// and with no bit set beyond them.
func (r *reader) unsigned(bits uint) uint64 {
	var v uint64
	for shift := uint(0); ; shift += 7 {
		c := r.byte()
		v |= uint64(c&0x7f) << shift
		if left := bits - shift; left < 8 && c>>left != 0 {
			r.fail(ErrMalformed, "integer of more than %d bits", bits)
			return 0
		}
		if c < 0x80 {
			return v
		}
	}
}

// signed reads a signed LEB128; the bits beyond the given ones repeat the sign.
func (r *reader) signed(bits uint) int64 {
	var v int64
	for shift := uint(0); ; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		if left := bits - shift; left < 8 {
			// The sign bit and what lies above it must be all zeros or all
			// ones, and no byte may follow.
			top := c & 0x7f >> (left - 1)
			if c >= 0x80 || top != 0 && top != 0x7f>>(left-1) {
				r.fail(ErrMalformed, "integer of more than %d bits", bits)
				return 0
			}
		}
		if c < 0x80 {
			if shift+7 < 64 && c&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
}

func (r *reader) name() string {
	s := r.take(uint64(r.u32()))
	if !utf8.Valid(s) {
		r.fail(ErrMalformed, "name is not UTF-8")
		return ""
	}
	return string(s)
}

// count reads the length of a vector. Every element takes a byte at least, so
// a count beyond the bytes left is refused before anything is allocated for it.
func (r *reader) count(what string, limit int) int {
	n := r.u32()
	if uint64(n) > uint64(limit) {
		r.fail(ErrCost, "%d %s, at most %d are allowed", n, what, limit)
		return 0
	}
	if uint64(n) > uint64(r.end-r.pos) {
		r.fail(ErrMalformed, "%d %s in %d bytes", n, what, r.end-r.pos)
		return 0
	}
	return int(n)
}
