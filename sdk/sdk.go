// Package sdk holds the source of the SDKs and of their examples, so that a
// program can write them out again: an author's first scanner is the example,
// and needs nothing from a network. It knows nothing of what is done with them.
//
// Every language has its own lines here. They name files rather than folders:
// what somebody has built in one is no source.
package sdk

import "embed"

// Files are LANGUAGE/... for each SDK, examples/LANGUAGE/... for the example
// written with it, and examples/cases.jsonl, the cases of all of them. A template
// that scripts go into is there if it was compiled before: `make templates`.
//
//go:embed go/*.go
//go:embed examples/go/*.go examples/go/scanner.yaml examples/go/README.md examples/go/Makefile
//go:embed assemblyscript/*.ts assemblyscript/asconfig.json assemblyscript/package.json
//go:embed examples/assemblyscript/*.ts examples/assemblyscript/*.json examples/assemblyscript/scanner.yaml examples/assemblyscript/README.md examples/assemblyscript/Makefile
//go:embed c/bartizan.h examples/c/ticket.c examples/c/scanner.yaml examples/c/README.md examples/c/Makefile
//go:embed rust/Cargo.toml rust/src/*.rs examples/rust/Cargo.toml examples/rust/src/*.rs examples/rust/scanner.yaml examples/rust/README.md examples/rust/Makefile
//go:embed zig/build.zig zig/build.zig.zon zig/src/*.zig examples/zig/ticket.zig examples/zig/scanner.yaml examples/zig/README.md examples/zig/Makefile
//go:embed examples/cases.jsonl
//go:embed examples/rulepack/scanner.yaml examples/rulepack/README.md examples/rulepack/Makefile
//go:embed javascript/template* javascript/prelude.js javascript/scanner.d.ts javascript/README.md javascript/Makefile javascript/requirements.txt
//go:embed examples/javascript/ticket.js examples/javascript/scanner.yaml examples/javascript/README.md examples/javascript/Makefile
//go:embed nim/bartizan.nim
//go:embed examples/nim/main.nim examples/nim/scanner.yaml examples/nim/README.md examples/nim/Makefile
var Files embed.FS
