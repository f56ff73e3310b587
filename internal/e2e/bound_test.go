//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

// TestBoundNPM: a server from npm is published as its lockfile, the tarballs
// come along, and the gateway starts it from the tree that the approval names;
// no script of a package ran anywhere, and an edited file is not started.
func TestBoundNPM(t *testing.T) {
	if !confine.Fences() {
		t.Skip("no Landlock of version 3 here: artifact-bound starts would need --unsafe-run")
	}
	w := newWorld(t)
	const name, pkg = "everything-bound", "@modelcontextprotocol/server-everything"
	main := "{tree}/node_modules/" + pkg + "/dist/index.js"
	w.publishAndApprove(t, map[string]any{
		"$schema": schema, "name": "io.github.modelcontextprotocol/" + name,
		"description": "A reference server", "version": "2026.8.31",
		"packages": []any{map[string]any{
			"registryType": "npm", "identifier": pkg, "version": "2026.8.31", "transport": map[string]any{"type": "stdio"},
		}},
	}, nil, "--artifact", lockfile(t, "npm"), "--packages", "npm", "--unsafe-run", "--", oldNode(t), main, "stdio")

	echo := func(key string) (string, error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		transport := &mcp.StreamableClientTransport{Endpoint: w.gateway + "/mcp/" + name, HTTPClient: &http.Client{Transport: bearer(key)}}
		s, err := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, nil).Connect(ctx, transport, nil)
		if err != nil {
			return "", err
		}
		defer s.Close()
		r, err := s.CallTool(ctx, &mcp.CallToolParams{Name: "echo", Arguments: map[string]any{"message": "harbour"}})
		if err != nil {
			return "", err
		}
		return r.Content[0].(*mcp.TextContent).Text, nil
	}
	said, err := echo(w.agent)
	for range 200 { // the gateway hears of the approval a moment after the registry
		if err == nil || !strings.Contains(err.Error(), "no such server") {
			break
		}
		time.Sleep(100 * time.Millisecond)
		said, err = echo(w.agent)
	}
	if err != nil || !strings.Contains(said, "harbour") {
		log, _ := os.ReadFile(w.path("bartizan.log"))
		t.Fatalf("%q, %v\n%s", said, err, log)
	}
	trees := w.path("data/gateway/trees")
	var files, packages int
	var victim string
	if err := filepath.WalkDir(trees, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir():
			return err
		case d.Name() == ".bin" || strings.Contains(path, "/.bin/"):
			t.Errorf("made by an installation: %s", path)
		case d.Name() == "package.json":
			packages++
		case strings.HasSuffix(path, pkg+"/dist/index.js"):
			victim = path
		}
		files++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	count(t, "artifact binding: %d files of %d package.json in the tree of %s, started by the gateway", files, packages, pkg)

	body, err := os.ReadFile(victim)
	if err != nil {
		t.Fatal(err)
	}
	edited := append(bytes.Clone(body), []byte("\n// harmless, said the commit message\n")...)
	if err := os.Chmod(victim, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(victim, edited, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(victim, 0o444); err != nil {
		t.Fatal(err)
	}
	// A key whose first call starts a process of its own. The first start is
	// refused; the client then asks in its other era, and has a fresh tree.
	another := w.key("another", "--role", "agent")
	if said, err := echo(another); err != nil || !strings.Contains(said, "harbour") {
		if said, err = echo(another); err != nil || !strings.Contains(said, "harbour") {
			t.Errorf("from a fresh tree: %q, %v", said, err)
		}
	}
	if out := w.cli("", 0, "audit", "search", "--dir", w.path("data/audit"), "-o", "jsonl"); !bytes.Contains(out, []byte("artifact_changed")) {
		t.Error("the edited tree is not on record")
	}
	log, err := os.Open(w.path("data/gateway/trees"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	names, err := log.Readdirnames(-1)
	if err != nil && err != io.EOF || len(names) != 2 {
		t.Errorf("a tree and what was set aside: %v %v", names, err)
	}
}

// bearer sends a key along.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}
