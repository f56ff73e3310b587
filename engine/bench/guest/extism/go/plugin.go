//go:build wasip1

// Command go is the example of the SDK in Go (sdk/examples/go, which the build
// puts beside this file) as a plugin of Extism: the same code, on the same input.
package main

import (
	pdk "github.com/extism/go-pdk"

	scanner "github.com/bartizan-mcp/bartizan/sdk/go"
)

//go:wasmexport plugin
func plugin() int32 {
	out, err := scanner.Exec(pdk.Input())
	if err != nil {
		pdk.SetError(err)
		return 1
	}
	pdk.Output(out)
	return 0
}
