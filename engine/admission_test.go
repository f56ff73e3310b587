package engine

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/engine/message"
)

func TestLoadRefuses(t *testing.T) {
	drop := func(names ...string) func(*asm, map[string]bool) {
		return func(_ *asm, has map[string]bool) {
			for _, n := range names {
				has[n] = true
			}
		}
	}
	imports := func(module, name string, params, results []byte) func(*asm, map[string]bool) {
		return func(a *asm, _ map[string]bool) { a.imp(module, name, params, results) }
	}
	manifests := func(contents ...string) func(*asm, map[string]bool) {
		return func(a *asm, has map[string]bool) {
			has["manifest"] = true
			for _, c := range contents {
				a.custom(ManifestSection, c)
			}
		}
	}
	for name, tc := range map[string]struct {
		edit   func(*asm, map[string]bool)
		err    error
		detail string
	}{
		"no memory": {drop(exportMemory), ErrExports, "missing memory"},
		"no alloc":  {drop(exportAlloc), ErrExports, "missing bartizan_alloc(i32) -> (i32)"},
		"no scan":   {drop(exportScan), ErrExports, "missing bartizan_scan(i32, i32) -> (i64)"},
		"wrong scan": {func(a *asm, has map[string]bool) {
			has[exportScan] = true
			a.fn(exportScan, i32x2, []byte{wasmI32}, i32c(0))
		}, ErrExports, "bartizan_scan has type (i32, i32) -> (i32): the ABI wants (i32, i32) -> (i64)"},
		"wrong init": {func(a *asm, _ map[string]bool) { a.fn(exportInit, nil, nil) }, ErrExports, "the ABI wants (i32, i32) -> (i32)"},
		"wrong start": {func(a *asm, _ map[string]bool) { a.fn(exportStart, []byte{wasmI32}, nil) }, ErrExports,
			"the ABI wants () -> ()"},
		"command":                {func(a *asm, has map[string]bool) { has[exportScan] = true; a.fn("_start", nil, nil) }, ErrExports, "WASI command"},
		"environment function":   {imports("env", "abort", nil, nil), ErrImports, `"abort" of module "env"`},
		"files":                  {imports(wasiModule, "path_open", i32x2, []byte{wasmI32}), ErrImports, `"path_open"`},
		"sockets":                {imports(wasiModule, "sock_send", i32x2, []byte{wasmI32}), ErrImports, `"sock_send"`},
		"invented host function": {imports(hostModule, "match", nil, nil), ErrImports, `"match" of module "bartizan"`},
		"log of the wrong type":  {imports(hostModule, "log", i32x2, nil), ErrImports, "the ABI wants (i32, i32, i32) -> ()"},
		"memory from outside": {func(a *asm, _ map[string]bool) {
			a.imports = append(a.imports, append(append(bytesOf("env"), bytesOf("memory")...), 2, 0, 1))
			a.pages = 0
		}, ErrModule, `import of a memory ("env"."memory")`},
		"too much memory": {func(a *asm, _ map[string]bool) { a.pages = 60000 }, ErrLimits, "starts with 3932160000 bytes"},
		"invalid code": {func(a *asm, has map[string]bool) {
			has[exportScan] = true
			a.fn(exportScan, i32x2, []byte{wasmI64}, []byte{0xff})
		},
			ErrModule, ""},
		"no manifest":    {manifests(), ErrManifest, "has 0"},
		"two manifests":  {manifests(testManifest, testManifest), ErrManifest, "has 2"},
		"empty manifest": {manifests(""), ErrManifest, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t)
			_, err := e.Load(t.Context(), module(cleanAnswer, tc.edit), Options{})
			if !errors.Is(err, tc.err) || !strings.Contains(err.Error(), tc.detail) {
				t.Errorf("got %v; want %v: %s", err, tc.err, tc.detail)
			}
			serves(t, e)
		})
	}
}

