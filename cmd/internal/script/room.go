package script

import (
	"fmt"

	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// Instructions that the value of a global is made of.
const (
	opEnd       = 0x0b
	opGlobalGet = 0x23
	opI32Const  = 0x41
	opI64Const  = 0x42
	opF32Const  = 0x43
	opF64Const  = 0x44
)

// room returns the address that the template exports.
func room(sections []wasmsection.Section) (int32, error) {
	body := map[byte][]byte{}
	for _, s := range sections {
		if s.ID != wasmsection.IDCustom {
			body[s.ID] = s.Body
		}
	}
	index, ok := exportedGlobal(body[sectionExport])
	if !ok {
		return 0, fmt.Errorf("%w: it exports no global %s", ErrTemplate, roomName)
	}
	imported, ok := importedGlobals(body[sectionImport])
	if !ok || index < imported {
		return 0, fmt.Errorf("%w: %s is imported", ErrTemplate, roomName)
	}
	address, ok := globalValue(body[sectionGlobal], index-imported)
	if !ok {
		return 0, fmt.Errorf("%w: %s is no address", ErrTemplate, roomName)
	}
	return address, nil
}

func exportedGlobal(body []byte) (index uint32, found bool) {
	r := reader{b: body}
	for range r.u32() {
		name, kind, index := r.bytes(r.u32()), r.byte(), r.u32()
		if r.bad {
			return 0, false
		}
		if kind == kindGlobal && string(name) == roomName {
			return index, true
		}
	}
	return 0, false
}

// importedGlobals counts the imports of a template, which are functions: there
// are none, or it is no template.
func importedGlobals(body []byte) (n uint32, ok bool) {
	r := reader{b: body}
	for range r.u32() {
		r.bytes(r.u32()) // module
		r.bytes(r.u32()) // name
		if kind := r.byte(); kind != 0 || r.bad {
			return 0, false
		}
		r.u32() // type
	}
	return 0, !r.bad
}

// globalValue returns what an immutable global of 32 bits is.
func globalValue(body []byte, index uint32) (int32, bool) {
	r := reader{b: body}
	for i := range r.u32() {
		r.byte() // type
		mutable := r.byte() != 0
		op, value := r.byte(), int64(0)
		switch op {
		case opI32Const, opI64Const:
			value = r.sleb()
		case opF32Const:
			r.bytes(4)
		case opF64Const:
			r.bytes(8)
		case opGlobalGet:
			r.u32()
		default:
			return 0, false
		}
		if r.byte() != opEnd || r.bad {
			return 0, false
		}
		if i == index {
			return int32(value), op == opI32Const && !mutable
		}
	}
	return 0, false
}

// reader reads the binary format's primitives; after a fault it stays bad.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) byte() byte {
	if b := r.bytes(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) bytes(n uint32) []byte {
	if r.bad || uint64(n) > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) u32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return uint32(v)
		}
	}
	r.bad = true
	return 0
}

func (r *reader) sleb() int64 {
	var v int64
	for shift := 0; shift < 70; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << min(shift, 63)
		if c < 0x80 {
			if c&0x40 != 0 && shift+7 < 64 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	r.bad = true
	return 0
}
