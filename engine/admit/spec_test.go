package admit_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine/admit"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// The suite of the core specification, in the form that wazero's module holds.
type (
	specFile struct {
		Commands []specCommand `json:"commands"`
	}
	specCommand struct {
		Type       string     `json:"type"`
		Line       int        `json:"line"`
		Name       string     `json:"name"`
		Filename   string     `json:"filename"`
		As         string     `json:"as"`
		ModuleType string     `json:"module_type"`
		Action     specAction `json:"action"`
	}
	specAction struct {
		Type   string      `json:"type"`
		Module string      `json:"module"`
		Field  string      `json:"field"`
		Args   []specValue `json:"args"`
	}
	specValue struct {
		Type  string `json:"type"`
		Lane  string `json:"lane_type"`
		Value any    `json:"value"`
	}
)

// specFiles returns the paths of the suite's command files by name.
func specFiles(t *testing.T, version string) map[string]string {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Skip("the specification's suite is found by the go command: ", err)
	}
	paths, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "internal/integration_test/spectest", version, "testdata/*.json"))
	if len(paths) == 0 {
		t.Skip("the module of wazero in the cache is without the specification's suite")
	}
	files := map[string]string{}
	for _, path := range paths {
		files[strings.TrimSuffix(filepath.Base(path), ".json")] = path
	}
	return files
}

