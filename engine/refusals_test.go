package engine

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
	"github.com/bartizan-mcp/bartizan/internal/wat"
)

var update = flag.Bool("update", false, "write testdata/refusals.golden anew")

// right is a module that loads; the table takes parts of it away.
const right = `(module
  (memory (export "memory") 1)
  (func (export "_initialize"))
  (func (export "bartizan_alloc") (param i32) (result i32) (i32.const 8))
  (func (export "bartizan_init") (param i32 i32) (result i32) (i32.const 0))
  (func (export "bartizan_scan") (param i32 i32) (result i64) (i64.const 0)))`

// TestRefusals holds what an author is told about a module or a manifest that is
// not right: what was found, what is expected and where.
func TestRefusals(t *testing.T) {
	const manifest = `{"abi":1,"name":"ticket","version":"1.0.0","phases":["result"],"encoding":"json","form":"reactor","call":"always",` +
		`"limits":{"fuel":1000},"rules":[{"id":"t.number","family":"exfil","severity":"low","taxonomy":["OWASP-MCP01"],"description":"A number."},` +
		`{"id":"t.text","family":"injection","severity":"high","taxonomy":[],"description":"A text."}]}`
	const triggered = `"call":"triggered","patterns":[{"id":"a","text":"abc"},{"id":"b","shape":"AKIA<u1><w15>","exact":true}],"trigger":{"any":["a",{"all":["b"]}]}`
	type change struct{ name, old, new string }
	var got strings.Builder
	e := newEngine(t)
	try := func(name, module, manifest string) {
		t.Helper()
		wasm, err := wat.Assemble(module)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if manifest != "" {
			if wasm, err = wasmsection.Attach(wasm, ManifestSection, []byte(manifest)); err != nil {
				t.Fatal(err)
			}
		}
		_, err = e.Load(t.Context(), wasm, Options{})
		if err == nil {
			t.Errorf("%s: it loads", name)
			return
		}
		if in := Inspect(wasm); manifest != "" && len(in.Problems) == 0 || len(in.Problems) > 0 && !strings.Contains(err.Error(), in.Problems[0]) {
			t.Errorf("%s: inspect says %q, the engine %v", name, in.Problems, err)
		}
		var m *ManifestError
		if errors.Is(err, ErrManifest) != errors.As(err, &m) {
			t.Errorf("%s: no place: %v", name, err)
		}
		got.WriteString(name + "\n    " + err.Error() + "\n")
	}
	replaced := func(c change, in string) string {
		t.Helper()
		out := strings.Replace(in, c.old, c.new, 1)
		if out == in {
			t.Fatalf("%s: nothing replaced", c.name)
		}
		return out
	}
	for _, c := range []change{
		{"no memory", `(export "memory")`, ``},
		{"no alloc", `"bartizan_alloc"`, `"alloc"`},
		{"no scan", `"bartizan_scan"`, `"scan"`},
		{"neither", `(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 8))
  (func (export "bartizan_init") (param i32 i32) (result i32) (i32.const 0))
  (func (export "bartizan_scan")`, `(func (export "scan")`},
		{"a command", `(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 8))`, `(func (export "_start"))`},
		{"scan of another result", `(result i64) (i64.const 0)`, `(result i32) (i32.const 0)`},
		{"alloc without a result", `(param i32) (result i32) (i32.const 8)`, `(param i32)`},
		{"alloc of 64 bits", `(param i32) (result i32) (i32.const 8)`, `(param i64) (result i64) (i64.const 8)`},
		{"init without a result", `(param i32 i32) (result i32) (i32.const 0)`, `(param i32 i32)`},
		{"_initialize with a parameter", `"_initialize")`, `"_initialize") (param i32)`},
		{"an import of another module", `(memory`, `(import "env" "abort" (func)) (memory`},
		{"a path", `(memory`, `(import "wasi_snapshot_preview1" "path_open" (func)) (memory`},
		{"log of another type", `(memory`, `(import "bartizan" "log" (func (param i32 i32))) (memory`},
		{"an imported memory", `(memory (export "memory") 1)`, `(import "env" "memory" (memory 1)) (export "memory" (memory 0))`},
		{"much memory", `"memory") 1`, `"memory") 2048`},
		{"an export of ours", `"_initialize"`, `"bartizan:fuel"`},
	} {
		try(c.name, replaced(c, right), manifest)
	}
	try("no manifest", right, "")
	try("a command without _start", right, replaced(change{"form", `"reactor"`, `"command"`}, manifest))
	for _, c := range []change{
		{"no JSON", `"abi":1,`, `"abi":1,,`},
		{"text behind", `A text."}]}`, `A text."}]} and more`},
		{"an array", manifest, `[]`},
		{"no abi", `"abi":1,`, ``},
		{"a later abi", `"abi":1`, `"abi":2`},
		{"abi in quotes", `"abi":1`, `"abi":"1"`},
		{"no name", `"name":"ticket",`, ``},
		{"a name with spaces", `"ticket"`, `"Ticket Scanner"`},
		{"a version", `"1.0.0"`, `"v1"`},
		{"no phases", `"phases":["result"],`, ``},
		{"a phase unknown", `["result"]`, `["result","answer"]`},
		{"a phase twice", `["result"]`, `["result","result"]`},
		{"phases as text", `["result"]`, `"result"`},
		{"no encoding", `"encoding":"json",`, ``},
		{"an encoding unknown", `"encoding":"json"`, `"encoding":"cbor"`},
		{"a form unknown", `"reactor"`, `"component"`},
		{"a flat command", `"encoding":"json","form":"reactor"`, `"encoding":"flat","form":"command"`},
		{"no call", `,"call":"always"`, ``},
		{"triggered by nothing", `"call":"always"`, `"call":"triggered"`},
		{"fuel as text", `"fuel":1000`, `"fuel":"1000"`},
		{"fuel as a fraction", `"fuel":1000`, `"fuel":1.5`},
		{"negative fuel", `"fuel":1000`, `"fuel":-1`},
		{"more fuel than there is", `"fuel":1000`, `"fuel":1000000000000`},
		{"less memory than it starts with", `"fuel":1000`, `"memoryBytes":100`},
		{"memory over 32 bits", `"fuel":1000`, `"memoryBytes":4294967296`},
		{"a member unknown", `"limits"`, `"network":true,"limits"`},
		{"a member of a rule unknown", `"severity":"high"`, `"severity":"high","level":3`},
		{"a member twice", `"call":"always"`, `"call":"always","call":"always"`},
		{"null", `"taxonomy":[]`, `"taxonomy":null`},
		{"no rules", `{"id":"t.number"`, ``},
		{"a rule without an id", `"id":"t.text",`, ``},
		{"a rule's id", `"t.text"`, `"T text"`},
		{"a rule twice", `"t.text"`, `"t.number"`},
		{"a family unknown", `"injection"`, `"virus"`},
		{"a severity unknown", `"high"`, `"awful"`},
		{"no severity", `"severity":"high",`, ``},
		{"severity as a number", `"high"`, `4`},
		{"no description", `"A text."`, `""`},
		{"a long description", `"A text."`, `"` + strings.Repeat("a", 600) + `"`},
		{"a taxonomy id", `"OWASP-MCP01"`, `"<b>"`},
	} {
		if c.name == "no rules" {
			cut := manifest[:strings.Index(manifest, `,"rules"`)] + "}"
			try(c.name, right, cut)
			continue
		}
		try(c.name, right, replaced(c, manifest))
	}
	called := replaced(change{"triggered", `"call":"always"`, triggered}, manifest)
	for _, c := range []change{
		{"a trigger where it is always called", `"triggered"`, `"always"`},
		{"a pattern's id", `{"id":"a"`, `{"id":"a b"`},
		{"a pattern twice", `{"id":"b"`, `{"id":"a"`},
		{"a pattern of one byte", `"abc"`, `"a"`},
		{"a pattern of nothing", `"text":"abc"`, `"exact":true`},
		{"a class unknown", `<u1>`, `<q1>`},
		{"a shape too wide", `AKIA<u1><w15>`, `<p20>`},
		{"a pattern unknown", `["a",`, `["z",`},
		{"a pattern unknown, deeper", `["b"]`, `["z"]`},
		{"a condition unknown", `{"all":["b"]}`, `{"none":["b"]}`},
		{"a view unknown", `{"all":["b"]}`, `{"view":"rot14"}`},
		{"a kind unknown", `{"all":["b"]}`, `{"kind":["text","texts"]}`},
		{"two conditions", `{"all":["b"]}`, `{"view":"hex","flow":true}`},
		{"a trigger that is text", `{"any":["a",{"all":["b"]}]}`, `7`},
	} {
		try(c.name, right, replaced(c, called))
	}
	const golden = "testdata/refusals.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Error(diff)
	}
}
