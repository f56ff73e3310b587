package scanners

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/cmd/internal/config"
	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/attest"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/release"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
	"github.com/bartizan-mcp/bartizan/internal/wat"
)

const manifest = `{"abi":1,"name":"NAME","version":"VERSION","phases":["request"],"encoding":"json","form":"reactor","call":"always",` +
	`"rules":[{"id":"x.y","family":"integrity","severity":"low","taxonomy":[],"description":"None."}]}`

const (
	clean = `(i64.const 4398046511139)` // 35 bytes at 1024
	traps = `unreachable`
)

// write makes a module file whose bartizan_scan has the given body.
func write(t *testing.T, path, name, version, body string) {
	t.Helper()
	wasm, err := wat.Assemble(`(module (memory (export "memory") 64)
  (data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
  (func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
  (func (export "bartizan_scan") (param i32 i32) (result i64) ` + body + `))`)
	if err != nil {
		t.Fatal(err)
	}
	wasm, err = wasmsection.Attach(wasm, engine.ManifestSection, []byte(strings.NewReplacer("NAME", name, "VERSION", version).Replace(manifest)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, wasm, 0o600); err != nil {
		t.Fatal(err)
	}
}

// embedded stands for the scanners of the binary, which take long to compile.
func embedded(t *testing.T) map[string][]byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "injection.wasm")
	write(t, path, "injection", "1.0.0", clean)
	wasm, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"injection": wasm}
}

// house is a process that runs scanners.
type house struct {
	Operator
	config config.Scanners
	path   string // of the extra scanner
	key    *attest.Key
	audit  string
	log    bytes.Buffer
}

