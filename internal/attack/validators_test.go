package attack

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/fixture/proxy"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
	"github.com/bartizan-mcp/bartizan/internal/wat"
)

// brittle is a scanner that traps on SHAT, loops on SPIN and answers with what
// is not its memory on LIES.
const brittle = `(module
  (memory (export "memory") 64)
  (data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
  (func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
  (func (export "bartizan_scan") (param $at i32) (param $end i32) (result i64)
    (local.set $end (i32.add (local.get $at) (local.get $end)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (if (i32.eq (i32.load align=1 (local.get $at)) (i32.const 0x54414853)) (then unreachable))
        (if (i32.eq (i32.load align=1 (local.get $at)) (i32.const 0x4e495053)) (then (loop $forever (br $forever))))
        (if (i32.eq (i32.load align=1 (local.get $at)) (i32.const 0x5345494c)) (then (return (i64.const -1))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i64.const 4398046511139)))`

const brittleManifest = `{"abi":1,"name":"brittle","version":"1.0.0","phases":["request","result"],"encoding":"json","form":"reactor","call":"always","rules":[{"id":"brittle.never","family":"integrity","severity":"low","taxonomy":[],"description":"Never found."}]}`

// TestBrokenScanner (row 9): a scanner that fails denies what it failed on, in
// both directions, and nothing else.
func TestBrokenScanner(t *testing.T) {
	w := enter(t)
	pier := thePier(t, w)
	module, err := wat.Assemble(brittle)
	if err != nil {
		t.Fatal(err)
	}
	if module, err = wasmsection.Attach(module, "bartizan.manifest", []byte(brittleManifest)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "brittle.wasm")
	if err := os.WriteFile(file, module, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := w.open("brittle", "scanners:\n  extra: ["+file+"]\n  trust: [{scanner: brittle, unsafeUnsigned: true}]\n")
	if err != nil {
		t.Fatal(err)
	}
	w.seen(t, d, pier)
	for _, word := range []string{"SHATTER", "SPIN", "LIES"} {
		cue := "brittle " + word
		r := d.call(t, "pier", "tools/call", fmt.Sprintf(`{"name":"pier_act","arguments":{"cue":%q}}`, cue))
		d.refused(t, r, http.StatusForbidden, protocol.CodeBlocked, "scanner_failure")
		pier.untouched(t, `"`+cue+`"`)
		back := "brittle result " + strings.ToLower(word)
		pier.cue(back, saysText("it says "+word))
		r = d.call(t, "pier", "tools/call", pier.act(back))
		d.refused(t, r, http.StatusForbidden, protocol.CodeBlocked, "scanner_failure")
		if strings.Contains(string(r.body), word) {
			t.Errorf("the client is told %s", r.body)
		}
	}
	// More failures than the breaker waits for: skipped is no less denied.
	for i := range 6 {
		cue := fmt.Sprintf("brittle SHATTER %d.", i)
		r := d.call(t, "pier", "tools/call", pier.act(cue))
		d.refused(t, r, http.StatusForbidden, protocol.CodeBlocked, "scanner_failure")
		pier.untouched(t, cue)
	}
	body, header := modern("1", "tools/call", pier.act("brittle-other"))
	if r := do(t, newRequest(t, http.MethodPost, d.url+"/mcp/pier", w.mallory, body, header...)); r.status != http.StatusOK {
		t.Errorf("another caller: %d %s", r.status, r.body)
	}
}

// registryProxy stands between a gateway and its registry and breaks what the
// registry says.
type registryProxy struct {
	server *httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc // nil passes on
}

// quiet is the log of proxies whose peers leave when a test ends.
var quiet = log.New(io.Discard, "", 0)

func newRegistryProxy(t *testing.T, w *world) *registryProxy {
	target, err := url.Parse(w.Registry)
	if err != nil {
		t.Fatal(err)
	}
	p := &registryProxy{}
	pass := proxy.Duplex(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, FlushInterval: -1, ErrorLog: quiet})
	p.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		answer := p.answer
		p.mu.Unlock()
		if answer == nil {
			answer = pass.ServeHTTP
		}
		answer(rw, r)
	}))
	t.Cleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
	})
	return p
}

func (p *registryProxy) answers(h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = h
}

// registryFaults are what a registry can answer instead of the truth.
func registryFaults(t *testing.T, w *world) map[string]http.HandlerFunc {
	target, err := url.Parse(w.Registry)
	if err != nil {
		t.Fatal(err)
	}
	edited := func(edit func([]byte) []byte) http.HandlerFunc {
		return (&httputil.ReverseProxy{
			Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Header.Set("Accept-Encoding", "identity") },
			ErrorLog: quiet,
			ModifyResponse: func(r *http.Response) error {
				body, err := io.ReadAll(r.Body)
				body = edit(body)
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
				r.Header.Set("Content-Length", fmt.Sprint(len(body)))
				return err
			},
		}).ServeHTTP
	}
	says := func(status int, body string) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			rw.WriteHeader(status)
			_, _ = io.WriteString(rw, body)
		}
	}
	return map[string]http.HandlerFunc{
		"500":                            says(500, `{}`),
		"200 and nothing":                says(200, ``),
		"200 and null":                   says(200, `null`),
		"200 and {}":                     says(200, `{}`),
		"an administrator for everybody": says(200, `{"id":"x","hash":"","tenant":"default","principal":"alice","kind":"user","roles":["admin","agent"],"created":"2020-01-01T00:00:00Z","expires":"2999-01-01T00:00:00Z"}`),
		"a flipped bit": edited(func(b []byte) []byte {
			if len(b) > 100 {
				b[len(b)/2] ^= 1
			}
			return b
		}),
		"half":       edited(func(b []byte) []byte { return b[:len(b)/2] }),
		"twice":      edited(func(b []byte) []byte { return append(b, b...) }),
		"disconnect": func(rw http.ResponseWriter, _ *http.Request) { cut(rw, true) },
	}
}

