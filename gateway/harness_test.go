package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/fingerprint"
	"github.com/bartizan-mcp/bartizan/internal/fixture/closing"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
	"github.com/bartizan-mcp/bartizan/internal/wasmsection"
)

// everything is the go-sdk's conformance server, guest the scanner of
// testdata/guest with its manifest.
var (
	everything string
	guest      []byte
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == parrotCommand {
		newParrot().speak(os.Args[2])
		return
	}
	if len(os.Args) == 3 && os.Args[1] == shufflerCommand {
		newShuffler(os.Args[2]).speak()
		return
	}
	dir, err := os.MkdirTemp("", "gateway")
	if err != nil {
		log.Fatal(err)
	}
	everything = filepath.Join(dir, "everything-server")
	build(everything, "github.com/modelcontextprotocol/go-sdk/conformance/everything-server")
	wasm := filepath.Join(dir, "guest.wasm")
	build(wasm, "./testdata/guest", "GOOS=wasip1", "GOARCH=wasm")
	module, err := os.ReadFile(wasm)
	if err != nil {
		log.Fatal(err)
	}
	guest, err = wasmsection.Attach(module, "bartizan.manifest", []byte(guestManifest))
	if err != nil {
		log.Fatal(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

const guestManifest = `{"abi":1,"name":"marker","version":"0.1.0","phases":["listing","request","result","prompt","resource"],
"encoding":"json","form":"reactor","call":"always","limits":{"memoryBytes":67108864,"deadlineMs":1500},
"rules":[{"id":"marker.block","family":"injection","severity":"high","taxonomy":[],"description":"A marker to block."},
{"id":"marker.redact","family":"injection","severity":"medium","taxonomy":[],"description":"A marker to remove."},
{"id":"marker.note","family":"injection","severity":"low","taxonomy":[],"description":"A word to put on record."},
{"id":"marker.mark","family":"injection","severity":"info","taxonomy":[],"description":"A word to remember."}]}`

func build(out, pkg string, env ...string) {
	args := []string{"build", "-buildvcs=false", "-o", out}
	if len(env) > 0 {
		args = append(args, "-buildmode=c-shared", "-ldflags=-s -w")
	}
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Env = append(os.Environ(), env...)
	if b, err := cmd.CombinedOutput(); err != nil {
		log.Fatalf("building %s: %v\n%s", pkg, err, b)
	}
}

// house is a gateway with everything around it.
type house struct {
	*Gateway
	t         *testing.T
	url       string
	approvals *approvals
	keys      *keys
	auditPath string
	token     string // of alice, an agent
	drifts    chan Drift
}

// open starts a gateway for the given routes; edit may change its config.
func open(t *testing.T, edit func(*Config), routes ...Route) *house {
	t.Helper()
	h := &house{t: t, approvals: &approvals{}, keys: &keys{}, drifts: make(chan Drift, 64)}
	h.auditPath = filepath.Join(t.TempDir(), "audit")
	h.token = h.keys.issue(t, "alice", identity.RoleAgent)
	cfg := Config{
		Approvals: h.approvals, Keys: h.keys, Routes: routes, UnsafeRun: true,
		Recheck: 20 * time.Millisecond, Logger: testLogger(t),
		OnDrift:  func(_ context.Context, d Drift) { h.drifts <- d },
		Upstream: upstream.Limits{CallTimeout: 20 * time.Second},
	}
	if edit != nil {
		edit(&cfg)
	}
	if cfg.Audit == nil {
		cfg.Audit = openAudit(t, h.auditPath)
	}
	if cfg.Scanners == nil {
		cfg.Scanners = markers(t)
	}
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.Gateway = g
	server := httptest.NewServer(g)
	h.url = server.URL
	t.Cleanup(func() {
		g.Close()
		closing.Server(server)
	})
	return h
}

func testLogger(t testing.TB) *slog.Logger {
	if !testing.Verbose() {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

func openAudit(t testing.TB, path string) *audit.Log {
	t.Helper()
	l, err := audit.Open(path, audit.Options{Feature: "gateway"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

var sharedScanner = sync.OnceValues(func() (*engine.Scanner, error) {
	e, err := engine.New(context.Background(), engine.Config{})
	if err != nil {
		return nil, err
	}
	return e.Load(context.Background(), guest, engine.Options{})
})

// markers is a set of the test scanner, which is compiled once.
func markers(t testing.TB) *engine.Live {
	t.Helper()
	s, err := sharedScanner()
	if err != nil {
		t.Fatal(err)
	}
	live := engine.NewLive(engine.NewSet(s))
	if err := live.SelfTest(t.Context()); err != nil {
		t.Fatal(err)
	}
	return live
}

// approvals is what a Keeper would answer.
type approvals struct {
	mu   sync.Mutex
	list []*approval.Approval
	err  error
}

func (a *approvals) Find(server string) (*approval.Approval, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return nil, a.err
	}
	i := slices.IndexFunc(a.list, func(have *approval.Approval) bool { return have.Server == server })
	if i < 0 {
		return nil, approval.ErrNotApproved
	}
	return a.list[i], nil
}

func (a *approvals) All() []*approval.Approval {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return nil
	}
	return slices.Clone(a.list)
}

func (a *approvals) set(err error, list ...*approval.Approval) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list, a.err = list, err
}

// approve captures what the target lists now and approves it under an alias.
func (h *house) approve(alias string, target upstream.Target, edit ...func(*approval.Approval)) *approval.Approval {
	h.t.Helper()
	a := approvalOf(h.t, len(h.approvals.All())+1, alias, target)
	for _, f := range edit {
		f(a)
	}
	h.approvals.set(nil, append(h.approvals.All(), a)...)
	return a
}

// approvalOf is the nth approval, of what the target lists now.
func approvalOf(t testing.TB, n int, alias string, target upstream.Target) *approval.Approval {
	t.Helper()
	capture, err := upstream.Capture(t.Context(), target, upstream.Limits{})
	if err != nil {
		t.Fatalf("capture: %v", err)
	}
	a := &approval.Approval{Digest: fmt.Sprintf("%064x", n)}
	a.Tenant, a.Server, a.Version, a.Alias = identity.DefaultTenant, "io.example/"+alias, "1.0.0", alias
	a.Binding, a.Launch = approval.BindingEndpoint, approval.Launch{URL: target.URL, Transport: target.Transport}
	if len(target.Command) > 0 {
		a.Binding, a.Launch = approval.BindingCommand, approval.Launch{Command: target.Command, Dir: target.Dir}
	}
	a.Roots = map[string]fingerprint.Digest{}
	a.Annotations = map[string]jsontext.Value{}
	for _, l := range capture.Listings {
		set, err := fingerprint.OfListing(&l, nil)
		if err != nil {
			t.Fatal(err)
		}
		a.Roots[string(l.Era)] = set.Root
		for _, e := range set.Entries {
			a.Entries = append(a.Entries, approval.Entry{Era: string(l.Era), Kind: e.Kind.String(), Key: e.Key, Whole: e.Whole, Behavioural: e.Behavioural})
		}
		for _, tool := range l.Tools {
			if annotations, _, _, err := jsonrpc.Get(tool, "/annotations"); err == nil {
				a.Annotations[jsonrpc.Text(tool, "/name")] = annotations
			}
		}
	}
	return a
}

// serve approves a target and lets the gateway route to it on its own.
func (h *house) serve(alias string, target upstream.Target, edit ...func(*approval.Approval)) string {
	h.t.Helper()
	h.approve(alias, target, edit...)
	return h.url + "/mcp/" + alias
}

func auto(c *Config) { c.AutoRoutes = true }

// keys is a KeySource in memory.
type keys struct {
	mu   sync.Mutex
	recs map[string]identity.KeyRecord
}

func (k *keys) Key(_ context.Context, id string) (identity.KeyRecord, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	rec, ok := k.recs[id]
	if !ok {
		return identity.KeyRecord{}, identity.ErrUnknownKey
	}
	return rec, nil
}

func (k *keys) issue(t testing.TB, principal string, roles ...string) string {
	t.Helper()
	token, rec, err := identity.NewKey(identity.KeySpec{Principal: principal, Kind: identity.KindAgent, Roles: roles}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.recs == nil {
		k.recs = map[string]identity.KeyRecord{}
	}
	k.recs[rec.ID] = rec
	return token
}

func (k *keys) change(principal string, edit func(*identity.KeyRecord)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, rec := range k.recs {
		if rec.Principal == principal {
			edit(&rec)
			k.recs[id] = rec
		}
	}
}

func revoke(rec *identity.KeyRecord) { now := time.Now(); rec.Revoked = &now }

// bearer adds a token to every request.
type bearer struct{ token string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(r)
}

// connect opens an unmodified go-sdk client through the gateway. version "" is
// the newest; the client falls back by itself.
func connect(t *testing.T, url, token, version string, opts *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, opts)
	transport := &mcp.StreamableClientTransport{Endpoint: url, HTTPClient: &http.Client{Transport: bearer{token}}, MaxRetries: -1}
	s, err := client.Connect(t.Context(), transport, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// reply is one HTTP answer.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// raw posts a body to an alias, "" for all servers. header entries are "Name: value".
func (h *house) raw(alias, body string, header ...string) reply {
	h.t.Helper()
	return h.do(http.MethodPost, strings.TrimSuffix("/mcp/"+alias, "/"), body, header...)
}

func (h *house) do(method, path, body string, header ...string) reply {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	req.Header.Set("Authorization", "Bearer "+h.token)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); value == "" {
			req.Header.Del(name)
		} else {
			req.Header.Set(name, value)
		}
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil && resp.StatusCode == http.StatusOK {
		h.t.Logf("body: %v", err)
	}
	return reply{resp.StatusCode, resp.Header, b}
}

// message is the last JSON-RPC message of the answer, out of its event stream
// where it is one.
func (r reply) message(t testing.TB) *jsonrpc.Message {
	t.Helper()
	body := r.body
	if strings.HasPrefix(r.header.Get("Content-Type"), "text/event-stream") {
		for line := range bytes.SplitSeq(r.body, []byte("\n")) {
			if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok && len(data) > 0 {
				body = data
			}
		}
	}
	m, err := jsonrpc.Parse(body, jsonrpc.Limits{})
	if err != nil {
		t.Fatalf("answer %d %q: %v", r.status, r.body, err)
	}
	return m
}

// told is the gateway's error of an answer.
func (r reply) told(t *testing.T) (code int, data errorData) {
	t.Helper()
	m := r.message(t)
	var e struct {
		Code    int       `json:"code"`
		Message string    `json:"message"`
		Data    errorData `json:"data"`
	}
	if m.Error == nil {
		t.Fatalf("no error in %s", m.Raw)
	}
	if err := json.Unmarshal(m.Error, &e); err != nil {
		t.Fatalf("error %s: %v", m.Error, err)
	}
	return e.Code, e.Data
}

// refused checks status and reason of an answer.
func (r reply) refused(t *testing.T, status int, reason Reason) errorData {
	t.Helper()
	code, data := r.told(t)
	if r.status != status || data.Reason != reason {
		t.Errorf("answer %d code %d reason %q, want %d %q (%s)", r.status, code, data.Reason, status, reason, r.body)
	}
	return data
}

// modern is a 2026-07-28 request with its headers.
func modern(id int, method, params string) (body string, header []string) {
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	if params == "" {
		params = "{" + meta + "}"
	} else {
		params = strings.TrimSuffix(params, "}") + "," + meta + "}"
	}
	body = fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, id, method, params)
	header = []string{"MCP-Protocol-Version: 2026-07-28", "Mcp-Method: " + method}
	for _, member := range []string{"name", "uri"} {
		if v := jsonrpc.Text(jsontext.Value(params), jsontext.Pointer("/"+member)); v != "" {
			header = append(header, "Mcp-Name: "+protocol.EncodeHeader(v))
		}
	}
	return body, header
}

// call sends a modern request.
func (h *house) call(alias string, id int, method, params string, extra ...string) reply {
	h.t.Helper()
	body, header := modern(id, method, params)
	return h.raw(alias, body, append(header, extra...)...)
}

// events are the audit records that match.
func (h *house) events(q audit.Query) []audit.Record {
	h.t.Helper()
	records, err := audit.Search(h.t.Context(), h.auditPath, q)
	if err != nil {
		h.t.Fatal(err)
	}
	return records
}

// eventually waits for a condition that some other goroutine brings about.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for range 1000 {
		if condition() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s: did not happen", what)
}
