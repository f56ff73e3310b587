package cases_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
	"github.com/bartizan-mcp/bartizan/internal/wat"
	"github.com/bartizan-mcp/bartizan/plugins"
)

// TestTriggersMissNothing is the proof that calling first-party scanners only
// where their triggers hold gives the verdicts of calling them always: over the
// public corpora, each message by itself.
func TestTriggersMissNothing(t *testing.T) {
	e := newEngine(t)
	sets := map[string]*engine.Set{}
	for file, wasm := range modules(t) {
		m, err := engine.ReadManifest(wasm)
		if err != nil {
			t.Fatal(err)
		}
		if m.Call != engine.CallTriggered {
			continue
		}
		s, err := e.Load(t.Context(), wasm, engine.Options{Mode: engine.ModeEnforce})
		if err != nil {
			t.Fatal(err)
		}
		sets[file] = engine.NewSet(s)
	}
	if len(sets) == 0 {
		t.Skip("no first-party scanner is triggered")
	}
	all := readCorpora(t)
	var compared, called atomic.Int64
	t.Run("corpora", func(t *testing.T) {
		for name, set := range sets {
			for _, c := range all {
				t.Run(name+"/"+c.file, func(t *testing.T) {
					t.Parallel()
					for i, m := range c.messages {
						if testing.Short() && i%10 > 0 {
							continue
						}
						examined, n, diff := disagreement(t, set, m)
						if diff != "" {
							t.Fatalf("message %d: (-always +triggered)\n%s", i, diff)
						}
						compared.Add(int64(examined))
						called.Add(int64(n))
					}
				})
			}
		}
	})
	t.Logf("%d verdicts of %d triggered scanners compared, %d of them from a call", compared.Load(), len(sets), called.Load())
	if n := compared.Load(); n < int64(100*len(sets)) || called.Load() == n {
		t.Errorf("%d verdicts compared, %d of them from a call: that proves nothing", n, called.Load())
	}
}

// TestOrdinaryCallsAreSpared holds that what every message of both eras carries
// calls no triggered scanner, but for the one that reads what servers return.
func TestOrdinaryCallsAreSpared(t *testing.T) {
	e := newEngine(t)
	sets := map[string]*engine.Set{}
	for _, name := range []string{"exfil", "injection"} {
		s, err := e.Load(t.Context(), modules(t)[name], engine.Options{Mode: engine.ModeEnforce})
		if err != nil {
			t.Fatal(err)
		}
		sets[name] = engine.NewSet(s)
	}
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"example-client","version":"1.4.0"},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"form":{}}}}`
	for name, wire := range map[string]string{
		"call, legacy":      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"tides","arguments":{"berth":"quay 12","on":"2026-11-20"},"_meta":{"progressToken":7}}}`,
		"call, modern":      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"tides","arguments":{"berth":"the outer quay"},` + meta + `}}`,
		"list, modern":      `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + meta + `}}`,
		"result, modern":    `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"type":"text","text":"High water is at 11:40."}],"structuredContent":{"high":"11:40"},"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"harbour","version":"2.0.1"}}}}`,
		"initialize":        `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"roots":{"listChanged":true}},"clientInfo":{"name":"example-client","title":"Example","version":"1.4.0"}}}`,
		"initialize result": `{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"harbour","version":"2.0.1"},"instructions":"Ask for one berth."}}`,
		"error":             `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no such berth","data":{"berth":"99"}}}`,
	} {
		raw, err := jsonrpc.Parse([]byte(wire), jsonrpc.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		m, err := message.FromRequest("harbour", raw)
		if raw.Kind == jsonrpc.Response {
			m, err = message.FromResult("harbour", "tools/call", "tides", raw)
		}
		if err != nil {
			t.Fatal(err)
		}
		for file, set := range sets {
			if file == "injection" && m.Phase != message.PhaseRequest {
				continue
			}
			if v := set.Scan(t.Context(), m); len(v.Called) > 0 || len(v.Scanners) != 1 {
				t.Errorf("%s: %v of %v were called", name, v.Called, v.Scanners)
			}
		}
	}
}

// TestBlindTriggersAreFound holds the proof to finding what it is there for: a
// scanner whose trigger lets an attack pass.
func TestBlindTriggersAreFound(t *testing.T) {
	const manifest = `{"abi":1,"name":"blind","version":"0.1.0","phases":["result"],"encoding":"json","form":"reactor","call":"triggered",` +
		`"patterns":[{"id":"absent","text":"words that no attack needs"}],"rules":[{"id":"blind.all","family":"injection","severity":"high","description":"d"}]}`
	e := newEngine(t)
	s, err := e.Load(t.Context(), objecting(t, manifest), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := message.FromContent("server", "tool", "an attack")
	if err != nil {
		t.Fatal(err)
	}
	if _, n, diff := disagreement(t, engine.NewSet(s), m); n != 0 || diff == "" {
		t.Errorf("%d calls, no difference", n)
	}
	m, err = message.FromContent("server", "tool", "an attack in words that no attack needs")
	if err != nil {
		t.Fatal(err)
	}
	if _, n, diff := disagreement(t, engine.NewSet(s), m); n != 1 || diff != "" {
		t.Errorf("%d calls, %s", n, diff)
	}
}

// disagreement scans a message as triggered and always. It returns how many
// scanners examine such messages, how many of them the triggers called, and how
// the verdicts differ.
func disagreement(t *testing.T, set *engine.Set, m *message.Message) (examined, called int, diff string) {
	t.Helper()
	triggered := set.Scan(t.Context(), m)
	always := set.ScanWith(t.Context(), m, engine.ScanOptions{Always: true})
	examined, called = len(triggered.Scanners), len(triggered.Called)
	for _, v := range []*engine.Verdict{&always, &triggered} {
		if slices.ContainsFunc(v.Failures, func(f engine.Failure) bool { return f.Kind == engine.FailureDeadline }) {
			return 0, 0, "" // says something about the machine, nothing about the trigger
		}
		v.Elapsed, v.Fuel, v.Called = 0, 0, nil
	}
	return examined, called, cmp.Diff(always, triggered)
}

func newEngine(t testing.TB) *engine.Engine {
	t.Helper()
	e, err := engine.New(t.Context(), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(context.Background()) })
	return e
}

func modules(t testing.TB) map[string][]byte {
	t.Helper()
	all, err := plugins.Modules()
	if errors.Is(err, plugins.ErrNotBuilt) {
		t.Skip("the scanners are not built: run make plugins")
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// objecting is a module that objects to everything it is called for.
func objecting(t *testing.T, manifest string) []byte {
	t.Helper()
	const answer = `{"status":"complete","findings":[{"rule":"blind.all","confidence":1,"segment":0,"start":0,"end":1,"message":"m"}]}`
	wasm, err := wat.Assemble(fmt.Sprintf(`(module
		(memory (export "memory") 2)
		(data (i32.const 64) %q)
		(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 4096))
		(func (export "bartizan_scan") (param i32 i32) (result i64) (i64.const %d)))`,
		answer, 64<<32|len(answer)))
	if err != nil {
		t.Fatal(err)
	}
	wasm, err = wasmsection.Attach(wasm, engine.ManifestSection, []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}
