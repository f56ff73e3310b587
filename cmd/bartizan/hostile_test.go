package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/fixture/hostile"
)

// TestHostileModulesOnTheCommandLine inspects every module of the hostile suite
// and runs one of each kind of attack, as somebody would who was sent it.
func TestHostileModulesOnTheCommandLine(t *testing.T) {
	attacks, err := hostile.Read("../../engine/testdata/hostile")
	if err != nil {
		t.Fatal(err)
	}
	input := filepath.Join(t.TempDir(), "result.json")
	if err := os.WriteFile(input, []byte(`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"an ordinary text"}]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	families := make(map[string]bool) // by the first word of their names
	names := make(map[string]bool)
	for _, a := range hostile.Sample(attacks) {
		if names[a.Name] {
			continue
		}
		names[a.Name] = true
		wasm, err := a.Wasm()
		if err != nil {
			t.Fatal(err)
		}
		module := filepath.Join(t.TempDir(), a.Name+".wasm")
		if err := os.WriteFile(module, wasm, 0o600); err != nil {
			t.Fatal(err)
		}
		first := !families[a.Family()]
		families[a.Family()] = true
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			inspectHostile(t, module, a)
			if first {
				runHostile(t, module, input, a)
			}
		})
	}
	if len(names) < 50 || len(families) < 10 {
		t.Errorf("only %d attacks of %d families", len(names), len(families))
	}
}

// inspectHostile holds that inspect always describes, and finds fault with
// nothing that may run.
func inspectHostile(t *testing.T, module string, a hostile.Attack) {
	var out, said bytes.Buffer
	code := run(t.Context(), []string{"scanner", "inspect", module, "-o", "json"}, nil, &out, &said)
	var seen engine.Inspection
	if err := json.Unmarshal(out.Bytes(), &seen); err != nil {
		t.Fatalf("%v: %s%s", err, out.String(), said.String())
	}
	if faulty := len(seen.Problems) > 0; faulty != (code == exitPolicy) || !faulty && code != 0 {
		t.Errorf("exit code %d with %q", code, seen.Problems)
	}
	if len(seen.Problems) > 0 && !a.Wants(engine.FailureRefused) {
		t.Errorf("%q; want %v", seen.Problems, a.Want)
	}
}

// runHostile holds that run answers in its usual shape, with the right kind and
// a sentence.
func runHostile(t *testing.T, module, input string, a hostile.Attack) {
	var out, said bytes.Buffer
	code := run(t.Context(), []string{"scanner", "run", module, "--phase", "result", "--input", input, "-o", "json"}, nil, &out, &said)
	var result scannerRun
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		t.Fatalf("%v: %s%s", err, out.String(), said.String())
	}
	outcome := hostile.Complete
	if f := result.Failure; f != nil {
		outcome = f.Kind
		if f.Detail == "" || result.Action != engine.ActionBlock || code != exitPolicy {
			t.Errorf("%+v, %s, exit code %d", f, result.Action, code)
		}
	}
	if later := strings.HasPrefix(a.Name, "later-"); !later && !a.Wants(outcome) {
		t.Errorf("%s: %+v; want %v", outcome, result.Failure, a.Want)
	}
}
