// Package abi publishes the scanner ABI for programs: the JSON Schemas that
// ABI.md refers to. Authors in other languages read the files themselves.
package abi

import _ "embed"

// JSON Schemas (2020-12) of ABI 1.
var (
	//go:embed manifest.schema.json
	ManifestSchema []byte
	//go:embed input.schema.json
	InputSchema []byte
	//go:embed output.schema.json
	OutputSchema []byte
)
