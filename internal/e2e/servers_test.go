//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bartizan-mcp/bartizan/internal/jsonrpc"
	"github.com/bartizan-mcp/bartizan/internal/listing"
	"github.com/bartizan-mcp/bartizan/internal/protocol"
	"github.com/bartizan-mcp/bartizan/internal/upstream"
)

// server is one real MCP server, how it is started and what its read-only
// tools are called with.
type server struct {
	pkg   string
	args  func(dir string) []string
	calls func(dir string) map[string]any
	// different says for which tools the two answers may differ, and why.
	different map[string]string
}

var everythingCalls = map[string]any{
	"echo":                           map[string]any{"message": "¿qué tal? 9007199254740993 \u00e9"},
	"get-annotated-message":          map[string]any{"messageType": "success", "includeImage": true},
	"get-env":                        map[string]any{},
	"get-resource-links":             map[string]any{"count": 3},
	"get-resource-reference":         map[string]any{"resourceType": "Text", "resourceId": 1},
	"get-structured-content":         map[string]any{"location": "New York"},
	"get-sum":                        map[string]any{"a": 2, "b": 40},
	"get-tiny-image":                 map[string]any{},
	"trigger-long-running-operation": map[string]any{"duration": 0.2, "steps": 2},
	"get-roots-list":                 map[string]any{},
}

var everythingDifferent = map[string]string{
	"get-resource-reference": "the text names the moment at which the resource was made",
}

var servers = map[string]server{
	"server-everything": {
		pkg:       "@modelcontextprotocol/server-everything",
		args:      func(string) []string { return []string{"stdio"} },
		calls:     func(string) map[string]any { return everythingCalls },
		different: everythingDifferent,
	},
	"server-filesystem": {
		pkg:  "@modelcontextprotocol/server-filesystem",
		args: func(dir string) []string { return []string{dir} },
		calls: func(dir string) map[string]any {
			file := filepath.Join(dir, "notes.txt")
			return map[string]any{
				"read_file":                 map[string]any{"path": file},
				"read_text_file":            map[string]any{"path": file, "head": 1},
				"read_media_file":           map[string]any{"path": filepath.Join(dir, "dot.png")},
				"read_multiple_files":       map[string]any{"paths": []string{file, file}},
				"list_directory":            map[string]any{"path": dir},
				"list_directory_with_sizes": map[string]any{"path": dir},
				"directory_tree":            map[string]any{"path": dir},
				"search_files":              map[string]any{"path": dir, "pattern": "*.txt"},
				"get_file_info":             map[string]any{"path": file},
				"list_allowed_directories":  map[string]any{},
			}
		},
	},
	"server-memory": {
		pkg:  "@modelcontextprotocol/server-memory",
		args: func(string) []string { return nil },
		calls: func(string) map[string]any {
			return map[string]any{
				"read_graph":   map[string]any{},
				"search_nodes": map[string]any{"query": "harbour"},
				"open_nodes":   map[string]any{"names": []string{"harbour"}},
			}
		},
	},
}

func TestLocalServers(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "--unsafe-run")
	for name, s := range servers {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			fill(t, data)
			command := append([]string{node, entryPoint(t, s.pkg)}, s.args(data)...)
			w.admit(t, name, s.pkg, append([]string{"--unsafe-run", "--"}, command...)...)
			direct := upstream.Target{Command: command, Dir: "/", Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}}
			compare(t, w, name, direct, s.calls(data), s.different)
		})
	}
}

func TestRemoteServer(t *testing.T) {
	w := newWorld(t)
	url := startNPMEverything(t, "streamableHttp") + "/mcp"
	w.admitRemote(t, "everything-http", url)
	compare(t, w, "everything-http", upstream.Target{URL: url}, everythingCalls, everythingDifferent)
}

// startNPMEverything starts server-everything over HTTP and returns where it
// listens.
func startNPMEverything(t *testing.T, transport string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	host, port := freeAddr(t)
	cmd := exec.Command(node, entryPoint(t, "@modelcontextprotocol/server-everything"), transport)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "PORT=" + port}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	waitFor(t, "http://"+host+":"+port)
	return "http://" + host + ":" + port
}

