//go:build sdk

package examples

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestJavaScript holds what an author of a script sees of his mistakes, and what
// stands between him and bytes.
func TestJavaScript(t *testing.T) {
	if _, err := os.Stat("../javascript/template.wasm"); err != nil {
		if required {
			t.Fatal(err)
		}
		t.Skip("no template: make templates")
	}
	dir, bartizan := filepath.Join(t.TempDir(), "mine"), program(t)
	run(t, ".", bartizan, "scanner", "new", "--lang", "javascript", "--dir", dir, "mine")
	manifest := filepath.Join(dir, "scanner.yaml")
	yaml, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	yaml = append(yaml, "patterns:\n  - {id: key, text: sésame}\n"...)
	if err := os.WriteFile(manifest, yaml, 0o644); err != nil {
		t.Fatal(err)
	}
	const message = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":"é😀 Sésame!"}}}`
	// Answers with one finding where the text is that of the message.
	answer := func(finding string) string {
		return "export default ({ segments, hits, limits }) => {\n" +
			"  const segment = segments.findIndex((s) => s.text.endsWith('!'));\n" +
			"  if (segment < 0) return { findings: [] };\n" +
			"  const { text } = segments[segment];\n" +
			"  return { findings: [" + finding + "] };\n};\n"
	}
	for name, c := range map[string]struct{ script, want string }{
		"a place is one of the string":     {answer(`{ rule: "mine.number", segment, start: text.indexOf("S"), end: text.length }`), `"start": 7,\s"end": 15,`},
		"a hit is a range of the string":   {answer(`{ rule: "mine.number", segment, start: hits[0].start, end: hits[0].end, message: text.slice(hits[0].start, hits[0].end) }`), `"start": 7,\s"end": 14,\s"message": "Sésame"`},
		"a lone surrogate is replaced":     {answer(`{ rule: "mine.number", segment, start: 0, end: 1, message: "\ud83d" }`), "\"message\": \"\ufffd\""},
		"a place inside of a character":    {answer(`{ rule: "mine.number", segment, start: 2, end: 3 }`), "finding 0: start 2 is no place between two characters"},
		"a place outside":                  {answer(`{ rule: "mine.number", segment, start: 0, end: 99 }`), "finding 0: end 99 is no place"},
		"a place that is no number":        {answer(`{ rule: "mine.number", segment, start: "0", end: 1 }`), "finding 0: start 0 is no place"},
		"a member that a finding has not":  {answer(`{ rule: "mine.number", segment, start: 0, end: 1, sevrity: "low" }`), "a finding has no sevrity"},
		"a severity that there is not":     {answer(`{ rule: "mine.number", segment, start: 0, end: 1, severity: "awful" }`), "severity awful"},
		"a rule that the manifest has not": {answer(`{ rule: "mine.other", segment, start: 0, end: 1 }`), "/findings/0/rule: is not in the manifest"},
		"a promise":                        {"export default async () => ({ findings: [] });", "returned a promise"},
		"nothing":                          {"export default () => {};", "scan has to return { findings: [...] }"},
		"no function":                      {"export const scan = 1;", "export default function scan"},
		"a mistake in the text":            {"\n\nexport default (input => 1;", "scanner.js:3"},
		"an import":                        {"import fs from 'fs';\nexport default () => ({ findings: [] });", "fs"},
		"an exception":                     {"export default () => {\n  undefined.x;\n};", "scanner.js:2"},
		"an endless loop":                  {"export default () => { for (;;); };", "fuel"},
		"calls without end":                {"const f = () => f() + 1;\nexport default f;", "Maximum call stack size exceeded"},
		"what is awaited at the top":       {"const x = await Promise.resolve('!');\n" + answer(`{ rule: "mine.number", segment, start: 0, end: text.indexOf(x) }`), `"end": 14,`},
		"what was remembered is not":       {"let n = 0;\n" + answer(`{ rule: "mine.number", segment, start: 0, end: 1, message: "" + n++ }`), `"message": "0"`},
		"what it logs":                     {"console.log('seen', { a: 1 }, null);\nexport default () => ({ findings: [] });", `seen {"a":1} null`},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, "mine.js"), []byte(c.script), 0o644); err != nil {
				t.Fatal(err)
			}
			said := tell(t, dir, "", bartizan, "scanner", "build", ".") +
				tell(t, dir, message, bartizan, "scanner", "run", "mine.wasm", "--phase", "request", "--input", "-")
			if got := strings.Join(strings.Fields(said), " "); !strings.Contains(got, strings.ReplaceAll(c.want, `\s`, " ")) {
				t.Errorf("no %s in\n%s", c.want, said)
			}
			_ = os.Remove(filepath.Join(dir, "mine.wasm"))
		})
	}
}

// tell returns all that a command says, whatever it ends with.
func tell(t *testing.T, dir, input, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(input)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	_ = cmd.Run()
	return said.String()
}
