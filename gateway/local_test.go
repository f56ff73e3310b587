package gateway

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// local is the conformance server started by a script; in mode "crash" one
// that lives for its listing and dies at the first call.
func local(t *testing.T, mode string) upstream.Target {
	t.Helper()
	script := filepath.Join(t.TempDir(), "server")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexec "+everything+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if mode == "crash" {
		body := "#!/bin/sh\nwhile IFS= read -r line; do case \"$line\" in *'\"tools/call\"'*) exit 3;; *) printf '%s\\n' \"$line\" ;; esac; done | " + everything + "\n"
		if err := os.WriteFile(script, []byte(body), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return upstream.Target{Command: []string{script}}
}

// TestLocalCollidingIDs: modern clients of one principal share a process and
// never each other's answers; another principal has a process of its own.
func TestLocalCollidingIDs(t *testing.T) {
	h := open(t, auto)
	h.serve("every", upstream.Target{Command: []string{everything}})
	bob := h.keys.issue(t, "bob", identity.RoleAgent)
	var wait sync.WaitGroup
	for client := range 6 {
		token := h.token
		if client%2 == 1 {
			token = bob
		}
		wait.Go(func() {
			for i := range 10 {
				want := fmt.Sprintf("c%d-%d", client, i)
				r := h.call("every", 1, "prompts/get", `{"name":"test_prompt_with_arguments","arguments":{"arg1":"`+want+`","arg2":"x"}}`, "Authorization: Bearer "+token)
				if r.status != 200 || !strings.Contains(string(r.body), want) || !strings.Contains(string(r.body), `"id":1,`) {
					t.Errorf("%s: %d %s", want, r.status, r.body)
				}
			}
		})
	}
	wait.Wait()
}

// TestLocalProgressToken is restored to what the client called it.
func TestLocalProgressToken(t *testing.T) {
	h := open(t, auto)
	url := h.serve("every", upstream.Target{Command: []string{everything}})
	var mu sync.Mutex
	tokens := map[any]int{}
	s := connect(t, url, h.token, "2026-07-28", &mcp.ClientOptions{ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) {
		mu.Lock()
		defer mu.Unlock()
		tokens[r.Params.ProgressToken]++
	}})
	var wait sync.WaitGroup
	for _, token := range []any{"mine", 77} {
		wait.Go(func() {
			params := &mcp.CallToolParams{Name: "test_tool_with_progress"}
			params.SetProgressToken(token)
			if _, err := s.CallTool(t.Context(), params); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	eventually(t, "progress under both tokens", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return tokens["mine"] >= 3 && tokens[77.0] >= 3 && len(tokens) == 2
	})
}

// TestLocalSubscription: the id of a subscription is the client's own again.
func TestLocalSubscription(t *testing.T) {
	h := open(t, auto)
	h.serve("every", upstream.Target{Command: []string{everything}})
	h.call("every", 1, "tools/list", "") // takes the first id of the process
	r := h.call("every", 4711, "subscriptions/listen", `{"notifications":{}}`)
	if r.status != 200 || strings.Count(string(r.body), `"io.modelcontextprotocol/subscriptionId":4711`) != 2 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// TestLocalCrash: the process dies under a call. One error, no second try, and
// the next session works.
func TestLocalCrash(t *testing.T) {
	for _, era := range []string{"legacy", "modern"} {
		t.Run(era, func(t *testing.T) {
			h := open(t, auto)
			h.serve("srv", local(t, "crash"))
			call := func() reply {
				if era == "modern" {
					return h.call("srv", 5, "tools/call", `{"name":"test_simple_text","arguments":{}}`)
				}
				return h.raw("srv", `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"test_simple_text","arguments":{}}}`, h.initialize("srv")...)
			}
			call().refused(t, 502, ReasonUpstreamGone)
			if era == "modern" { // a server that just crashed is not started in a loop
				if r := call(); r.status != 503 && r.status != 502 {
					t.Errorf("at once: %d %s", r.status, r.body)
				}
				return
			}
			call().refused(t, 502, ReasonUpstreamGone)
		})
	}
}

// TestDeadSessionIsUnknown: a legacy session whose process is gone is over.
func TestDeadSessionIsUnknown(t *testing.T) {
	h := open(t, auto)
	h.serve("srv", local(t, "crash"))
	session := h.initialize("srv")
	h.raw("srv", `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"test_simple_text","arguments":{}}}`, session...).refused(t, 502, ReasonUpstreamGone)
	h.raw("srv", `{"jsonrpc":"2.0","id":6,"method":"tools/list"}`, session...).refused(t, 404, ReasonSessionUnknown)
}

// TestLocalNeedsASession in the legacy era: there is nobody to share a process with.
func TestLocalNeedsASession(t *testing.T) {
	h := open(t, auto)
	h.serve("srv", local(t, ""))
	h.raw("srv", `{"jsonrpc":"2.0","id":6,"method":"tools/list"}`).refused(t, 400, ReasonSessionRequired)
	session := h.initialize("srv")
	h.do(http.MethodGet, "/mcp/srv", "", append(session, "Last-Event-ID: 1")...).refused(t, 400, ReasonEventUnknown)
	if r := h.raw("srv", `{"jsonrpc":"2.0","id":6,"method":"tools/list"}`, session...); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// TestProcessCap bounds processes of one caller; ending a session frees one.
func TestProcessCap(t *testing.T) {
	h := open(t, func(c *Config) { c.AutoRoutes = true; c.ProcessesPerCaller = 2 })
	h.serve("srv", local(t, ""), func(a *approval.Approval) { delete(a.Roots, "modern") })
	first := h.initialize("srv")
	h.initialize("srv")
	initialize := `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	h.raw("srv", initialize).refused(t, 503, ReasonUpstreamBusy)
	other := "Authorization: Bearer " + h.keys.issue(t, "bob", identity.RoleAgent)
	if r := h.raw("srv", initialize, other); r.status != 200 {
		t.Errorf("another caller: %d %s", r.status, r.body)
	}
	h.do(http.MethodDelete, "/mcp/srv", "", first...)
	eventually(t, "a process is free", func() bool { return h.raw("srv", initialize).status == 200 })
}

// TestSessionCap closes a caller's longest idle session for a new one.
func TestSessionCap(t *testing.T) {
	s := newScript(t)
	s.legacy = true
	h := open(t, func(c *Config) { c.AutoRoutes = true; c.SessionsPerCaller = 2 })
	h.serve("srv", s.start(), func(a *approval.Approval) { delete(a.Roots, "modern") })
	first, second := h.initialize("srv"), h.initialize("srv")
	h.initialize("srv")
	h.raw("srv", callOne, first...).refused(t, 404, ReasonSessionUnknown)
	if r := h.raw("srv", callOne, second...); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// TestIdle closes sessions that nobody uses.
func TestIdle(t *testing.T) {
	h := open(t, func(c *Config) { c.AutoRoutes = true; c.Idle = 200 * time.Millisecond })
	h.serve("srv", local(t, ""))
	session := h.initialize("srv")
	eventually(t, "the session is over", func() bool {
		h.sessions.mu.Lock()
		defer h.sessions.mu.Unlock()
		return len(h.sessions.byID) == 0
	})
	h.raw("srv", `{"jsonrpc":"2.0","id":6,"method":"tools/list"}`, session...).refused(t, 404, ReasonSessionUnknown)
}
