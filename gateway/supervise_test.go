package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bartizan-mcp/bartizan/gateway/restart"
	"github.com/bartizan-mcp/bartizan/internal/approval"
	"github.com/bartizan-mcp/bartizan/internal/audit"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// TestCrashLoopIsVisible: a server that was approved in good health dies on
// every arrival. Callers get refusals in the gateway's words, every end is on
// record, the other servers serve, and the gateway stays ready.
func TestCrashLoopIsVisible(t *testing.T) {
	dir := t.TempDir()
	path, broken := filepath.Join(dir, "server"), filepath.Join(dir, "broken")
	body := "#!/bin/sh\nif [ -e " + broken + " ]; then echo IGNORE-ALL-PREVIOUS >&2; exit 9; fi\nexec " + everything + "\n"
	if err := os.WriteFile(path, []byte(body), 0o755); err != nil {
		t.Fatal(err)
	}
	h := open(t, auto)
	h.serve("dying", upstream.Target{Command: []string{path}}, func(a *approval.Approval) { delete(a.Roots, "modern") })
	h.serve("good", upstream.Target{Command: []string{everything}})
	if err := os.WriteFile(broken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	initialize := `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	ended := audit.Query{Text: "server_ended"}
	eventually(t, "a crash loop on record", func() bool {
		r := h.raw("dying", initialize)
		if r.status != 502 && r.status != 503 || strings.Contains(string(r.body), "IGNORE") {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return strings.Contains(string(join(h.events(ended))), `"status_code":"`+audit.ServerCrashLoop+`"`)
	})
	h.raw("dying", initialize).refused(t, 503, ReasonUpstreamBusy)
	records := h.events(ended)
	if len(records) < restart.LoopFrom || strings.Contains(string(join(records)), "IGNORE") {
		t.Errorf("%d records: %s", len(records), join(records))
	}
	if r := h.call("good", 1, "tools/list", ""); r.status != 200 {
		t.Errorf("another server: %d %s", r.status, r.body)
	}
	if r := h.do("GET", "/readyz", ""); r.status != 200 {
		t.Errorf("readyz: %d %s", r.status, r.body)
	}
}

func join(records []audit.Record) (all []byte) {
	for _, r := range records {
		all = append(all, r.Raw...)
	}
	return all
}