func open(t *testing.T) *house {
	t.Helper()
	dir := t.TempDir()
	h := &house{path: filepath.Join(dir, "ticket.wasm"), audit: filepath.Join(dir, "audit")}
	h.key = newKey(t, filepath.Join(dir, "acme.key"))
	h.release(t, "1.0.0", clean)
	h.config = config.Scanners{
		Mode: config.Enforce, Extra: []string{h.path}, Trust: []config.Trust{{Scanner: "ticket", Keys: []string{filepath.Join(dir, "acme.key.pub")}}},
	}
	ledger, err := release.OpenLedger(filepath.Join(dir, LedgerFile))
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := start(t.Context(), "", h.config, embedded(t), Remembering(ledger))
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open(h.audit, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h.Operator = Operator{
		Loaded: loaded, Settings: func() (config.Config, error) { return config.Config{Scanners: h.config}, h.config.Validate() },
		Origin: audit.Origin{Caller: identity.Caller{Tenant: "default", Principal: "gateway"}},
		Audit:  log, Logger: slog.New(slog.NewTextHandler(&h.log, nil)),
	}
	t.Cleanup(func() {
		if err := loaded.Close(context.Background()); err != nil {
			t.Error(err)
		}
		log.Close()
	})
	return h
}

func newKey(t *testing.T, path string) *attest.Key {
	t.Helper()
	key, err := attest.GenerateKey()
	if err == nil {
		err = key.Save(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// release makes the extra scanner anew, and signs it.
func (h *house) release(t *testing.T, version, body string) {
	t.Helper()
	write(t, h.path, "ticket", version, body)
	sign(t, h.path, h.key)
}

func sign(t *testing.T, path string, key *attest.Key) {
	t.Helper()
	wasm, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.ReadManifest(wasm)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := release.Sign(t.Context(), key, release.Module{Name: m.Name, Version: m.Version, Digest: engine.Digest(wasm)})
	if err == nil {
		err = os.WriteFile(path+release.BundleSuffix, bundle, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) records(t *testing.T, text string) []audit.Record {
	t.Helper()
	found, err := audit.Search(t.Context(), h.audit, audit.Query{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// ticket is the extra scanner as it is in force.
func (h *house) ticket() engine.Health {
	all := h.Loaded.Live.Health()
	return all[len(all)-1]
}

// TestReload walks through what an operator can get wrong, in the order of the
// closed list of reasons, and at last gets it right. What fails changes nothing.
func TestReload(t *testing.T) {
	h := open(t)
	generation := h.Loaded.Live.Generation()
	kept := func(reason string) {
		t.Helper()
		if err := h.Reload(t.Context()); err == nil {
			t.Fatalf("%s: reloaded", reason)
		}
		found := h.records(t, "scanners_kept")
		if len(found) == 0 || !strings.Contains(string(found[0].Raw)+string(found[len(found)-1].Raw), `"status_code":"`+reason+`"`) {
			t.Errorf("%s is not on record: %d records", reason, len(found))
		}
		if h.Loaded.Live.Generation() != generation || h.ticket().Scanner.Version != "1.0.0" {
			t.Errorf("%s: the scanners before are not in force", reason)
		}
		if !strings.Contains(h.log.String(), "reason="+reason) {
			t.Errorf("%s is not in the log:\n%s", reason, h.log.String())
		}
	}
	h.config.Bindings = []config.Binding{{Scanner: "ticket", Mode: "off"}}
	kept("configuration")
	h.config.Bindings = []config.Binding{{Scanner: "tickets"}}
	kept("load")
	h.config.Bindings = nil
	h.release(t, "2.0.0", traps)
	kept("self_test")

	h.release(t, "3.0.0", clean)
	h.config.Bindings = []config.Binding{{Scanner: "ticket", OnFailure: config.UnsafeFlag, Deadline: time.Second}}
	if err := h.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := h.ticket(); got.Scanner.Version != "3.0.0" || got.OnFailure != engine.OnFailureFlag || got.Mode != engine.ModeEnforce {
		t.Errorf("%+v", got.Scanner)
	}
	changed := h.records(t, "scanners_changed")
	if len(changed) != 1 || !strings.Contains(string(changed[0].Raw), `"version":"3.0.0"`) || strings.Contains(string(changed[0].Raw), "injection") {
		t.Errorf("%d records of the change, or one that names what stayed", len(changed))
	}
	if found := h.records(t, "unsafe_used"); len(found) != 1 || !strings.Contains(string(found[0].Raw), "scanners.bindings.ticket.onFailure") {
		t.Errorf("%d records of an unsafe setting", len(found))
	}

	// What cannot be recorded does not happen.
	generation = h.Loaded.Live.Generation()
	h.release(t, "4.0.0", clean)
	if err := h.Audit.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.Reload(t.Context()); err == nil || h.Loaded.Live.Generation() != generation || h.ticket().Scanner.Version != "3.0.0" {
		t.Errorf("reloaded unaudited: %v", err)
	}
}

// TestReloadIsWhole: what a configuration changes beside the scanners takes
// effect with them, on record before, or not at all.
func TestReloadIsWhole(t *testing.T) {
	h := open(t)
	applied := 0
	h.Prepare = func(config.Config) (Change, error) {
		return Change{Settings: []string{"gateway.servers"}, Apply: func() {
			applied++
			if len(h.records(t, "configuration_changed")) != applied {
				t.Error("applied before it was on record")
			}
		}}, nil
	}
	if err := h.Reload(t.Context()); err != nil || applied != 1 {
		t.Fatalf("%v, applied %d times", err, applied)
	}
	before := h.Loaded.Live.Generation()
	h.config.Extra = append(h.config.Extra, filepath.Join(t.TempDir(), "absent.wasm"))
	if err := h.Reload(t.Context()); err == nil || applied != 1 {
		t.Errorf("with scanners that do not load: %v, applied %d times", err, applied)
	}
	h.config.Extra = h.config.Extra[:len(h.config.Extra)-1]
	h.Prepare = func(config.Config) (Change, error) { return Change{}, errors.New("a route that cannot be") }
	if err := h.Reload(t.Context()); err == nil || h.Loaded.Live.Generation() != before {
		t.Errorf("scanners were swapped without the rest: %v", err)
	}
	kept := h.records(t, "scanners_kept")
	if len(kept) != 2 || !bytes.Contains(kept[1].Raw, []byte(`"status_code":"gateway"`)) {
		t.Errorf("%d records", len(kept))
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	twin, other, large := filepath.Join(dir, "twin.wasm"), filepath.Join(dir, "other.wasm"), filepath.Join(dir, "large.json")
	write(t, twin, "injection", "1.0.0", clean)
	write(t, other, "other", "1.0.0", clean)
	if err := os.WriteFile(large, make([]byte, maxConfigFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]config.Scanners{
		"a second scanner of one name":            {Extra: []string{twin}},
		"one module twice":                        {Extra: []string{other, other}},
		"no file":                                 {Extra: []string{filepath.Join(dir, "none.wasm")}},
		"a folder":                                {Extra: []string{dir}},
		"a binding for nobody":                    {Bindings: []config.Binding{{Scanner: "other"}}},
		"less memory than it starts with":         {Extra: []string{other}, Bindings: []config.Binding{{Scanner: "other", MemoryBytes: 64 << 10}}},
		"no configuration file":                   {Extra: []string{other}, Bindings: []config.Binding{{Scanner: "other", Config: filepath.Join(dir, "none.json")}}},
		"a large configuration":                   {Extra: []string{other}, Bindings: []config.Binding{{Scanner: "other", Config: large}}},
		"a configuration for one that takes none": {Extra: []string{other}, Bindings: []config.Binding{{Scanner: "other", Config: twin}}},
	} {
		loaded, err := start(t.Context(), "", c, embedded(t), Unverified)
		if err == nil {
			t.Errorf("%s: loaded", name)
			loaded.Close(t.Context())
		} else if !errors.Is(err, ErrLoad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDefaultTiersAreTheEngines holds what the configuration calls milder or
// stricter to what the engine does.
func TestDefaultTiersAreTheEngines(t *testing.T) {
	want := engine.Tiers{}
	for severity, action := range config.DefaultTiers {
		want[engine.Severity(severity)] = engine.Action(action)
	}
	if diff := cmp.Diff(want, engine.DefaultTiers()); diff != "" {
		t.Error(diff)
	}
}

// TestDocumentedLimits holds docs/configuration.md to the engine's defaults.
func TestDocumentedLimits(t *testing.T) {
	body, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	l := engine.DefaultLimits
	for _, want := range []string{
		fmt.Sprintf("| `memoryBytes` | %d MiB |", l.MemoryBytes>>20), fmt.Sprintf("| `fuel` | %d |", l.Fuel),
		fmt.Sprintf("| `fuelPerByte` | %d |", l.FuelPerByte), fmt.Sprintf("| `deadline` | `%v` |", l.Deadline),
	} {
		if !strings.Contains(string(body), want) {
			t.Errorf("no %s", want)
		}
	}
}

// TestNarrowerBindings loads a scanner as the operator bound it to all, to a
// server and to a tool, compiled once where its configuration is the same.
func TestNarrowerBindings(t *testing.T) {
	h := open(t)
	h.config.Bindings = []config.Binding{
		{Scanner: "ticket", Mode: config.UnsafeMonitor},
		{Scanner: "ticket", Server: "acme/mail", Mode: config.Enforce},
		{Scanner: "ticket", Server: "acme/mail", Entries: []string{"send"}, Deadline: time.Second},
	}
	h.release(t, "2.0.0", traps)
	h.Loaded.gate = Remembering(nil) // what traps fails its self-test: started with, not reloaded
	set, _, err := h.Loaded.load(t.Context(), h.config)
	if err != nil {
		t.Fatal(err)
	}
	live := engine.NewLive(set)
	defer live.Close(t.Context())
	for _, c := range []struct {
		server, entry string
		want          engine.Action
	}{
		{"acme/files", "send", engine.ActionFlag}, {"acme/mail", "read", engine.ActionBlock}, {"acme/mail", "send", engine.ActionBlock},
	} {
		m := &message.Message{Phase: message.PhaseRequest, Server: c.server, Entry: c.entry, Segments: []message.Segment{{Kind: message.KindArgument, Text: "x"}}}
		if v := live.Scan(t.Context(), m); v.Action != c.want || len(v.Failures) != 1 {
			t.Errorf("%s %s: %s, want %s: %+v", c.server, c.entry, v.Action, c.want, v.Failures)
		}
	}
	bound, err := configure(h.config, embedded(t), h.Loaded.gate)
	if err != nil || len(bound[0].Narrower) != 0 || len(bound[1].Narrower) != 2 {
		t.Fatalf("%v %+v", err, bound)
	}
	loaded, err := bind(t.Context(), h.Loaded.engine, bound[1])
	if err != nil || len(loaded) != 3 {
		t.Fatalf("%d, %v", len(loaded), err)
	}
	for _, s := range loaded {
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	h.config.Bindings[1].Config = filepath.Join(t.TempDir(), "none.json")
	if _, err := configure(h.config, embedded(t), h.Loaded.gate); !errors.Is(err, ErrLoad) {
		t.Errorf("a configuration that is not there: %v", err)
	}
}

func TestOptions(t *testing.T) {
	c := config.Scanners{Mode: config.UnsafeMonitor, Bindings: []config.Binding{{
		Scanner: "x", Mode: config.Enforce, OnFailure: config.UnsafeFlag, MemoryBytes: 1 << 20, Fuel: 7, FuelPerByte: 8, Deadline: time.Second,
		Tiers: map[string]string{"low": "block"}, UnsafeTiers: map[string]string{"high": "log"},
	}}}
	got, err := options(c, "x", config.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	want := engine.Options{
		Mode: engine.ModeEnforce, OnFailure: engine.OnFailureFlag,
		Limits: engine.Limits{MemoryBytes: 1 << 20, Fuel: 7, FuelPerByte: 8, Deadline: time.Second},
		Tiers:  engine.Tiers{engine.SeverityLow: engine.ActionBlock, engine.SeverityHigh: engine.ActionLog},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if other, err := options(c, "y", config.Scope{}); err != nil || other.Mode != engine.ModeMonitor || other.OnFailure != engine.OnFailureDeny {
		t.Errorf("%+v %v", other, err)
	}
}
