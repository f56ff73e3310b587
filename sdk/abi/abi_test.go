package abi

import (
	"bytes"
	"os"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compile(t *testing.T, schema []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
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
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, src []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(src))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func TestManifestVectors(t *testing.T) {
	var vectors []struct {
		Name     string         `json:"name"`
		Schema   bool           `json:"schema"`
		Manifest jsontext.Value `json:"manifest"`
	}
	read(t, "vectors/manifests.json", &vectors)
	s := compile(t, ManifestSchema)
	for _, v := range vectors {
		if err := validate(t, s, v.Manifest); (err == nil) != v.Schema {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
}

func TestOutputVectors(t *testing.T) {
	var vectors struct {
		Cases []struct {
			Name   string `json:"name"`
			Schema bool   `json:"schema"`
			Output string `json:"output"`
		} `json:"cases"`
	}
	read(t, "vectors/outputs.json", &vectors)
	s := compile(t, OutputSchema)
	for _, v := range vectors.Cases {
		if err := validate(t, s, []byte(v.Output)); (err == nil) != v.Schema {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
}

func TestInputVector(t *testing.T) {
	b, err := os.ReadFile("vectors/input.json")
	if err != nil {
		t.Fatal(err)
	}
	s := compile(t, InputSchema)
	if err := validate(t, s, b); err != nil {
		t.Error(err)
	}
	if err := validate(t, s, bytes.Replace(b, []byte(`"result"`), []byte(`"weekly"`), 1)); err == nil {
		t.Error("an unknown phase was accepted")
	}
}

// TestFlatVectors holds what the flat vectors say in json to the schemas.
func TestFlatVectors(t *testing.T) {
	var vectors struct {
		Inputs, Answers []struct {
			Name string         `json:"name"`
			JSON jsontext.Value `json:"json"`
		}
	}
	b, err := os.ReadFile("vectors/flat.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &vectors, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	in, out := compile(t, InputSchema), compile(t, OutputSchema)
	for _, v := range vectors.Inputs {
		if err := validate(t, in, v.JSON); err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
	for _, v := range vectors.Answers {
		if err := validate(t, out, v.JSON); err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
	if len(vectors.Inputs) == 0 || len(vectors.Answers) == 0 {
		t.Error("no vectors")
	}
}
