package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/engine"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
)

// TestDrain: a call that waits for its user goes on while the gateway drains,
// and gets the reply it waits for; nobody else gets in.
func TestDrain(t *testing.T) {
	h := open(t, auto)
	url := h.serve("every", local(t, ""), func(a *approval.Approval) { delete(a.Roots, "modern") })
	asked, release := make(chan struct{}), make(chan struct{})
	client := connect(t, url, h.token, "2025-11-25", &mcp.ClientOptions{
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			close(asked)
			<-release
			return &mcp.ElicitResult{Action: "decline"}, nil
		},
	})
	other := h.initialize("every")
	type answered struct {
		result *mcp.CallToolResult
		err    error
	}
	call := make(chan answered, 1)
	go func() {
		r, err := client.CallTool(t.Context(), &mcp.CallToolParams{Name: "test_elicitation", Arguments: map[string]any{"message": "?"}})
		call <- answered{r, err}
	}()
	<-asked
	down := make(chan error, 1)
	go func() { down <- h.Shutdown(context.Background()) }()
	eventually(t, "not ready", func() bool {
		r := h.do(http.MethodGet, "/readyz", "")
		return r.status == 503 && strings.HasPrefix(string(r.body), "draining")
	})
	if r := h.do(http.MethodGet, "/healthz", ""); r.status != 200 {
		t.Errorf("healthz: %d", r.status)
	}
	for name, r := range map[string]reply{
		"a call in a session": h.raw("every", callOne, other...),
		"a new session":       h.raw("every", `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`),
		"a stream":            h.do(http.MethodGet, "/mcp/every", "", other...),
	} {
		t.Log(name)
		r.refused(t, 503, ReasonShuttingDown)
		if r.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After in %v", name, r.header)
		}
	}
	close(release)
	if a := <-call; a.err != nil || a.result.IsError {
		t.Errorf("the call under way: %+v, %v", a.result, a.err)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// TestCutCallsAreOnRecord: what the grace did not suffice for has an outcome
// before Shutdown returns, so that the log can be closed.
func TestCutCallsAreOnRecord(t *testing.T) {
	s := newScript(t)
	var began atomic.Int32
	s.on("tools/call", func(_ http.ResponseWriter, r *http.Request) { began.Add(1); <-r.Context().Done() })
	h := open(t, auto)
	h.serve("srv", s.start())
	const calls = 20
	done := make(chan reply, calls)
	for range calls {
		go func() { done <- h.call("srv", 1, "tools/call", `{"name":"one"}`) }()
	}
	eventually(t, "all under way", func() bool { return began.Load() == calls })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := h.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	intents, outcomes := 0, 0
	for _, r := range h.events(audit.Query{Text: "tools/call"}) {
		switch raw := string(r.Raw); {
		case strings.Contains(raw, `"stage":"intent"`):
			intents++
		case strings.Contains(raw, `"stage":"outcome"`) && strings.Contains(raw, string(ReasonShuttingDown)):
			outcomes++
		}
	}
	if intents != calls || outcomes != calls {
		t.Errorf("%d intents and %d outcomes of %d calls", intents, outcomes, calls)
	}
	for range calls {
		(<-done).refused(t, 503, ReasonShuttingDown)
	}
}

// TestReady names what is missing, to this machine only.
func TestReady(t *testing.T) {
	scanner, err := sharedScanner()
	if err != nil {
		t.Fatal(err)
	}
	untested := engine.NewLive(engine.NewSet(scanner))
	var keys atomic.Bool
	h := open(t, func(c *Config) {
		c.Scanners = untested
		c.KeysReady = func(context.Context) error {
			if keys.Load() {
				return nil
			}
			return errors.New("no registry")
		}
	})
	h.approvals.set(approval.ErrSnapshotExpired)
	ask := func(remote string) (int, string) {
		r := httptest.NewRequest(http.MethodGet, "/readyz", nil)
		r.RemoteAddr, r.Host = remote, "localhost:8471"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	want := func(missing ...string) {
		t.Helper()
		eventually(t, strings.Join(missing, "; "), func() bool {
			code, body := ask("127.0.0.1:40000")
			return (code == 200) == (len(missing) == 0) && (len(missing) == 0 || body == strings.Join(missing, "\n"))
		})
	}
	want(missingApprovals, missingScanners, missingKeys)
	if code, body := ask("192.0.2.1:40000"); code != 503 || body != "not ready" {
		t.Errorf("elsewhere: %d %s", code, body)
	}
	h.approvals.set(nil)
	want(missingScanners, missingKeys)
	if err := untested.SelfTest(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(missingKeys)
	keys.Store(true)
	want()
	h.doorway.drain()
	want(missingDrain)
}
