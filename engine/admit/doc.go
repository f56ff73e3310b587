// Package admit decides which WebAssembly modules may run and rewrites those
// that may, so that whoever runs them keeps control of time, stack and state.
//
// Parse decodes and validates a module by the rules of the WebAssembly core
// specification 2.0 and refuses what would cost too much to compile or to
// instantiate. Instrument writes the module anew with fuel metering, a call
// depth counter, a flag for state that cannot be reset, and its mutable globals
// exported.
//
// The guest cannot reach what is added: every index in its code was checked
// against the counts of the original module, and everything added comes after.
//
// Fuel is charged before the work it is for, in a way that depends on the module
// and its input alone. A host keeps it so by never granting beyond its limit: it
// grants the smaller of a quantum and what is left of the limit, and gives up at
// the yield that finds nothing left. What a call has spent is what was granted
// minus ExportFuel; after a trap that is the fuel as last written back, because
// functions with loops keep it in a local while they run.
//
// It is a transformation of bytes. It must not know which engine runs the
// result, nor what the guest is for.
package admit

import "errors"

// Every refusal wraps one of these; its text says what was wrong, where, and
// which bound was passed.
var (
	// ErrMalformed means that the bytes do not follow the binary format.
	ErrMalformed = errors.New("admit: malformed module")
	// ErrInvalid means that the module breaks a validation rule.
	ErrInvalid = errors.New("admit: invalid module")
	// ErrUnsupported means a feature outside core 2.0, or one that would take a
	// part of the guest's state out of the host's hands.
	ErrUnsupported = errors.New("admit: unsupported module")
	// ErrCost means that a static bound on size or complexity was passed.
	ErrCost = errors.New("admit: module too costly")
)

// Names that Instrument adds to a module. A guest that uses the import module
// or an export name with this prefix is refused.
const (
	HostModule  = "bartizan:meter"
	ImportYield = "yield" // (left i64) -> i64: called when fuel has fallen below zero, with what is left; returns the new fuel
	ImportDepth = "depth" // () -> (): called when depth has fallen below zero; it must not return

	ExportFuel  = "bartizan:fuel"  // mutable i64, set by the host before every entry
	ExportDepth = "bartizan:depth" // mutable i32, set by the host before every entry
	ExportDirty = "bartizan:dirty" // mutable i32, DirtyTables or DirtyMemory once the guest has left a state that it did not find
	ExportStart = "bartizan:start" // the start function, which no longer runs by itself

	DirtyTables = 1 // it changed a table or dropped a segment
	DirtyMemory = 2 // it was refused more memory

	reserved     = "bartizan:"
	exportGlobal = "bartizan:global." // followed by the index of a mutable global
)