// TestBrokenRegistry (row 9): whatever a registry answers but the truth, keys
// that were never checked open nothing, and a gateway that starts denies.
func TestBrokenRegistry(t *testing.T) {
	w := enter(t)
	pier := thePier(t, w)
	p := newRegistryProxy(t, w)
	d, err := w.openAt("behind", "", p.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.seen(t, d, pier)
	n := 0
	for name, fault := range registryFaults(t, w) {
		n++
		stranger, err := w.Key(fmt.Sprintf("stranger-%d", n), "--role", "agent")
		if err != nil {
			t.Fatal(err)
		}
		p.answers(fault)
		cue := "broken-registry " + name
		body, header := modern("1", "tools/call", pier.act(cue))
		r := do(t, newRequest(t, http.MethodPost, d.url+"/mcp/pier", stranger, body, header...))
		if name == "a flipped bit" && r.status == http.StatusOK {
			// The bit may have hit a date: then the key is the true one still.
		} else if r.status != http.StatusServiceUnavailable && r.status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		} else {
			pier.untouched(t, `"`+cue+`"`)
		}
		forged := "bz_" + strings.Repeat("a", 16) + "_" + strings.Repeat("b", 52)
		if r := do(t, newRequest(t, http.MethodPost, d.url+"/mcp/pier", forged, body, header...)); r.status == http.StatusOK {
			t.Errorf("%s: a forged key opens: %s", name, r.body)
		}
	}
	p.answers(nil)
	if r := d.call(t, "pier", "tools/call", pier.act("broken-registry-mended")); r.status != http.StatusOK {
		t.Errorf("after the registry came back: %d %s", r.status, r.body)
	}

	// What the gateway kept is damaged while it does not run: it does not start
	// over, and it does not start with less.
	d.Stop()
	state := filepath.Join(d.data, "gateway", "state.json")
	whole, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"a flipped bit": append(append(bytes.Clone(whole[:len(whole)/2]), whole[len(whole)/2]^1), whole[len(whole)/2+1:]...),
		"half":          whole[:len(whole)/2],
		"empty":         {},
	} {
		if err := os.WriteFile(state, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := d.start(p.server.URL, false); err == nil {
			r := d.call(t, "pier", "tools/call", pier.act("damaged "+name))
			if r.status == http.StatusOK {
				t.Errorf("%s: %d %s", name, r.status, r.body)
			}
			d.Stop()
		}
		pier.untouched(t, `"damaged `+name)
	}
	if err := os.WriteFile(state, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.start(p.server.URL, true); err != nil {
		t.Fatal(err)
	}
	if r := d.call(t, "pier", "tools/call", pier.act("restored")); r.status != http.StatusOK {
		t.Errorf("after the state came back: %d %s", r.status, r.body)
	}
}

// TestOldSnapshot (row 9): who replays an older snapshot re-admits nothing.
func TestOldSnapshot(t *testing.T) {
	w := enter(t)
	p := newRegistryProxy(t, w)
	d, err := w.openAt("rollback", "", p.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	a := w.cast(t, "raft", protocol.Modern, nil, d)
	target, err := url.Parse(w.Registry)
	if err != nil {
		t.Fatal(err)
	}
	// From here on the proxy can answer with what it was answered before.
	var mu sync.Mutex
	kept := map[string][]byte{}
	replay := false
	p.answers((&httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1,
		ErrorLog:      quiet,
		ModifyResponse: func(r *http.Response) error {
			if !strings.Contains(r.Request.URL.Path, "snapshot") {
				return nil
			}
			body, err := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			if old, ok := kept[r.Request.URL.Path]; ok && replay {
				body = old
			} else if !ok {
				kept[r.Request.URL.Path] = body
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			r.Header.Set("Content-Length", fmt.Sprint(len(body)))
			return err
		},
	}).ServeHTTP)
	w.cast(t, "float", protocol.Modern, nil, d) // another approval brings another snapshot
	mu.Lock()
	if len(kept) == 0 {
		t.Fatal("the gateway asked for no snapshot")
	}
	mu.Unlock()
	if _, err := w.CLI(w.AdminKey, "server", "quarantine", "io.example/raft@1.0.0", "--reason", "a drill"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the withdrawal arrives", func() bool {
		return d.call(t, "raft", "tools/call", a.act("raft-before")).status == http.StatusForbidden || d.call(t, "raft", "tools/call", a.act("raft-before")).status == http.StatusNotFound
	})
	mu.Lock()
	replay = true
	mu.Unlock()
	if _, err := w.CLI(w.AdminKey, "server", "quarantine", "io.example/float@1.0.0", "--reason", "another drill"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the old snapshot is turned down", func() bool {
		return len(d.events(t, audit.Query{Text: "snapshot_refused"})) > 0
	})
	r := d.call(t, "raft", "tools/call", a.act("raft-after"))
	if r.status != http.StatusForbidden && r.status != http.StatusNotFound {
		t.Errorf("%d %s", r.status, r.body)
	}
	a.untouched(t, "raft-after")
}