// compare lists and calls both ways and demands the same bytes.
func compare(t *testing.T, w *world, alias string, direct upstream.Target, calls map[string]any, different map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	through := upstream.Target{URL: w.gateway + "/mcp/" + alias, Header: http.Header{"Authorization": {"Bearer " + w.agent}}}
	a := dial(t, ctx, direct)
	b := w.dialServed(t, ctx, through)

	want, got := list(t, ctx, a), list(t, ctx, b)
	if diff := cmp.Diff(parts(want), parts(got)); diff != "" {
		t.Errorf("listing through the gateway differs (-direct +gateway):\n%s", diff)
	}
	readOnly := readOnlyTools(t, want)
	for _, tool := range readOnly {
		args, known := calls[tool]
		if !known {
			t.Errorf("read-only tool %s is not called by this test", tool)
			continue
		}
		t.Run(tool, func(t *testing.T) {
			params, err := json.Marshal(map[string]any{"name": tool, "arguments": args}, json.Deterministic(true))
			if err != nil {
				t.Fatal(err)
			}
			wantMsg, err := a.Call(ctx, protocol.MethodToolsCall, params)
			if err != nil {
				t.Fatalf("direct: %v", err)
			}
			gotMsg, err := b.Call(ctx, protocol.MethodToolsCall, params)
			if err != nil {
				t.Fatalf("gateway: %v", err)
			}
			if gotMsg.Error != nil {
				t.Fatalf("gateway refused: %s", gotMsg.Error)
			}
			if why := different[tool]; why != "" {
				t.Logf("bytes not compared: %s", why)
				return
			}
			if diff := cmp.Diff(string(wantMsg.Result), string(gotMsg.Result)); diff != "" {
				t.Errorf("result differs (-direct +gateway):\n%s", diff)
			}
		})
	}
	t.Logf("%d tools, %d of them read-only and called", len(want.Tools), len(readOnly))
}

func dial(t *testing.T, ctx context.Context, target upstream.Target) *upstream.Client {
	t.Helper()
	c, err := upstream.Dial(ctx, target, protocol.Legacy, upstream.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	opened(t, c)
	return c
}

// opened keeps the stream open on which a server asks its client for roots.
func opened(t *testing.T, c *upstream.Client) {
	c.OnNotification(func(*jsonrpc.Message) {})
	t.Cleanup(func() { c.Close() })
}

// dialServed waits for an approval to reach the gateway.
func (w *world) dialServed(t *testing.T, ctx context.Context, target upstream.Target) *upstream.Client {
	t.Helper()
	var err error
	for range 50 {
		var c *upstream.Client
		if c, err = upstream.Dial(ctx, target, protocol.Legacy, upstream.Limits{}); err == nil {
			opened(t, c)
			return c
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("gateway: %v", err)
	return nil
}

func list(t *testing.T, ctx context.Context, c *upstream.Client) *listing.Listing {
	t.Helper()
	l, err := c.Listing(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// parts are the raw texts of a listing.
func parts(l *listing.Listing) map[string][]string {
	text := func(values []jsontext.Value) []string {
		var all []string
		for _, v := range values {
			all = append(all, string(v))
		}
		return all
	}
	instructions := []string{}
	if l.Instructions != nil {
		instructions = []string{*l.Instructions}
	}
	return map[string][]string{
		"protocol":     {l.ProtocolVersion},
		"serverInfo":   {string(l.ServerInfo)},
		"capabilities": {string(l.Capabilities)},
		"instructions": instructions,
		"tools":        text(l.Tools),
		"prompts":      text(l.Prompts),
		"templates":    text(l.Templates),
		"resources":    text(l.Resources),
	}
}

func readOnlyTools(t *testing.T, l *listing.Listing) []string {
	t.Helper()
	var names []string
	for _, raw := range l.Tools {
		var tool struct {
			Name        string `json:"name"`
			Annotations struct {
				ReadOnlyHint bool `json:"readOnlyHint"`
			} `json:"annotations"`
		}
		if err := json.Unmarshal(raw, &tool); err != nil {
			t.Fatal(err)
		}
		if tool.Annotations.ReadOnlyHint {
			names = append(names, tool.Name)
		}
	}
	if len(names) == 0 {
		t.Fatal("no read-only tools")
	}
	return names
}
