package scannerfile

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine"
)

const least = "name: x\nversion: 1.0.0\nphases: [request]\nencoding: flat\n" +
	"rules:\n- {id: x.one, family: exfil, severity: low, description: One.}\n"

func TestParse(t *testing.T) {
	f, err := Parse([]byte(least + "build:\n  language: go\n"))
	if err != nil {
		t.Fatal(err)
	}
	body, err := f.ManifestJSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"abi":1,"name":"x","version":"1.0.0","phases":["request"],"encoding":"flat","form":"reactor","call":"always",` +
		`"rules":[{"id":"x.one","family":"exfil","severity":"low","taxonomy":[],"description":"One."}]}`
	if string(body) != want || f.Build.Language != "go" {
		t.Errorf("%s, %+v", body, f.Build)
	}
}

func TestMistakes(t *testing.T) {
	for content, want := range map[string]string{
		"":                                 "name",
		"name: x\nnmae: y\n":               "line 2: nmae: unknown key",
		"phases: request\n":                "line 1: phases: expected a list",
		least + "limits: {fuel: much}\n":   "line 7: limits.fuel: expected a whole number",
		least + "build: {comand: [go]}\n":  "line 7: build.comand: unknown key",
		least + "build: {command: [go]}\n": "module: where",
		least + "build: {command: [go], module: ../../etc/x}\n":                                     "leads out",
		least + "build: {command: [\"\"], module: x.wasm}\n":                                        "no name",
		least + "build: {command: [\"a\\0b\"], module: x.wasm}\n":                                   "NUL",
		strings.Replace(least, "encoding: flat", "abi: 2", 1):                                       "line 4: abi: found 2: this engine runs abi 1",
		strings.Replace(least, "family: exfil", "family: evil", 1):                                  `line 6: rules[0].family: found "evil"`,
		strings.Replace(least, "family: exfil, ", "", 1):                                            "line 6: rules[0]: family is missing",
		strings.Replace(least, "name: x", "name: X", 1):                                             `line 1: name: found "X": want lower-case`,
		least + "trigger: {any: [a]}\n":                                                             "line 7: trigger: found a trigger",
		least + "call: triggered\npatterns:\n- id: a\n  text: ab\ntrigger:\n  any:\n  - a\n  - b\n": `line 14: trigger.any[1]: found "b"`,
		least + "build: {script: x.js}\n":                                                           "script and template",
		least + "build: {template: t.wasm}\n":                                                       "script and template",
		least + "build: {language: go, script: x.js, template: t.wasm}\n":                           "not compiled",
	} {
		if _, err := Parse([]byte(content)); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
}

// TestExample holds that the format is what the examples are written in.
func TestExample(t *testing.T) {
	body, err := os.ReadFile("../../../sdk/examples/go/scanner.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(body)
	if err != nil || f.Name != "ticket" || f.Encoding != engine.EncodingFlat || len(f.Rules) != 2 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestRulePack(t *testing.T) {
	body, err := os.ReadFile("../../../sdk/examples/rulepack/scanner.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(body)
	if err != nil || f.Pack == nil || len(f.Patterns) != 6 || len(f.Phases) != 5 {
		t.Errorf("%+v, %v", f, err)
	}
	_, err = Parse([]byte("name: x\nrules:\n- {id: a.b, phrase: [ab]}\nbuild: {language: rulepack}\n"))
	if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "line 3: rules[0].phrase: unknown key") {
		t.Errorf("%v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(least)
	f.Add(least + "build: {language: go, command: [go, build], module: x.wasm}\n")
	f.Add(least + "call: triggered\npatterns: [{id: a, text: abc}]\ntrigger: {any: [a, {view: base64}]}\n")
	f.Fuzz(func(t *testing.T, s string) {
		file, err := Parse([]byte(s))
		if err != nil {
			return
		}
		body, err := file.ManifestJSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := engine.ParseManifest(body); err != nil {
			t.Fatal(err)
		}
	})
}
