// Package engine admits, bounds, isolates and runs Wasm scanners, and merges
// what they say into one verdict.
//
// A scanner is a core Wasm module of the ABI in sdk/abi/ABI.md. Nothing about
// it is trusted: it gets a fresh instance for every call, a memory cap, a
// deadline, no files, no network, no clock and no entropy, and its answer is
// validated before it is believed. A scanner that fails is a [Failure], never a
// finding, and in enforce mode the message does not pass.
//
// The package knows no transport, no storage and no MCP client: it sees
// messages (engine/message) and nothing of where they came from.
package engine
