package engine

import (
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// TestCommandForm runs a WASI program that knows nothing of the ABI but its
// JSON, on standard input and output.
func TestCommandForm(t *testing.T) {
	wasm := goModule(t, "./testdata/command", "-buildmode=exe")
	wasm, err := wasmsection.Attach(wasm, ManifestSection, []byte(strings.Replace(testManifest, `"reactor"`, `"command"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	set := NewSet(load(t, newEngine(t), wasm, Options{}))
	for range 2 { // every run begins anew
		if v := set.Scan(t.Context(), result("ordinary")); v.Action != ActionAllow || len(v.Failures) != 0 {
			t.Errorf("clean: %+v", v)
		}
		if v := set.Scan(t.Context(), result("attack")); v.Action != ActionBlock || len(v.Findings) != 1 || v.Findings[0].End != 6 {
			t.Errorf("attack: %+v", v)
		}
	}
	for text, want := range map[string]struct{ kind, detail string }{
		"status 2": {FailureTrap, "exited with status 2"},
		"silent":   {FailureOutput, "not JSON"},
	} {
		v := set.Scan(t.Context(), result(text))
		if v.Action != ActionBlock || len(v.Failures) != 1 || v.Failures[0].Kind != want.kind || !strings.Contains(v.Failures[0].Detail, want.detail) {
			t.Errorf("%s: %+v", text, v)
		}
	}
}
