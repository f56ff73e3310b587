//go:build unix

package gateway

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/identity"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// TestCloseAtOnce: a gateway that closes asks all local servers to end before it
// waits for any: those of sessions, those that callers share and those behind
// a bridge. Each here ignores the end of its input and SIGTERM until the last
// one was asked.
func TestCloseAtOnce(t *testing.T) {
	dir := t.TempDir()
	const of = 2 + 2 + 1
	script := filepath.Join(dir, "server")
	body := fmt.Sprintf("#!/bin/sh\ntrap '' TERM\n%[1]s\n[ -e %[2]s/armed ] || exit 0\n: >%[2]s/asked.$$\n"+
		"until [ $(ls %[2]s | grep -c asked) -ge %[3]d ]; do sleep 0.02; done\n: >%[2]s/met.$$\n", everything, dir, of)
	if err := os.WriteFile(script, []byte(body), 0o755); err != nil {
		t.Fatal(err)
	}
	target := upstream.Target{Command: []string{script}}
	h := open(t, func(c *Config) { c.AutoRoutes = true; c.Upstream.CloseGrace = 20 * time.Second })
	h.serve("both", target)
	h.serve("old", target, func(a *approval.Approval) { delete(a.Roots, "modern") })
	bob := "Authorization: Bearer " + h.keys.issue(t, "bob", identity.RoleAgent)
	h.initialize("both")
	h.initialize("old")
	for _, who := range []string{bob, "Authorization: Bearer " + h.token} {
		if r := h.call("both", 1, "tools/call", `{"name":"test_simple_text","arguments":{}}`, who); r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	if r := h.call("old", 1, "tools/call", `{"name":"test_simple_text","arguments":{}}`); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if n := h.local.Running(); n != of {
		t.Fatalf("%d processes run, want %d", n, of)
	}
	if err := os.WriteFile(filepath.Join(dir, "armed"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if met, err := filepath.Glob(filepath.Join(dir, "met.*")); err != nil || len(met) != of {
		t.Errorf("%d of %d servers saw all others asked to end, %v", len(met), of, err)
	}
}
