// Package e2e puts real MCP servers from npm and PyPI behind both doors of the
// built binaries, has a client work through all that they offer, and compares
// what is said on both sides of the gateway, byte for byte. The folder
// conformance does the same with the official conformance suite, from both of
// its sides, and the folder clients holds drivers of unmodified clients, which
// must bring home what they get directly; accuracy compares SBOMs; sarif holds the format's JSON schema.
// The package holds only tests, behind
// the build tag e2e (make e2e), and must know the system as an outsider does:
// commands, HTTP and bytes.
package e2e