func TestLoadRefusesOptions(t *testing.T) {
	e := newEngine(t)
	wasm := module(cleanAnswer, nil)
	for name, tc := range map[string]struct {
		opts Options
		err  error
	}{
		"mode":                  {Options{Mode: "off"}, ErrOptions},
		"tier action":           {Options{Tiers: Tiers{SeverityHigh: "ignore"}}, ErrOptions},
		"tier severity":         {Options{Tiers: Tiers{"severe": ActionBlock}}, ErrOptions},
		"config without init":   {Options{Config: []byte("x")}, ErrOptions},
		"module over the limit": {Options{Limits: Limits{ModuleBytes: 64}}, ErrLimits},
		"memory over the limit": {Options{Limits: Limits{MemoryBytes: 1 << 20}}, ErrLimits},
	} {
		if _, err := e.Load(t.Context(), wasm, tc.opts); !errors.Is(err, tc.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, junk := range map[string][]byte{"empty": nil, "text": []byte("#!/bin/sh"), "component": []byte("\x00asm\x0d\x00\x01\x00")} {
		if _, err := e.Load(t.Context(), junk, Options{}); !errors.Is(err, ErrModule) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoadUnmanifested(t *testing.T) {
	e := newEngine(t)
	const found = `{"status":"complete","findings":[{"rule":"exfil.key","severity":"medium","confidence":1,"segment":0,"start":0,"end":1,"message":"m"}]}`
	wasm := module(found, func(_ *asm, has map[string]bool) { has["manifest"] = true })
	s, err := e.LoadUnmanifested(t.Context(), wasm, "mine", Options{})
	if err != nil {
		t.Fatal(err)
	}
	v := NewSet(s).Scan(t.Context(), result("text"))
	if len(v.Findings) != 1 || v.Findings[0].Family != "exfil" || v.Findings[0].Scanner != "mine" || v.Action != ActionFlag {
		t.Errorf("%+v", v)
	}
	if _, err := e.LoadUnmanifested(t.Context(), module(found, nil), "mine", Options{}); !errors.Is(err, ErrManifest) {
		t.Errorf("a module with a manifest: %v", err)
	}
}

func TestParseManifest(t *testing.T) {
	m, err := ParseManifest([]byte(testManifest))
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "test" || len(m.Rules) != 2 || m.Rules[0].Severity != SeverityHigh || len(m.Phases) != 5 {
		t.Errorf("%+v", m)
	}
	for name, tc := range map[string]struct{ old, new, detail string }{
		"abi":                  {`"abi":1`, `"abi":2`, "abi: found 2"},
		"name":                 {`"name":"test"`, `"name":"Test Scanner"`, "name"},
		"version":              {`"version":"0.1.0"`, `"version":"new"`, "version"},
		"phase":                {`"phases":["listing"`, `"phases":["weekly"`, "weekly"},
		"phase twice":          {`"phases":["listing"`, `"phases":["result"`, "twice"},
		"no phases":            {`"phases":["listing","request","result","prompt","resource"]`, `"phases":[]`, "phases"},
		"encoding":             {`"encoding":"json"`, `"encoding":"cbor"`, `encoding: found "cbor"`},
		"component":            {`"form":"reactor"`, `"form":"component"`, `form: found "component"`},
		"triggered by nothing": {`"call":"always"`, `"call":"triggered"`, "wants patterns or a trigger"},
		"call":                 {`"call":"always"`, `"call":"sometimes"`, `call: found "sometimes"`},
		"no call":              {`"call":"always",`, ``, "call is missing"},
		"patterns":             {`"rules"`, `"patterns":[],"rules"`, "patterns: none"},
		"null":                 {`"rules"`, `"trigger":null,"rules"`, "null"},
		"null, deeper":         {`"rules"`, `"limits":{"fuel":null},"rules"`, "null"},
		"unknown member":       {`"rules"`, `"network":true,"rules"`, "network"},
		"duplicate member":     {`"name":"test"`, `"name":"test","name":"other"`, "duplicate"},
		"case":                 {`"name":"test"`, `"Name":"test"`, "Name"},
		"rules[1].id":          {`"id":"test.low"`, `"id":"Test low"`, "rules[1].id"},
		"rule twice":           {`"id":"test.low"`, `"id":"test.high"`, "twice"},
		"family":               {`"family":"integrity"`, `"family":"virus"`, "family"},
		"severity":             {`"severity":"low"`, `"severity":"awful"`, "severity"},
		"no description":       {`"description":"A test's low finding."`, `"description":""`, "description"},
		"taxonomy":             {`"OWASP-MCP06"`, `"<b>"`, "taxonomy"},
		"negative deadline":    {`"rules"`, `"limits":{"deadlineMs":-1},"rules"`, "negative"},
		"memory over 32 bits":  {`"rules"`, `"limits":{"memoryBytes":4294967296},"rules"`, ""},
		"trailing":             {`finding."}]}`, `finding."}]}{}`, ""},
		"too long":             {`"name"`, strings.Repeat(" ", maxManifest) + `"name"`, "at most"},
	} {
		src := strings.Replace(testManifest, tc.old, tc.new, 1)
		if src == testManifest {
			t.Fatalf("%s: nothing replaced", name)
		}
		if _, err := ParseManifest([]byte(src)); !errors.Is(err, ErrManifest) || !strings.Contains(err.Error(), tc.detail) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWantedLimits(t *testing.T) {
	given := DefaultLimits
	got, err := Wanted{MemoryBytes: 1 << 20, DeadlineMs: 10}.within(given)
	if err != nil || got.MemoryBytes != 1<<20 || got.Deadline != 10*time.Millisecond || got.Findings != given.Findings {
		t.Errorf("%+v, %v", got, err)
	}
	for _, w := range []Wanted{{MemoryBytes: given.MemoryBytes + 1}, {DeadlineMs: int(given.Deadline/time.Millisecond) + 1}} {
		if _, err := w.within(given); !errors.Is(err, ErrLimits) {
			t.Errorf("%+v: %v", w, err)
		}
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(testManifest))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := ParseManifest(b); err == nil && (m.ABI != ABI || len(m.Rules) == 0 || len(m.Phases) == 0) {
			t.Errorf("accepted %q", b)
		}
	})
}

func TestInspect(t *testing.T) {
	in := Inspect(module(cleanAnswer, nil))
	if in.Manifest == nil || in.Manifest.Name != "test" || len(in.Problems) != 0 || in.Memory == nil || in.Memory.Min != 48<<16 || in.Memory.Max != nil {
		t.Errorf("%+v", in)
	}
	if diff := cmp.Diff([]string{"bartizan_alloc(i32) -> (i32)", "bartizan_scan(i32, i32) -> (i64)", "memory"}, in.Exports); diff != "" {
		t.Error(diff)
	}
	if in.Caps != (Caps{64 << 20, 100_000_000, 10_000, 5000, 64 << 10, 256}) {
		t.Errorf("caps %+v", in.Caps)
	}
	in = Inspect(module(cleanAnswer, func(a *asm, has map[string]bool) {
		has["manifest"] = true
		a.global(1)
		a.custom(ManifestSection, strings.Replace(testManifest, `"rules"`, `"limits":{"fuel":7,"deadlineMs":9},"rules"`, 1))
	}))
	if in.Caps.Fuel != 7 || in.Caps.DeadlineMs != 9 || in.Caps.FuelPerByte != 10_000 {
		t.Errorf("caps of a modest scanner %+v", in.Caps)
	}
	want := []string{"bartizan:fuel", "bartizan:depth", "bartizan:dirty", "bartizan:global.0"}
	if added := in.Injected; added == nil || added.Functions == 0 || added.Bytes <= 0 || !cmp.Equal(added.Exports, want) || len(added.Imports) != 2 {
		t.Errorf("injected %+v", added)
	}
	in = Inspect(module(cleanAnswer, func(a *asm, has map[string]bool) {
		has["manifest"], has[exportScan] = true, true
		a.imp("env", "abort", nil, nil)
	}))
	if len(in.Problems) != 2 || in.Manifest != nil || !cmp.Equal(in.Imports, []string{"env.abort"}) {
		t.Errorf("a bad module: %+v", in)
	}
}

// TestInspectAgreesWithLoad holds that inspection finds a problem with exactly
// what admission refuses.
func TestInspectAgreesWithLoad(t *testing.T) {
	e := newEngine(t)
	manifest := func(content string) func(*asm, map[string]bool) {
		return func(a *asm, has map[string]bool) { has["manifest"] = true; a.custom(ManifestSection, content) }
	}
	for name, wasm := range map[string][]byte{
		"good":          module(cleanAnswer, nil),
		"memory":        module(cleanAnswer, func(a *asm, _ map[string]bool) { a.pages = 60000 }),
		"wanted memory": module(cleanAnswer, manifest(strings.Replace(testManifest, `"rules"`, `"limits":{"memoryBytes":100},"rules"`, 1))),
		"log type":      module(cleanAnswer, func(a *asm, _ map[string]bool) { a.imp(hostModule, "log", i32x2, nil) }),
		"WASI type":     module(cleanAnswer, func(a *asm, _ map[string]bool) { a.imp(wasiModule, "proc_exit", nil, nil) }),
		"two manifests": module(cleanAnswer, func(a *asm, _ map[string]bool) { a.custom(ManifestSection, testManifest) }),
		"bad manifest":  module(cleanAnswer, manifest(`{"abi":1,"abi":1}`)),
		"code":          module(cleanAnswer, func(a *asm, _ map[string]bool) { a.fn("", nil, nil, []byte{0xff}) }),
		"cut":           module(cleanAnswer, nil)[:100],
		"text":          []byte("text"),
		"empty":         nil,
		"long":          make([]byte, DefaultLimits.ModuleBytes+1),
	} {
		_, err := e.Load(t.Context(), wasm, Options{})
		in := Inspect(wasm)
		if (err == nil) != (len(in.Problems) == 0) || in.Digest != Digest(wasm) {
			t.Errorf("%s: Load says %v, Inspect %q", name, err, in.Problems)
		}
	}
	unmanifested := module(cleanAnswer, func(_ *asm, has map[string]bool) { has["manifest"] = true })
	if in := Inspect(unmanifested); len(in.Problems) != 0 || in.Manifest != nil {
		t.Errorf("a module without a manifest: %+v", in)
	}
}

// TestExaminesItsPhasesOnly holds that a scanner sees no other traffic.
func TestExaminesItsPhasesOnly(t *testing.T) {
	wasm := module(`{}`, func(a *asm, has map[string]bool) { // a fault wherever it is called
		has["manifest"] = true
		a.custom(ManifestSection, strings.Replace(testManifest, `"listing","request","result","prompt","resource"`, `"listing"`, 1))
	})
	set := NewSet(load(t, newEngine(t), wasm, Options{}))
	m := result("text")
	if v := set.Scan(t.Context(), m); v.Action != ActionAllow || len(v.Scanners) != 0 {
		t.Errorf("result: %+v", v)
	}
	m.Phase = message.PhaseListing
	if v := set.Scan(t.Context(), m); v.Action != ActionBlock || len(v.Failures) != 1 {
		t.Errorf("listing: %+v", v)
	}
}
