// Package e2e puts real MCP servers from npm behind both doors of the built
// binaries and compares what a client receives with a direct connection, byte
// for byte. The folder conformance does the same with the official conformance
// suite, and the folder clients holds drivers of unmodified clients. The package holds only tests, behind
// the build tag e2e (make e2e), and must know the system as an outsider does:
// commands, HTTP and bytes.
package e2e
