//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// tour is what a client got, by what it asked for. The drivers in the folder
// clients print one, the Inspector is asked piece by piece.
type tour map[string]jsontext.Value

// guided is an unmodified client and how it is started.
type guided struct {
	name  string
	modes []string // legacy, modern; auto looks for the newest itself
	visit func(t *testing.T, endpoint, token, mode string) tour
}

// prefixEnv tells a client what stands before names where servers are one.
const prefixEnv = "MCP_PREFIX"

// TestClients sends clients that nobody changed on the same tour directly and
// through the gateway. They must bring home the same.
func TestClients(t *testing.T) {
	node, python := newestNode(t), filepath.Join(bin(t), "venv", "bin", "python")
	clients := []guided{
		{"typescript-1", []string{"legacy"}, driver(node, "sdk-v1.mjs")},
		{"typescript-2", []string{"legacy", "modern", "auto"}, driver(node, "sdk-v2.mjs")},
		{"python-2", []string{"legacy", "modern", "auto"}, driver(python, "sdk.py")},
		{"inspector", []string{"legacy", "modern"}, inspector(node)},
	}
	for _, era := range []struct {
		name, version string
		server        string // flag of the conformance server
		modes         []string
	}{
		{"legacy-server", "2025-11-25", "-stateless=false", []string{"legacy", "auto"}},
		{"modern-server", "2026-07-28", "-stateless=true", []string{"modern", "auto"}},
	} {
		t.Run(era.name, func(t *testing.T) {
			w := newWorld(t)
			target := startEverything(t, era.server)
			w.admitRemote(t, era.name, target)
			w.answers(t, keyed(t, w.gateway, w.agent)+"/mcp/"+era.name)
			for _, c := range clients {
				for _, mode := range c.modes {
					if mode != era.modes[0] && mode != era.modes[1] {
						continue
					}
					t.Run(c.name+"-"+mode, func(t *testing.T) {
						direct := c.visit(t, target, w.agent, mode)
						compared := sameTour(t, era.version, mode, direct, c.visit(t, w.gateway+"/mcp/"+era.name, w.agent, mode))
						t.Setenv(prefixEnv, era.name+"__")
						sameTour(t, era.version, mode, direct, c.visit(t, w.gateway+"/mcp", w.agent, mode).without(era.name+"__"))
						if !t.Failed() {
							count(t, "client %s, %s against the %s: the same %d answers as directly, at /mcp/%s and at /mcp", c.name, mode, era.name, compared, era.name)
						}
					})
				}
			}
		})
	}
}

// sameTour compares what a client brought home, and says how much that was.
func sameTour(t *testing.T, version, mode string, direct, through tour) int {
	t.Helper()
	if got, ok := through["version"]; ok && mode != "auto" && string(got) != `"`+version+`"` {
		t.Errorf("version %s, want %s", got, version)
	}
	want, got := texts(direct), texts(through)
	if mode == "auto" {
		for _, all := range []map[string]string{want, got} {
			delete(all, "version") // the gateway may offer a newer one than the server
			// This answer is the progress token, which is a bridge's towards the
			// server. That the progress arrives is compared.
			delete(all, "slow")
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("through the gateway (-direct +gateway):\n%s", diff)
	}
	for what, value := range got {
		if value == "[]" || value == "{}" || value == "null" {
			t.Errorf("%s is empty on both ways: the tour went nowhere", what)
		}
	}
	return len(want)
}

// without takes a prefix off all names.
func (v tour) without(prefix string) tour {
	plain := tour{}
	for what, got := range v {
		plain[what] = jsontext.Value(strings.ReplaceAll(string(got), `"`+prefix, `"`))
	}
	return plain
}

func texts(v tour) map[string]string {
	all := map[string]string{}
	for what, got := range v {
		got = got.Clone() // a tour is compared more than once
		if err := got.Canonicalize(); err != nil {
			all[what] = err.Error()
			continue
		}
		all[what] = string(got)
	}
	return all
}

// driver runs a script of the folder clients, which prints its tour.
func driver(interpreter, file string) func(*testing.T, string, string, string) tour {
	return func(t *testing.T, endpoint, token, mode string) tour {
		t.Helper()
		out := run(t, []string{"MCP_URL=" + endpoint, "MCP_TOKEN=" + token, "MCP_ERA=" + mode}, interpreter, script(t, "clients", file))
		var v tour
		if err := json.Unmarshal(out, &v); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return v
	}
}

// inspector asks the Inspector's command line for each piece of a tour.
func inspector(node string) func(*testing.T, string, string, string) tour {
	return func(t *testing.T, endpoint, token, mode string) tour {
		t.Helper()
		v := tour{}
		for method, ask := range map[string]struct {
			member string
			flags  []string
		}{
			"tools/list":     {"tools", nil},
			"prompts/list":   {"prompts", nil},
			"resources/list": {"resources", nil},
			"tools/call":     {"content", []string{"--tool-name", os.Getenv(prefixEnv) + "test_multiple_content_types"}},
			"resources/read": {"contents", []string{"--uri", "test://static-text"}},
			"prompts/get":    {"messages", []string{"--prompt-name", os.Getenv(prefixEnv) + "test_simple_prompt"}},
		} {
			args := append([]string{
				script(t, "clients", "node_modules", "@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js"),
				"--cli", "--transport", "http", "--server-url", endpoint, "--header", "Authorization: Bearer " + token,
				"--protocol-era", mode, "--format", "json", "--method", method,
			}, ask.flags...)
			var printed struct {
				Result map[string]jsontext.Value `json:"result"`
			}
			out := run(t, []string{"HOME=" + t.TempDir()}, node, args...)
			if err := json.Unmarshal(out, &printed); err != nil {
				t.Fatalf("%s: %v: %s", method, err, out)
			}
			v[method] = printed.Result[ask.member]
			if v[method] == nil {
				t.Fatalf("%s: no %s in %s", method, ask.member, out)
			}
		}
		return v
	}
}

// run runs a client to its end and returns what it printed.
func run(t *testing.T, env []string, name string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(name), err, stderr.Bytes())
	}
	return out
}
