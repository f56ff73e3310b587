//go:build wasip1

package scanner

import (
	"runtime"
	"unsafe"
)

// The exports of the scanner ABI. The host enters from one goroutine, in the
// order alloc, init, alloc, scan, and never during a call. After init it takes
// a snapshot, and every later call starts from that: what a call leaves behind
// is gone. What is made here in advance therefore costs a call nothing, and
// each page of memory that a call does not touch need not be put back.

const (
	readyInput  = 256 << 10 // an input without a long listing
	readyOutput = 4 << 10   // an answer of some findings
	maxInput    = 1 << 30   // bounds one allocation; the host sends far less
)

// Words, so that the address is 8-aligned.
var room = make([]uint64, readyInput/8)

// given is what the host asked for and may write to. It is kept alive here.
var given []byte

// Where inputs are decoded and answers encoded.
var (
	decoded = Input{Segments: make([]Segment, 0, 64), Hits: make([]Hit, 0, 64)}
	encoded = make([]byte, 0, readyOutput)
)

// answer keeps the latest answer alive until the host has read it.
var answer []byte

//go:wasmexport bartizan_alloc
func alloc(size int32) unsafe.Pointer {
	if size < 0 || size > maxInput {
		return nil
	}
	if words := int(size)/8 + 1; words > len(room) {
		room = make([]uint64, words)
	}
	ptr := unsafe.Pointer(unsafe.SliceData(room))
	given = unsafe.Slice((*byte)(ptr), size)
	return ptr
}

//go:wasmexport bartizan_init
func initialise(ptr unsafe.Pointer, size int32) int32 {
	config, ok := take(ptr, size)
	if !ok {
		return 1
	}
	// A copy: the author may keep it, and the room is written to again.
	if err := Configure(append([]byte(nil), config...)); err != nil {
		report(err)
		return 1
	}
	// What init left behind is room for the calls: a memory that grows in a call
	// cannot be put back, and the host would have to make another instance.
	runtime.GC()
	return 0
}

//go:wasmexport bartizan_scan
func scan(ptr unsafe.Pointer, size int32) int64 {
	input, ok := take(ptr, size)
	if !ok {
		return 0
	}
	out, err := exec(&decoded, input, encoded)
	if err != nil || len(out) == 0 {
		report(err)
		return 0
	}
	answer = out
	at := uint32(uintptr(unsafe.Pointer(unsafe.SliceData(out))))
	return int64(uint64(at)<<32 | uint64(len(out)))
}

// take returns what the host was given, once, if it points there.
func take(ptr unsafe.Pointer, size int32) ([]byte, bool) {
	b := given
	given = nil
	if size == 0 {
		return nil, true
	}
	return b, len(b) == int(size) && unsafe.Pointer(unsafe.SliceData(b)) == ptr
}

// report writes to standard error, which is the bounded log that `bartizan
// scanner run` shows. The builtin needs no package of files.
func report(err error) {
	if err != nil {
		print(err.Error(), "\n")
	}
}
