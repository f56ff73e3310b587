package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/identity"
)

// listenAndServe serves the gateway on a listener of its own.
func (h *house) listenAndServe() (url string, served chan error) {
	h.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	served = make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	return "http://" + l.Addr().String(), served
}

// TestShutdown lets calls under way finish, ends streams that have no end,
// refuses what comes later and leaves no process behind.
func TestShutdown(t *testing.T) {
	s := newScript(t)
	s.legacy = true
	began, release := s.hold("tools/call", `{"content":[{"type":"text","text":"finished"}]}`)
	s.streams()
	h := open(t, auto)
	h.serve("srv", s.start(), func(a *approval.Approval) { delete(a.Roots, "modern") })
	h.serve("every", local(t, ""))
	url, served := h.listenAndServe()
	h.url = url
	session := h.initialize("srv")
	h.initialize("every")
	stream, call := make(chan reply, 1), make(chan reply, 1)
	go func() { stream <- h.do(http.MethodGet, "/mcp/srv", "", session...) }()
	go func() { call <- h.raw("srv", callOne, session...) }()
	<-began
	eventually(t, "the stream is open", func() bool { return len(h.callers.all()) == 2 })

	down := make(chan error, 1)
	go func() { down <- h.Shutdown(context.Background()) }()
	close(release)
	if r := <-call; r.status != 200 || !strings.Contains(string(r.body), "finished") {
		t.Errorf("call: %d %s", r.status, r.body)
	}
	if r := <-stream; r.status != 200 { // it ends once no call needs it
		t.Errorf("stream: %d %s", r.status, r.body)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve: %v", err)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/mcp/srv": 503} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("%s after Shutdown: %d", path, w.Code)
		}
	}
	if err := h.Serve(nil); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve after Shutdown: %v", err)
	}
}

// TestShutdownOutOfPatience cuts calls that do not end.
func TestShutdownOutOfPatience(t *testing.T) {
	s := newScript(t)
	began := make(chan struct{})
	s.on("tools/call", func(_ http.ResponseWriter, r *http.Request) { close(began); <-r.Context().Done() })
	h := open(t, auto)
	h.serve("srv", s.start())
	call := make(chan reply, 1)
	go func() { call <- h.call("srv", 1, "tools/call", `{"name":"one"}`) }()
	<-began
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	(<-call).refused(t, 503, ReasonShuttingDown)
}

// TestPanicIsNoSilence: a fault of ours is an error answer, and the next
// request is served.
func TestPanicIsNoSilence(t *testing.T) {
	s := newScript(t)
	h := open(t, auto)
	h.serve("srv", s.start())
	h.inbound = append([]inboundStep{panicking{}}, h.inbound...)
	h.call("srv", 1, "tools/call", `{"name":"one"}`).refused(t, 500, ReasonInternal)
	h.inbound = h.inbound[1:]
	if r := h.call("srv", 1, "tools/call", `{"name":"one"}`); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

type panicking struct{}

func (panicking) do(context.Context, *exchange, *inbound) *refusal { panic("on purpose") }

// TestConnectionLimit closes connections beyond what one address may hold.
func TestConnectionLimit(t *testing.T) {
	h := open(t, func(c *Config) { c.ConnectionsPerAddress = 2 })
	url, _ := h.listenAndServe()
	addr := strings.TrimPrefix(url, "http://")
	healthy := func() bool {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n", addr)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		return err == nil && resp.StatusCode == 200
	}
	for i, want := range []bool{true, true, false} {
		if got := healthy(); got != want {
			t.Errorf("connection %d served = %v", i+1, got)
		}
	}
}

// TestOversizedHeader and slow bodies end at the listener's limits.
func TestOversizedHeader(t *testing.T) {
	h := open(t, func(c *Config) { c.HeaderBytes = 4 << 10; c.BodyTimeout = 100 * time.Millisecond; c.AutoRoutes = true })
	h.serve("srv", newScript(t).start())
	url, _ := h.listenAndServe()
	h.url = url
	if r := h.do(http.MethodGet, "/healthz", "", "X-Big: "+strings.Repeat("x", 64<<10)); r.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("oversized header: %d", r.status)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /mcp/srv HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", h.token)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a body that does not come: %v %v", resp, err)
	}
	// The same where the refusal comes before anybody wants the body.
	for _, path := range []string{"/nowhere", "/mcp/srv"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n{", path)
		if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode < 400 {
			t.Errorf("%s: %v %v", path, resp, err)
		}
	}
}

