// Command bartizan-gateway is door 2 alone: the data plane that stands beside
// the agents and follows a remote registry. It links no SBOM machinery, no web
// framework and no SQL. trust.json must have been installed by hand.
package main

import "github.com/bartizan-mcp/bartizan/cmd/internal/gatewaycmd"

func main() { gatewaycmd.Main() }
