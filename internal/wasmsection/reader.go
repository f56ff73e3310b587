package wasmsection

import "unicode/utf8"

// Reader reads the primitives of the binary format. After a fault it stays Bad
// and every value is zero, so that it is enough to ask once at the end.
type Reader struct {
	b   []byte
	pos int
	bad bool
}

// NewReader reads from b, and shares its memory.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Bad reports whether anything that was read so far was not there or malformed.
func (r *Reader) Bad() bool { return r.bad }

// More reports whether there is anything left to read.
func (r *Reader) More() bool { return !r.bad && r.pos < len(r.b) }

// Pos is how many bytes were read.
func (r *Reader) Pos() int { return r.pos }

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if b := r.Bytes(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// Bytes reads n bytes.
func (r *Reader) Bytes(n uint32) []byte {
	if r.bad || uint64(n) > uint64(len(r.b)-r.pos) {
		r.bad = true
		return nil
	}
	b := r.b[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return b
}

// U32 reads an unsigned LEB128 of at most five bytes.
func (r *Reader) U32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		c := r.Byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 && !r.bad {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	r.bad = true
	return 0
}

// S64 reads a signed LEB128 of at most ten bytes.
func (r *Reader) S64() int64 {
	var v int64
	for shift := 0; shift < 70; shift += 7 {
		c := r.Byte()
		v |= int64(c&0x7f) << shift
		if c < 0x80 && !r.bad {
			if shift == 63 && c != 0 && c != 0x7f { // only the sign is left to say
				break
			}
			if c&0x40 != 0 && shift < 57 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	r.bad = true
	return 0
}

// Name reads a length and as many bytes of UTF-8.
func (r *Reader) Name() string {
	s := string(r.Bytes(r.U32()))
	if !utf8.ValidString(s) {
		r.bad = true
		return ""
	}
	return s
}

// AppendS64 appends v in the fewest bytes that S64 reads it from. Unsigned
// numbers are what encoding/binary calls a uvarint.
func AppendS64(b []byte, v int64) []byte {
	for {
		low := byte(v & 0x7f)
		v >>= 7
		if v == 0 && low&0x40 == 0 || v == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}
