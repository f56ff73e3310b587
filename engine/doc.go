// Package engine admits, bounds, isolates and runs Wasm scanners, and merges
// what they say into one verdict.
//
// A scanner is a core Wasm module of the ABI in sdk/abi/ABI.md. Nothing about
// it is trusted: it is rewritten so that it pays for what it does,
// compiled in a process of its own, and run (engine/sandbox) from the same state
// in every call, under limits, without files, network, clock or entropy; and its
// answer is validated before it is believed. A scanner that fails is a [Failure], never a
// finding, and in enforce mode the message does not pass.
//
// The package knows no transport, no storage and no MCP client: it sees
// messages (engine/message) and nothing of where they came from.
package engine
