package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/bartizan-mcp/bartizan/engine/message"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
	"github.com/bartizan-mcp/bartizan/internal/wat"
)

const (
	oneFound = `{"status":"complete","findings":[{"rule":"test.high","confidence":1,"segment":0,"start":0,"end":1,"message":""}]}`
	twoFound = `{"status":"complete","findings":[{"rule":"test.high","confidence":1,"segment":0,"start":0,"end":1,"message":""},` +
		`{"rule":"test.high","confidence":1,"segment":1,"start":0,"end":1,"message":""}]}`
)

// finder answers found, but nothing where its configuration begins with "n",
// traps on "t" and refuses "x".
func finder(t testing.TB, name, found string) []byte {
	t.Helper()
	quote := func(s string) string { return strings.ReplaceAll(s, `"`, `\"`) }
	wasm, err := wat.Assemble(fmt.Sprintf(`(module (memory (export "memory") 64)
  (data (i32.const 1024) "%s") (data (i32.const 2048) "%s")
  (func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
  (func (export "bartizan_init") (param $at i32) (param $len i32) (result i32)
    (if (i32.eqz (local.get $len)) (then (return (i32.const 0))))
    (i32.store (i32.const 512) (i32.load8_u (local.get $at)))
    (i32.eq (i32.load (i32.const 512)) (i32.const 120)))
  (func (export "bartizan_scan") (param i32 i32) (result i64)
    (if (i32.eq (i32.load (i32.const 512)) (i32.const 116)) (then unreachable))
    (if (i32.eq (i32.load (i32.const 512)) (i32.const 110)) (then (return (i64.const %d))))
    (i64.const %d)))`, quote(cleanAnswer), quote(found), 1024<<32|len(cleanAnswer), 2048<<32|len(found)))
	if err == nil {
		wasm, err = wasmsection.Attach(wasm, ManifestSection, []byte(`{"abi":1,"name":"`+name+`","version":"1.0.0","phases":["listing","request","result"],`+
			`"encoding":"json","form":"reactor","call":"always","rules":[{"id":"test.high","family":"integrity","severity":"high","taxonomy":[],"description":"Found."}]}`))
	}
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func about(server, entry string) *message.Message {
	return &message.Message{Phase: message.PhaseResult, Server: server, Entry: entry, Segments: []message.Segment{{Kind: message.KindText, Text: "x", Pointer: "/result"}}}
}

func listingOf(server string, entries ...string) *message.Message {
	m := &message.Message{Phase: message.PhaseListing, Server: server}
	for i, entry := range entries {
		m.Items = append(m.Items, message.Item{Kind: "tool", Key: entry})
		m.Segments = append(m.Segments, message.Segment{Kind: message.KindDescription, Text: "x", Pointer: fmt.Sprintf("/tools/%d", i), Item: i, Source: i})
	}
	return m
}

// TestNarrowestBindingCounts holds that a message is judged by the binding that
// is about the least, whatever the order in which they were given.
func TestNarrowestBindingCounts(t *testing.T) {
	e, wasm := newEngine(t), finder(t, "finder", oneFound)
	wide := load(t, e, wasm, Options{Mode: ModeMonitor})
	bind := func(o Options) *Scanner {
		s, err := wide.Rebound(o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	server := bind(Options{Scope: Scope{Server: "acme/a"}})
	entry := bind(Options{Scope: Scope{Server: "acme/a", Entry: "quiet"}, Mode: ModeMonitor})
	configured := load(t, e, wasm, Options{Scope: Scope{Server: "acme/a", Entry: "clean"}, Config: []byte("n")})
	for _, set := range []*Set{NewSet(wide, server, entry, configured), NewSet(configured, entry, server, wide)} {
		for _, c := range []struct {
			m    *message.Message
			want Action
		}{
			{about("acme/b", "loud"), ActionFlag}, {about("acme/b", "quiet"), ActionFlag}, {about("", ""), ActionFlag},
			{about("acme/a", "loud"), ActionBlock}, {about("acme/a", ""), ActionBlock},
			{about("acme/a", "quiet"), ActionFlag}, {about("acme/a", "clean"), ActionAllow},
			{listingOf("acme/b", "loud"), ActionFlag}, {listingOf("acme/a", "loud"), ActionBlock}, {listingOf("acme/a", "quiet"), ActionFlag},
		} {
			v := set.Scan(t.Context(), c.m)
			if v.Action != c.want || len(v.Scanners) != 1 || len(v.Failures) > 0 {
				t.Errorf("%s %s %v: %s, want %s: %+v", c.m.Server, c.m.Entry, c.m.Items, v.Action, c.want, v.Failures)
			}
		}
		if h := set.Health(noon); len(h) != 1 || h[0].Called == 0 {
			t.Errorf("one scanner is counted as %d", len(h))
		}
		if err := set.SelfTest(t.Context()); err != nil {
			t.Error(err)
		}
	}
	alone := NewSet(load(t, e, wasm, Options{Scope: Scope{Server: "acme/a"}}))
	if v := alone.Scan(t.Context(), about("acme/b", "x")); v.Action != ActionAllow || len(v.Scanners) != 0 {
		t.Errorf("bound to another server: %+v", v)
	}
	if v := alone.Scan(t.Context(), about("acme/a", "x")); v.Action != ActionBlock {
		t.Errorf("bound to this server: %+v", v)
	}
}

// TestListingByEntry judges each entry of a list by its own binding, and what
// is said about the list by the strictest.
func TestListingByEntry(t *testing.T) {
	e := newEngine(t)
	wide := load(t, e, finder(t, "finder", twoFound), Options{Mode: ModeMonitor})
	entry, err := wide.Rebound(Options{Scope: Scope{Server: "acme/a", Entry: "guarded"}})
	if err != nil {
		t.Fatal(err)
	}
	set := NewSet(wide, entry)
	actions := func(m *message.Message, d ...Demand) (all []Action) {
		v := set.ScanWith(t.Context(), m, ScanOptions{Demands: d})
		for _, f := range v.Findings {
			all = append(all, f.Action)
		}
		return all
	}
	if got := fmt.Sprint(actions(listingOf("acme/a", "other", "guarded"))); got != "[flag block]" {
		t.Error(got)
	}
	if got := fmt.Sprint(actions(listingOf("acme/b", "other", "guarded"))); got != "[flag flag]" {
		t.Error(got)
	}
	demand := Demand{Scanner: "finder", Entries: []string{"other"}, Mode: ModeEnforce}
	if got := fmt.Sprint(actions(listingOf("acme/b", "other", "guarded"), demand)); got != "[block flag]" {
		t.Error(got)
	}
	brittle := load(t, e, finder(t, "brittle", oneFound), Options{Mode: ModeMonitor, Config: []byte("t")})
	guarded, err := brittle.Rebound(Options{Scope: Scope{Server: "acme/a", Entry: "guarded"}, Config: []byte("t")})
	if err != nil {
		t.Fatal(err)
	}
	set = NewSet(brittle, guarded)
	for entries, want := range map[string]Action{"other": ActionFlag, "other,guarded": ActionBlock} {
		if v := set.Scan(t.Context(), listingOf("acme/a", strings.Split(entries, ",")...)); v.Action != want || len(v.Failures) != 1 {
			t.Errorf("%s, not examined: %s, want %s", entries, v.Action, want)
		}
	}
}

// TestDemandsOnlyAdd has an approval try to weaken, and to strengthen, what the
// operator set.
func TestDemandsOnlyAdd(t *testing.T) {
	e, wasm := newEngine(t), finder(t, "finder", oneFound)
	lax := Options{Mode: ModeMonitor, OnFailure: OnFailureFlag, Tiers: Tiers{SeverityHigh: ActionLog}}
	mild := Options{Tiers: Tiers{SeverityHigh: ActionLog}}
	traps := func(o Options) Options { o.Config = []byte("t"); return o }
	weak := Demand{Scanner: "finder", Mode: ModeMonitor, OnFailure: OnFailureFlag}
	strong := Demand{Scanner: "finder", Mode: ModeEnforce, OnFailure: OnFailureDeny}
	only := func(d Demand, entries ...string) Demand { d.Entries = entries; return d }
	for name, c := range map[string]struct {
		bound  Options
		demand Demand
		want   Action
	}{
		"strict stays strict":             {Options{}, weak, ActionBlock},
		"strict stays strict on failure":  {traps(Options{}), weak, ActionBlock},
		"strict where nothing is said":    {Options{}, Demand{Scanner: "finder"}, ActionBlock},
		"lax stays lax":                   {lax, weak, ActionAllow},
		"lax is made strict":              {lax, strong, ActionBlock},
		"lax is made strict on failure":   {traps(lax), strong, ActionBlock},
		"lax stays lax on failure":        {traps(lax), weak, ActionFlag},
		"enforced, and milder by tier":    {mild, strong, ActionBlock},
		"milder by tier stays":            {mild, weak, ActionAllow},
		"strict for this entry":           {lax, only(strong, "other", "tool"), ActionBlock},
		"strict for others":               {lax, only(strong, "other"), ActionAllow},
		"strict for no entry":             {lax, only(strong, []string{}...), ActionBlock}, // no list: all
		"the module that is loaded":       {lax, Demand{Scanner: "finder", Digest: Digest(wasm)}, ActionAllow},
		"another module":                  {lax, Demand{Scanner: "finder", Digest: Digest(nil)}, ActionBlock},
		"another module for others":       {lax, only(Demand{Scanner: "finder", Digest: Digest(nil)}, "other"), ActionAllow},
		"a scanner that is not there":     {lax, Demand{Scanner: "absent"}, ActionBlock},
		"not there, and merely monitored": {lax, Demand{Scanner: "absent", Mode: ModeMonitor}, ActionBlock},
		"its configuration finds less":    {Options{}, Demand{Scanner: "finder", Config: []byte("n")}, ActionBlock},
		"its configuration finds more":    {Options{Config: []byte("n")}, Demand{Scanner: "finder", Config: []byte("y")}, ActionBlock},
		"more, for others":                {Options{Config: []byte("n")}, only(Demand{Scanner: "finder", Config: []byte("y")}, "other"), ActionAllow},
		"its configuration is refused":    {Options{Config: []byte("n")}, Demand{Scanner: "finder", Config: []byte("x")}, ActionBlock},
		"its configuration breaks it":     {Options{Config: []byte("n")}, Demand{Scanner: "finder", Config: []byte("t")}, ActionBlock},
	} {
		set := NewSet(load(t, e, wasm, c.bound))
		v := set.ScanWith(t.Context(), about("acme/a", "tool"), ScanOptions{Demands: []Demand{c.demand}})
		if v.Action != c.want {
			t.Errorf("%s: %s, want %s: %+v %+v", name, v.Action, c.want, v.Findings, v.Failures)
		}
		if len(v.Findings) > 1 {
			t.Errorf("%s: the same finding %d times", name, len(v.Findings))
		}
		if err := set.close(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDemandsOfMany bounds what approvals have loaded, and loads it once
// however many messages wait for it.
func TestDemandsOfMany(t *testing.T) {
	e := newEngine(t)
	live := NewLive(NewSet(load(t, e, finder(t, "finder", oneFound), Options{Config: []byte("n")})))
	scan := func(config string) Verdict {
		return live.ScanWith(t.Context(), about("acme/a", "tool"), ScanOptions{Demands: []Demand{{Scanner: "finder", Config: []byte(config)}}})
	}
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			if v := scan("y"); v.Action != ActionBlock || len(v.Failures) > 0 {
				t.Errorf("%+v", v)
			}
		})
	}
	work.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	live.ScanWith(ctx, about("acme/a", "tool"), ScanOptions{Demands: []Demand{{Scanner: "finder", Config: []byte("y2")}}})
	if v := scan("y2"); len(v.Failures) > 0 {
		t.Errorf("a caller who left spoiled it for all: %+v", v.Failures)
	}
	for i := range maxConfigured - 2 {
		if v := scan(fmt.Sprintf("n%d", i)); v.Action != ActionAllow {
			t.Fatalf("%d: %+v", i, v)
		}
	}
	if v := scan("n and one more"); v.Action != ActionBlock || len(v.Failures) != 1 || v.Failures[0].Kind != FailureRefused {
		t.Errorf("beyond the bound: %+v", v)
	}
	if err := live.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRebound(t *testing.T) {
	e := newEngine(t)
	s := load(t, e, finder(t, "finder", oneFound), Options{Config: []byte("n")})
	for name, o := range map[string]Options{
		"no configuration": {}, "another": {Config: []byte("y")}, "other limits": {Config: []byte("n"), Limits: Limits{Fuel: 1000}},
		"an entry of no server": {Config: []byte("n"), Scope: Scope{Entry: "x"}}, "no mode": {Config: []byte("n"), Mode: "off"},
	} {
		if _, err := s.Rebound(o); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other, err := s.Rebound(Options{Config: []byte("n"), Mode: ModeMonitor})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v := NewSet(s).Scan(t.Context(), about("a", "b")); v.Action != ActionAllow || len(v.Failures) > 0 {
		t.Errorf("the module went with the other: %+v", v)
	}
}

// TestBindingsHaveCircuitsOfTheirOwn: where one configuration breaks a scanner
// it is spared, and nowhere else.
func TestBindingsHaveCircuitsOfTheirOwn(t *testing.T) {
	e, wasm := newEngine(t), finder(t, "finder", oneFound)
	set := NewSet(load(t, e, wasm, Options{Config: []byte("n")}))
	demand := []Demand{{Scanner: "finder", Config: []byte("t")}}
	for range breakerFailures + 1 {
		set.ScanWith(t.Context(), about("acme/a", "tool"), ScanOptions{Principal: "acme/eve", Now: noon, Demands: demand})
	}
	if v := set.ScanWith(t.Context(), about("acme/a", "tool"), ScanOptions{Principal: "acme/eve", Now: noon, Demands: demand}); !skipped(v) {
		t.Errorf("%+v", v.Failures)
	}
	if v := set.ScanWith(t.Context(), about("acme/b", "tool"), ScanOptions{Principal: "acme/eve", Now: noon}); v.Action != ActionAllow {
		t.Errorf("%+v", v.Failures)
	}
}
