package engine

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
	"github.com/bartizan-mcp/bartizan/sdk/abi"
)

func schemaOf(t *testing.T, src []byte) func(instance []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(src))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(instance []byte) error {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(instance))
		if err != nil {
			return err
		}
		return s.Validate(doc)
	}
}

// variants are what becomes of a document when one value in it, at any depth,
// is left out, is another, or has company.
func variants(t *testing.T, src string) []string {
	t.Helper()
	var root any
	if err := json.Unmarshal([]byte(src), &root); err != nil {
		t.Fatal(err)
	}
	var out []string
	write := func() {
		b, err := json.Marshal(root, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	others := []any{nil, true, false, -1, 0, 0.5, 2, 1e20, "", "x", "UPPER case", strings.Repeat("a", 2000), []any{}, []any{"x", "x"}, []any{nil}, map[string]any{}, map[string]any{"x": 1}}
	var walk func(v any, put func(any))
	walk = func(v any, put func(any)) {
		for _, other := range others {
			put(other)
			write()
		}
		put(v)
		switch v := v.(type) {
		case map[string]any:
			names := make([]string, 0, len(v))
			for name := range v {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				value := v[name]
				walk(value, func(other any) { v[name] = other })
				delete(v, name)
				write()
				v[name] = value
			}
			v["unknown"] = 1
			write()
			delete(v, "unknown")
		case []any:
			for i, value := range v {
				walk(value, func(other any) { v[i] = other })
			}
		}
	}
	walk(root, func(other any) { root = other })
	return out
}

// TestSchemasRefuseNoMore holds that what a schema refuses the engine refuses:
// an author who trusts the schema is never told more than it says in vain.
func TestSchemasRefuseNoMore(t *testing.T) {
	manifest := strings.Replace(triggeredManifest(`[{"id":"x","text":"abc","exact":true},{"id":"y","shape":"AKIA<u1><w15>"}]`,
		`{"any":["x",{"all":["y",{"view":"base64"}]},{"kind":["text"]},{"nonASCII":true},{"member":{"names":["key"],"digit":true}}]}`),
		`"rules"`, `"limits":{"memoryBytes":1048576,"deadlineMs":10,"fuel":1000},"rules"`, 1)
	s := schemaOf(t, abi.ManifestSchema)
	if err := s([]byte(manifest)); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, v := range variants(t, manifest) {
		if err := s([]byte(v)); err != nil {
			refused++
			if _, err := ParseManifest([]byte(v)); err == nil {
				t.Errorf("the schema refuses what the engine takes: %s: %v", v, s([]byte(v)))
			}
		}
	}
	if refused < 100 {
		t.Errorf("only %d variants of a manifest were refused", refused)
	}

	scanner := flatScanner(t, []byte(testManifest), EncodingJSON)
	windows := []window{{text: "aéz!x"}, {segment: 1, text: "xx"}}
	answer := `{"status":"partial","findings":[{"rule":"test.high","severity":"low","confidence":0.5,"segment":0,"start":0,"end":1,` +
		`"message":"m","replacement":"r","mark":"secret"}],"unexamined":[{"segment":1,"start":0,"end":2}]}`
	s = schemaOf(t, abi.OutputSchema)
	if _, err := scanner.parseAnswer([]byte(answer), windows); err != nil || s([]byte(answer)) != nil {
		t.Fatal(err, s([]byte(answer)))
	}
	refused = 0
	for _, v := range variants(t, answer) {
		if s([]byte(v)) != nil {
			refused++
			if _, err := scanner.parseAnswer([]byte(v), windows); err == nil {
				t.Errorf("the schema refuses what the engine takes: %s: %v", v, s([]byte(v)))
			}
		}
	}
	if refused < 100 {
		t.Errorf("only %d variants of an answer were refused", refused)
	}
}

// TestSchemasTakeWhatIsReal holds the schemas to the manifests of the shipped
// scanners and to what the engine writes in every phase.
func TestSchemasTakeWhatIsReal(t *testing.T) {
	manifests, inputs := schemaOf(t, abi.ManifestSchema), schemaOf(t, abi.InputSchema)
	files, err := filepath.Glob("../plugins/dist/*.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		wasm, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sections, err := wasmsection.Custom(wasm, ManifestSection)
		if err != nil || len(sections) != 1 {
			t.Fatalf("%s: %d manifests, %v", file, len(sections), err)
		}
		if err := manifests(sections[0]); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, phase := range phases {
		for _, m := range harmless(phase) {
			m.Caller = "user"
			m.Context = []message.ContextEntry{{Server: "o", Kind: "tool", Name: "n", Parameters: []string{"p"}}}
			p := prepare(m)
			p.selectContext()
			with := particulars{
				limits: DefaultLimits, hits: []hit{{0, 0, 0, 1}},
				flow: []flowHit{{mark: "secret", segment: 0, end: 1, server: "o", entry: "n", age: 3}},
			}
			for _, batch := range p.batches {
				if err := inputs(jsontext.Value(appendJSON(nil, p, batch, with))); err != nil {
					t.Errorf("%s: %v", phase, err)
				}
			}
		}
	}
}
