package cases

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// Compact is v as JSON on one line, as manifests are written.
func Compact(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

// Lines are the elements of a list, each on a line of its own.
func Lines[T any](t *testing.T, list []T) string {
	t.Helper()
	lines := make([]string, len(list))
	for i, v := range list {
		lines[i] = "    " + Compact(t, v)
	}
	return strings.Join(lines, ",\n") + "\n"
}

// Trigger is a trigger's member of a manifest, up to what follows it.
func Trigger(t *testing.T, anyOf []any) string {
	t.Helper()
	return "  \"trigger\": {\"any\": [\n" + Lines(t, anyOf) + "  ]},\n"
}

// Manifest holds the scanner's manifest, in the folder of its test, to what
// derive makes of it; with update it is written instead.
func Manifest(t *testing.T, update bool, derive func(old string) string) {
	t.Helper()
	const file = "manifest.json"
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := derive(string(old))
	switch {
	case want == string(old):
	case !update:
		t.Fatal("the manifest is not what its tables say: go test . -run TestManifest -update")
	default:
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
