package main

import (
	"errors"

	"github.com/bartizan-mcp/bartizan/engine/sandbox"
)

// exportLines say, by language, which line of a scanner makes its exports.
var exportLines = map[string]string{
	"go":             "call scanner.Handle(nil, scan) in func init, and build with -buildmode=c-shared",
	"rust":           "write bartizan::scanner!(scan); in src/lib.rs, of a crate of type cdylib",
	"c":              "write BARTIZAN_SCANNER(NULL, scan) behind the functions, and link with -Wl,--no-entry",
	"zig":            "write comptime { bartizan.scanner(.{ .scan = scan }); }, or BARTIZAN_SCANNER of the C header",
	"assemblyscript": "write export { bartizan_alloc, bartizan_init, bartizan_scan } from the package's exports",
}

const anyExportLine = "the SDK of each language makes the exports: scanner.Handle in Go, scanner! in Rust, BARTIZAN_SCANNER in C"

// written is an error about a module that was compiled from a known language.
type written struct {
	error
	language string
}

func (w *written) Unwrap() error { return w.error }

// exportHint says what to change in a scanner whose exports are not the ABI's.
func exportHint(err error) string {
	var wrong *sandbox.ExportError
	if !errors.As(err, &wrong) {
		return ""
	}
	line := anyExportLine
	var w *written
	if errors.As(err, &w) && exportLines[w.language] != "" {
		line = exportLines[w.language]
	}
	switch {
	case wrong.Command:
		return "say form: command and encoding: json in scanner.yaml, or make a reactor: " + line
	case wrong.Name == "_start":
		return "say form: reactor in scanner.yaml, or compile a program with a main function for WASI"
	case wrong.Want == "":
		return "export the memory as memory, which linkers do unless they import it"
	case wrong.Found != "":
		return "leave " + wrong.Name + " to the SDK: " + line
	}
	return line
}