// TestSlowReader does not hold the gateway for ever.
func TestSlowReader(t *testing.T) {
	s := newScript(t)
	gone := make(chan struct{})
	s.on("tools/call", func(w http.ResponseWriter, r *http.Request) {
		defer close(gone)
		w.Header().Set("Content-Type", "text/event-stream")
		note := `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"` + strings.Repeat("x", 1<<18) + `"}}` + "\n\n"
		for {
			if _, err := io.WriteString(w, note); err != nil {
				return
			}
		}
	})
	h := open(t, func(c *Config) { c.AutoRoutes = true; c.WriteTimeout = 100 * time.Millisecond; c.AnswerBytes = 1 << 40 })
	h.serve("srv", s.start())
	url, _ := h.listenAndServe()
	h.url = url
	h.call("srv", 1, "prompts/get", `{"name":"ask"}`)
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body, header := modern(1, "tools/call", `{"name":"one"}`)
	fmt.Fprintf(conn, "POST /mcp/srv HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n%s\r\nContent-Length: %d\r\n\r\n%s", h.token, strings.Join(header, "\r\n"), len(body), body)
	<-gone // the gateway hung up on the upstream because the client reads nothing
}

// TestManyClients at once, of both eras, with keys revoked under way.
func TestManyClients(t *testing.T) {
	f := newFixture()
	h := open(t, auto)
	h.serve("fix", f.start(t, stateless))
	bob := "Authorization: Bearer " + h.keys.issue(t, "bob", identity.RoleAgent)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for n := range 10 {
				r := h.call("fix", n, "tools/call", `{"name":"echo","arguments":{"text":"x"}}`, bob)
				if r.status != 200 && r.status != 401 {
					t.Errorf("%d %s", r.status, r.body)
				}
				if i == 0 && n == 5 {
					h.keys.change("bob", revoke)
				}
			}
		})
	}
	wait.Wait()
	h.call("fix", 1, "tools/call", `{"name":"echo","arguments":{"text":"x"}}`, bob).refused(t, 401, ReasonUnauthenticated)
	if r := h.call("fix", 1, "tools/call", `{"name":"echo","arguments":{"text":"x"}}`); r.status != 200 {
		t.Errorf("alice: %d", r.status)
	}
}

// TestRefusalOfLargeBody reaches a client that writes its whole body before it
// reads, as most do.
func TestRefusalOfLargeBody(t *testing.T) {
	h := open(t, func(c *Config) { c.BodyBytes = 1 << 20; c.AutoRoutes = true })
	h.serve("srv", newScript(t).start())
	url, _ := h.listenAndServe()
	size := 16 << 20
	for name, tt := range map[string]struct {
		path, header string
		status       int
	}{
		"too large":      {"/mcp/srv", "Content-Type: application/json\r\n", 413},
		"compressed":     {"/mcp/srv", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", 415},
		"path of nobody": {"/nowhere", "", 404},
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n%sContent-Length: %d\r\n\r\n", tt.path, h.token, tt.header, size)
		if _, err := conn.Write(make([]byte, size)); err != nil {
			t.Errorf("%s: the connection was closed under the body: %v", name, err)
			continue
		}
		if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode != tt.status {
			t.Errorf("%s: %v %v", name, resp, err)
		}
	}
}

// hanging is a KeySource that never answers.
type hanging struct{}

func (hanging) Key(ctx context.Context, _ string) (identity.KeyRecord, error) {
	<-ctx.Done()
	return identity.KeyRecord{}, ctx.Err()
}

// TestKeysHang: callers are answered, and not let in, while nobody can say
// whose keys they hold.
func TestKeysHang(t *testing.T) {
	var k keys
	x := &exchange{header: http.Header{"Authorization": {"Bearer " + k.issue(t, "alice", identity.RoleAgent)}}}
	no := authenticate{keys: hanging{}, now: time.Now, patience: time.Millisecond}.do(t.Context(), x)
	if no == nil || no.reason != ReasonKeysUnavailable || x.caller.Principal != "" {
		t.Errorf("refusal %+v, caller %v", no, x.caller)
	}
}
