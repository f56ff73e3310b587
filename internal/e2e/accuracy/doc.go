// Package accuracy holds the SBOMs of real MCP servers, installed at pinned
// versions, against what their own ecosystem's tool says is installed, and those
// of other tools beside them. It writes the table of docs/sbom.md. The package
// holds only tests, behind the build tag e2e (make e2e), and must know bartizan
// as a command.
package accuracy
