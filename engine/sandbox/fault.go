package sandbox

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of this package, beside [Fault] and those of engine/admit and
// engine/compile, which say why a module was not admitted.
var (
	// ErrExports means that an export is missing or has the wrong type.
	ErrExports = errors.New("scanner exports")
	// ErrImports means that an import is not provided or has the wrong type.
	ErrImports = errors.New("scanner imports")
	// ErrLimits means that a module wants more than its limits.
	ErrLimits = errors.New("scanner limits")
	// ErrHost means that this machine did not provide what a sandbox needs.
	ErrHost = errors.New("sandbox")
)

// Kind says how a guest failed.
type Kind string

// Kinds of faults.
const (
	Trap     Kind = "trap"
	Fuel     Kind = "fuel"
	Deadline Kind = "deadline"
	Memory   Kind = "memory"
	Depth    Kind = "depth"
	Output   Kind = "output"
)

// Breach says which rule of the ABI a fault of kind [Output] broke.
type Breach string

// The breaches. What is wrong inside of an answer is not seen here.
const (
	NoRoom        Breach = "no room"        // bartizan_alloc returned 0
	Misaligned    Breach = "misaligned"     // an address that is no multiple of 8
	RoomOutside   Breach = "room outside"   // room that ends beyond the memory
	InitRefused   Breach = "init refused"   // bartizan_init returned another number than 0
	NoAnswer      Breach = "no answer"      // bartizan_scan returned 0
	AnswerLong    Breach = "answer long"    // more bytes than its limit
	AnswerOutside Breach = "answer outside" // an answer that ends beyond the memory
)

// Fault is a guest that did not answer. Detail is written by the host alone.
type Fault struct {
	Kind   Kind
	Detail string
	Breach Breach // of kind Output
}

// Error implements error.
func (f *Fault) Error() string { return string(f.Kind) + ": " + f.Detail }

func fault(kind Kind, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

func breach(b Breach, format string, args ...any) *Fault {
	return &Fault{Kind: Output, Detail: fmt.Sprintf(format, args...), Breach: b}
}

// errPanic is a fault of the Wasm runtime itself that a module brought about.
var errPanic = errors.New("panic in the Wasm runtime")

// contain keeps a module that finds such a fault from ending the process.
func contain(err *error) {
	if r := recover(); r != nil {
		*err = errPanic
	}
}

// traps are the texts of wazero's runtime errors, which it does not export.
var traps = []string{
	"unreachable", "out of bounds memory access", "invalid table access",
	"indirect call type mismatch", "integer divide by zero", "integer overflow",
	"invalid conversion to integer", errPanic.Error(),
}

const stackOverflow = "stack overflow"

// classify names an error of the runtime, whose text may hold names that the
// guest chose.
func classify(where string, err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	text := strings.TrimPrefix(err.Error(), "wasm error: ")
	if text == stackOverflow {
		return fault(Depth, "%s overflowed the stack", where)
	}
	for _, known := range traps {
		if text == known {
			return fault(Trap, "%s trapped: %s", where, known)
		}
	}
	return fault(Trap, "%s trapped for a reason unknown", where)
}
