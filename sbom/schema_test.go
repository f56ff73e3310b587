package sbom

import (
	"bytes"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// cyclonedxSchema compiles the official 1.6 schema that cyclonedx-go carries in
// its module; it is read from the module cache and not copied here.
func cyclonedxSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Skipf("the go command cannot name cyclonedx-go's directory: %v", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "schema")
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(schemaDir(dir))
	s, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// schemaDir serves schemas by the last element of their URL, from one directory.
type schemaDir string

func (d schemaDir) Load(u string) (any, error) {
	parsed, err := url.Parse(u)
	if err != nil {
		return nil, err
	}
	name := filepath.Base(parsed.Path)
	f, err := os.Open(filepath.Join(string(d), name))
	if os.IsNotExist(err) { // the module calls this one .schemax.json
		f, err = os.Open(filepath.Join(string(d), strings.Replace(name, ".schema.", ".schemax.", 1)))
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return jsonschema.UnmarshalJSON(f)
}

func validate(t *testing.T, s *jsonschema.Schema, document []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("not valid CycloneDX 1.6: %v", err)
	}
}

func TestDocumentsAreValidCycloneDX(t *testing.T) {
	schema := cyclonedxSchema(t)
	native := folder(t, map[string]string{
		"package.json":                `{"name":"x","version":"1.0.0","license":"proprietary stuff","dependencies":{"y":"1"}}`,
		"node_modules/y/package.json": `{"name":"y","version":"1.0.0","license":["MIT","NotAnSPDX"]}`,
		"a\u202eb.node":               "\x7fELF" + strings.Repeat("x", 64),
	})
	for name, artifact := range map[string]string{
		"npm v1": "testdata/npm-v1", "npm v2": "testdata/npm-v2", "npm v3": "testdata/npm-v3",
		"go module": goModule(t), "incomplete": native, "empty": t.TempDir(),
	} {
		t.Run(name, func(t *testing.T) {
			d := mustGenerate(t, artifact)
			validate(t, schema, encoded(t, d))
			if err := d.Enrich(full()); err != nil {
				t.Fatal(err)
			}
			validate(t, schema, encoded(t, d))
		})
	}
	t.Run("a broken document is noticed", func(t *testing.T) {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"tool","name":"x"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(v) == nil {
			t.Error("the schema accepts a component of type tool")
		}
	})
}
