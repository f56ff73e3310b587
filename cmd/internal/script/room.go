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
	r := wasmsection.NewReader(body)
	for range r.U32() {
		name, kind, index := r.Bytes(r.U32()), r.Byte(), r.U32()
		if r.Bad() {
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
	r := wasmsection.NewReader(body)
	for range r.U32() {
		r.Bytes(r.U32()) // module
		r.Bytes(r.U32()) // name
		if kind := r.Byte(); kind != 0 || r.Bad() {
			return 0, false
		}
		r.U32() // type
	}
	return 0, !r.Bad()
}

// globalValue returns what an immutable global of 32 bits is.
func globalValue(body []byte, index uint32) (int32, bool) {
	r := wasmsection.NewReader(body)
	for i := range r.U32() {
		r.Byte() // type
		mutable := r.Byte() != 0
		op, value := r.Byte(), int64(0)
		switch op {
		case opI32Const, opI64Const:
			value = r.S64()
		case opF32Const:
			r.Bytes(4)
		case opF64Const:
			r.Bytes(8)
		case opGlobalGet:
			r.U32()
		default:
			return 0, false
		}
		if r.Byte() != opEnd || r.Bad() {
			return 0, false
		}
		if i == index {
			return int32(value), op == opI32Const && !mutable
		}
	}
	return 0, false
}
