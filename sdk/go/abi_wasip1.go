//go:build wasip1

package scanner

import (
	"os"
	"unsafe"
)

// The exports of the scanner ABI. The host enters from one goroutine, in the
// order alloc, init, alloc, scan, and never during a call.

// buffers keeps what the host was given alive and is the only memory that it
// may point back at.
var buffers = map[uint32][]byte{}

// answer keeps the last output alive until the host has read it.
var answer []byte

// maxInput bounds one allocation; the host sends windows far smaller.
const maxInput = 1 << 30

//go:wasmexport bartizan_alloc
func alloc(size int32) unsafe.Pointer {
	if size < 0 || size > maxInput {
		return nil
	}
	words := make([]uint64, int(size)/8+1) // words, so that the address is 8-aligned
	ptr := unsafe.Pointer(unsafe.SliceData(words))
	buffers[uint32(uintptr(ptr))] = unsafe.Slice((*byte)(ptr), size)
	return ptr
}

//go:wasmexport bartizan_init
func initialise(ptr unsafe.Pointer, size int32) int32 {
	config, ok := buffer(ptr, size)
	if !ok {
		return 1
	}
	if err := Configure(config); err != nil {
		report(err)
		return 1
	}
	return 0
}

//go:wasmexport bartizan_scan
func scan(ptr unsafe.Pointer, size int32) int64 {
	input, ok := buffer(ptr, size)
	if !ok {
		return 0
	}
	out, err := Exec(input)
	if err != nil || len(out) == 0 {
		report(err)
		return 0
	}
	answer = out
	at := uint32(uintptr(unsafe.Pointer(unsafe.SliceData(answer))))
	return int64(uint64(at)<<32 | uint64(len(answer)))
}

// buffer returns and releases the allocation that the host points at.
func buffer(ptr unsafe.Pointer, size int32) ([]byte, bool) {
	if size == 0 {
		return nil, true
	}
	key := uint32(uintptr(ptr))
	b, ok := buffers[key]
	delete(buffers, key)
	return b, ok && len(b) == int(size)
}

// report writes to the bounded log that `bartizan scanner run` shows.
func report(err error) {
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
	}
}
