// Package sandbox runs one WebAssembly module so that nothing in it can harm
// its host or remember its caller.
//
// A module is validated and rewritten (engine/admit), so that it pays fuel for
// what it does; compiled in a process of its own (engine/compile); instantiated
// and initialised once; and its memory and globals are photographed. Each call
// starts from that photograph, under limits of fuel, time, memory, depth and
// output. What goes wrong is a [Fault] of a closed kind with a sentence of the
// host's own.
//
// The package knows two calling forms and no messages, no manifests and no
// verdicts: bytes in, bytes out.
package sandbox
