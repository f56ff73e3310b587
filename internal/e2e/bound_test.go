//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

// boundServer is the one dependency of the project in bound/.
const boundServer = "node_modules/@modelcontextprotocol/server-memory/dist/index.js"

// TestBoundNPM: a server from npm is published as its lockfile, the tarballs
// come along, and the gateway starts it from the tree that the approval names,
// which it cannot write to; no script of a package ran anywhere. An edited file
// is never executed: it is on record, set aside, and replaced.
func TestBoundNPM(t *testing.T) {
	if !confine.Fences() {
		t.Skip("no Landlock of version 3 here: artifact-bound starts would need --unsafe-run")
	}
	w := newWorld(t)
	const name = "memory-bound"
	node := oldNode(t)
	w.publishAndApprove(t, map[string]any{
		"$schema": schema, "name": "io.github.modelcontextprotocol/" + name,
		"description": "A reference server", "version": "2026.8.31",
		"packages": []any{map[string]any{
			"registryType": "npm", "identifier": "@modelcontextprotocol/server-memory", "version": "2026.8.31", "transport": map[string]any{"type": "stdio"},
		}},
	}, nil, "--artifact", script(t, "bound"), "--packages", "npm", "--unsafe-run",
		"--runtime", "sha256:"+digestOf(t, node), "--runtime", "sha256:"+strings.Repeat("0", 64),
		"--", node, "{tree}/"+boundServer)

	first := bound{w.gateway + "/mcp/" + name, w.agent}
	said, err := first.call(t, "search_nodes", map[string]any{"query": "harbour"})
	for range 200 { // the gateway hears of the approval a moment after the registry
		if err == nil || !strings.Contains(err.Error(), "no such server") {
			break
		}
		time.Sleep(100 * time.Millisecond)
		said, err = first.call(t, "search_nodes", map[string]any{"query": "harbour"})
	}
	if err != nil || said.IsError {
		log, _ := os.ReadFile(w.path("bartizan.log"))
		t.Fatalf("%+v, %v\n%s", said, err, log)
	}
	// Without MEMORY_FILE_PATH it keeps its memory beside its code: in the tree.
	said, err = first.call(t, "create_entities", map[string]any{"entities": []any{map[string]any{"name": "harbour", "entityType": "place", "observations": []any{}}}})
	if err != nil || !said.IsError {
		t.Errorf("the server wrote to its tree: %+v, %v", said, err)
	}

	trees := w.path("data/gateway/trees")
	files, packages, installed := 0, 0, 0
	if err := filepath.WalkDir(trees, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == ".bin":
			installed++
		case d.Name() == "package.json":
			packages++
		}
		if !d.IsDir() {
			files++
		}
		return nil
	}); err != nil || installed > 0 {
		t.Fatalf("%d folders that an installation makes, %v", installed, err)
	}
	victims, err := filepath.Glob(filepath.Join(trees, "*", boundServer))
	if err != nil || len(victims) != 1 {
		t.Fatalf("%v, %v", victims, err)
	}
	count(t, "artifact binding: %d files, %d package.json in the tree of server-memory, started by the gateway", files, packages)

	executed := filepath.Join(t.TempDir(), "executed")
	edit(t, victims[0], fmt.Sprintf("\nimport('node:fs').then(fs => fs.writeFileSync(%q, ''))\n", executed))
	// That it would be seen: the edited file, started by hand.
	if out, err := exec.CommandContext(t.Context(), node, victims[0]).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Remove(executed); err != nil {
		t.Fatal(err)
	}
	// Another key's call starts a process of its own. That start is refused; a
	// client that asks in its other era already has a fresh tree.
	second := bound{first.endpoint, w.key("another", "--role", "agent")}
	if said, err = second.call(t, "search_nodes", map[string]any{"query": "harbour"}); err != nil {
		said, err = second.call(t, "search_nodes", map[string]any{"query": "harbour"})
	}
	if err != nil || said.IsError {
		t.Errorf("from a fresh tree: %+v, %v", said, err)
	}
	if _, err := os.Stat(executed); !os.IsNotExist(err) {
		t.Errorf("the edited file was executed: %v", err)
	}
	if out := w.cli("", 0, "audit", "search", "--dir", w.path("data/audit"), "-o", "jsonl"); !bytes.Contains(out, []byte("artifact_changed")) {
		t.Error("the edited tree is not on record")
	}
	aside, err := filepath.Glob(filepath.Join(trees, "changed-*", boundServer))
	if err != nil || len(aside) != 1 {
		t.Fatalf("set aside: %v, %v", aside, err)
	}
	if body, err := os.ReadFile(aside[0]); err != nil || !bytes.Contains(body, []byte(executed)) {
		t.Errorf("what was set aside is not what was edited: %v", err)
	}
}

// bound is an endpoint as the owner of a key sees it.
type bound struct{ endpoint, key string }

// call calls a tool in a session of its own.
func (b bound) call(t *testing.T, name string, args map[string]any) (*mcp.CallToolResult, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	transport := &mcp.StreamableClientTransport{Endpoint: b.endpoint, HTTPClient: &http.Client{Transport: bearer(b.key)}}
	s, err := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, nil).Connect(ctx, transport, nil)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: args})
}

// edit appends to a file of a tree and leaves its mode as it was.
func edit(t *testing.T, file, more string) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(body, more...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, info.Mode()); err != nil {
		t.Fatal(err)
	}
}

func digestOf(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// bearer sends a key along.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}