func readSpec(t *testing.T, path string) specFile {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f specFile
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// bits returns a value as the engine takes it.
func (v specValue) bits(t *testing.T) []uint64 {
	t.Helper()
	number := func(s string, width int) uint64 {
		if s == "null" {
			return 0
		}
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && n < 0 {
			return uint64(n) & (1<<width - 1)
		}
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	switch {
	case v.Type == "v128":
		var lanes [2]uint64
		all := v.Value.([]any)
		width := 128 / len(all)
		for i, lane := range all {
			lanes[i*width/64] |= number(lane.(string), width) << (i * width % 64)
		}
		return lanes[:]
	case v.Value == nil:
		return []uint64{0}
	case v.Type == "externref" && v.Value != "null":
		return []uint64{number(v.Value.(string), 64) + 1}
	case strings.HasSuffix(v.Type, "32"):
		return []uint64{number(v.Value.(string), 32)}
	}
	return []uint64{number(v.Value.(string), 64)}
}

// pair is one module of the suite, as it was and rewritten.
type pair struct {
	plain, metered api.Module
	memory         bool
}

// spectest runs one file of the suite on two runtimes.
type spectest struct {
	t              *testing.T
	plain, metered *rig
	twins          bool // both runtimes have the rewritten module
	named          map[string]pair
	last           pair
	ran, refused   int
}

const specHost = "spectest"

func newSpectest(t *testing.T) *spectest {
	s := &spectest{t: t, named: map[string]pair{}}
	config := wazero.NewRuntimeConfig()
	s.plain, s.metered = newRig(t, config), newRig(t, config)
	for _, r := range []*rig{s.plain, s.metered} {
		b := r.NewHostModuleBuilder(specHost)
		for name, params := range map[string][]api.ValueType{
			"print": nil, "print_i32": {api.ValueTypeI32}, "print_i64": {api.ValueTypeI64},
			"print_f32": {api.ValueTypeF32}, "print_f64": {api.ValueTypeF64},
			"print_i32_f32": {api.ValueTypeI32, api.ValueTypeF32},
			"print_f64_f64": {api.ValueTypeF64, api.ValueTypeF64},
		} {
			b.NewFunctionBuilder().WithGoFunction(api.GoFunc(func(context.Context, []uint64) {}), params, nil).Export(name)
		}
		if _, err := b.Instantiate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *spectest) module(c specCommand, wasm []byte, as string) {
	s.compareMemory(c)
	s.last = pair{}
	metered, _, err := s.metered.instantiate(s.t.Context(), wasm, as)
	switch {
	case errors.Is(err, admit.ErrUnsupported):
		s.refused++
		return
	case err != nil && s.needsRefused(err):
		s.refused++
		return
	case err != nil:
		s.t.Errorf("line %d: %v", c.Line, err)
		return
	}
	var plain api.Module
	if s.twins {
		plain, _, err = s.plain.instantiate(s.t.Context(), wasm, as)
	} else {
		plain, err = s.plain.InstantiateWithConfig(s.t.Context(), wasm, wazero.NewModuleConfig().WithName(as).WithStartFunctions())
	}
	if err != nil {
		s.t.Errorf("line %d: the original: %v", c.Line, err)
		return
	}
	parsed, _ := admit.Parse(wasm, admit.Limits{})
	_, _, memory := parsed.Memory()
	s.last = pair{plain, metered, memory}
	if c.Name != "" {
		s.named[c.Name] = s.last
	}
}

// needsRefused tells a module that imports from one that was refused.
func (s *spectest) needsRefused(err error) bool {
	return s.refused > 0 && strings.Contains(err.Error(), "not instantiated")
}

func (s *spectest) invoke(c specCommand) {
	p := s.last
	if c.Action.Module != "" {
		p = s.named[c.Action.Module]
	}
	if p.plain == nil || c.Action.Type != "invoke" {
		return
	}
	var args []uint64
	for _, a := range c.Action.Args {
		args = append(args, a.bits(s.t)...)
	}
	fn := p.plain.ExportedFunction(c.Action.Field)
	if s.twins {
		s.plain.enter(p.plain, deep)
	}
	want, wantErr := fn.Call(s.t.Context(), args...)
	s.metered.enter(p.metered, deep)
	got, gotErr := p.metered.ExportedFunction(c.Action.Field).Call(s.t.Context(), args...)
	if reason(gotErr) != reason(wantErr) {
		s.t.Errorf("line %d: %s: %v, the original: %v", c.Line, c.Action.Field, gotErr, wantErr)
	}
	at := 0
	for _, typ := range fn.Definition().ResultTypes() {
		if typ == 0x70 && at < len(want) && at < len(got) { // function references are addresses
			want[at], got[at] = min(want[at], 1), min(got[at], 1)
		}
		if at++; typ == 0x7b {
			at++
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("line %d: %s: %s", c.Line, c.Action.Field, diff)
	}
	if left := p.metered.ExportedGlobal(admit.ExportDepth).Get(); gotErr == nil && left != deep {
		s.t.Errorf("line %d: %s: depth is %d after the call, not %d", c.Line, c.Action.Field, left, deep)
	}
	if s.twins && wantErr == nil {
		if a, b := s.plain.spent(p.plain), s.metered.spent(p.metered); a != b || a <= 0 {
			s.t.Errorf("line %d: %s: %d units spent, %d with another quantum", c.Line, c.Action.Field, a, b)
		}
	}
	s.ran++
}

func (s *spectest) compareMemory(c specCommand) {
	if !s.last.memory {
		return
	}
	want, _ := s.last.plain.Memory().Read(0, s.last.plain.Memory().Size())
	got, _ := s.last.metered.Memory().Read(0, s.last.metered.Memory().Size())
	if !bytes.Equal(want, got) {
		s.t.Errorf("before line %d: the memories differ", c.Line)
	}
}

func (s *spectest) run(path string) {
	commands := readSpec(s.t, path).Commands
	for i, c := range commands {
		switch c.Type {
		case "module":
			as := ""
			if i+1 < len(commands) && commands[i+1].Type == "register" {
				as = commands[i+1].As
			}
			wasm, err := os.ReadFile(filepath.Join(filepath.Dir(path), c.Filename))
			if err != nil {
				s.t.Fatal(err)
			}
			s.module(c, wasm, as)
		case "assert_return", "assert_trap", "assert_exhaustion", "action":
			s.invoke(c)
		}
	}
}

func TestSpecificationBothWays(t *testing.T) {
	for version, least := range map[string]int{"v1": 14_000, "v2": 40_000} {
		t.Run(version, func(t *testing.T) {
			ran, refused := 0, 0
			for name, path := range specFiles(t, version) {
				t.Run(name, func(t *testing.T) {
					s := newSpectest(t)
					s.run(path)
					s.compareMemory(specCommand{})
					ran += s.ran
					refused += s.refused
				})
			}
			t.Logf("%d calls compared, %d modules refused as unsupported", ran, refused)
			if ran < least {
				t.Errorf("%d calls compared, at least %d were expected", ran, least)
			}
		})
	}
}

// upFront is what instructions in these files pay for at once, by their
// operands: chunks of memory, and 0x132 new pages.
var upFront = map[string]int64{
	"bulk": 4096, "memory_copy": 4096, "memory_fill": 4096, "call": 1000 + 16*0x132, "call_indirect": 1000 + 16*0x132,
}

// TestFuelIsTheSame spends the same with a quantum of 10,000 and when every look
// at the fuel yields, and never much between two looks.
func TestFuelIsTheSame(t *testing.T) {
	files := specFiles(t, "v2")
	ran := 0
	for _, name := range []string{
		"block", "br", "br_if", "br_table", "bulk", "call", "call_indirect", "conversions", "fac", "float_exprs",
		"func", "func_ptrs", "global", "if", "int_exprs", "labels", "left-to-right", "load", "local_tee", "loop",
		"memory_copy", "memory_fill", "nop", "return", "select", "simd_load", "stack", "store", "switch", "traps",
		"unreachable", "unwind",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSpectest(t)
			s.twins, s.plain.quantum = true, 0
			s.run(files[name])
			s.compareMemory(specCommand{})
			if s.plain.most > admit.Unpaid+upFront[name] {
				t.Errorf("%d units between two yields", s.plain.most)
			}
			ran += s.ran
		})
	}
	if ran < 5_000 {
		t.Errorf("%d calls compared", ran)
	}
}

// sinceCore1 are modules that version 1 of the suite calls invalid and core 2.0
// allows.
var sinceCore1 = map[string]string{
	"type.3.wasm":               "multiple results",
	"type.4.wasm":               "multiple results",
	"func.20.wasm":              "multiple results",
	"func.21.wasm":              "multiple results",
	"imports.49.wasm":           "multiple tables",
	"unreached-invalid.87.wasm": "labels of a br_table in unreachable code need no common type",
}

// TestSpecificationRefusals has every module that the suite calls malformed or
// invalid refused.
func TestSpecificationRefusals(t *testing.T) {
	for _, version := range []string{"v1", "v2"} {
		refused := 0
		for name, path := range specFiles(t, version) {
			for _, c := range readSpec(t, path).Commands {
				if c.Type != "assert_malformed" && c.Type != "assert_invalid" || c.ModuleType != "binary" {
					continue
				}
				wasm, err := os.ReadFile(filepath.Join(filepath.Dir(path), c.Filename))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := admit.Parse(wasm, admit.Limits{}); err == nil && (version != "v1" || sinceCore1[c.Filename] == "") {
					t.Errorf("%s/%s line %d: accepted (%s)", version, name, c.Line, c.Filename)
				}
				refused++
			}
		}
		t.Logf("%s: %d modules refused", version, refused)
		if refused < 1_600 {
			t.Errorf("%s: %d modules refused", version, refused)
		}
	}
}
