package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// world is an installation as an operator sets it up: a registry with approved
// servers, a gateway that follows it, the keys of the people in it.
type world struct {
	ctx context.Context
	bin string
	dir string

	server, proxy, doors, gateway *process

	registry, adminKey string
	gatewayKey         string
	publisher          string
	reviewer           string
	agent              string
	url                string // of the gateway that is measured
}

func newWorld(ctx context.Context, o options) (w *world, err error) {
	bin, err := filepath.Abs(o.bin)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.dir, "gateway-bench")
	if err != nil {
		return nil, err
	}
	w = &world{ctx: ctx, bin: bin, dir: dir}
	defer func() {
		if err != nil {
			w.stop()
		}
	}()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if w.server, err = start(ctx, dir, self, nil, "-role", "server"); err != nil {
		return nil, err
	}
	if w.proxy, err = start(ctx, dir, self, nil, "-role", "proxy", "-to", w.server.first); err != nil {
		return nil, err
	}
	return w, errors.Join(w.openRegistry(), w.admit("echo", "/mcp"), w.admit("modern", "/modern"), w.openGateway())
}

// stop ends every process and removes the state.
func (w *world) stop() {
	for _, p := range []*process{w.gateway, w.doors, w.proxy, w.server} {
		if p != nil {
			p.stop()
		}
	}
	_ = os.RemoveAll(w.dir)
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// cli runs the command line, whose exit code must be 0.
func (w *world) cli(token string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(w.ctx, filepath.Join(w.bin, "bartizan"), args...)
	cmd.Env = append(os.Environ(), "BARTIZAN_REGISTRY="+w.registry, "BARTIZAN_TOKEN="+token)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("bartizan %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}

// key makes an API key.
func (w *world) key(name string, args ...string) (string, error) {
	out, err := w.cli(w.adminKey, append([]string{"key", "create", "--name", name, "-o", "json"}, args...)...)
	var made struct {
		Token string `json:"token"`
	}
	if err == nil {
		err = json.Unmarshal(out, &made)
	}
	return made.Token, err
}

// openRegistry starts the registry and hands out keys.
func (w *world) openRegistry() (err error) {
	w.doors, err = start(w.ctx, w.dir, filepath.Join(w.bin, "bartizan"), nil,
		"serve", "--data", w.path("data"), "--registry-addr", "127.0.0.1:0", "--gateway-addr", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var line struct {
		Registry string `json:"registry"`
		AdminKey string `json:"adminKey"`
	}
	if err := json.Unmarshal([]byte(w.doors.first), &line); err != nil {
		return err
	}
	w.registry, w.adminKey = line.Registry, line.AdminKey
	if err := ready(w.ctx, w.registry, 50*time.Millisecond); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"key", "generate", "--out", w.path("author.key")},
		{"key", "generate", "--out", w.path("reviewer.key")},
		{"key", "allow", "--namespace", "io.example", "--public", w.path("author.key.pub")},
		{"trust", "rotate", "--data", w.path("data"), "--add-voter", "rita=" + w.path("reviewer.key.pub")},
	} {
		if _, err := w.cli(w.adminKey, args...); err != nil {
			return err
		}
	}
	for _, made := range []struct {
		into *string
		name string
		args []string
	}{
		{&w.publisher, "author", []string{"--role", "publisher", "--namespace", "io.example"}},
		{&w.reviewer, "rita", []string{"--role", "reviewer"}},
		{&w.agent, "agent", []string{"--role", "agent"}},
		{&w.gatewayKey, "gateway", []string{"--role", "gateway", "--kind", "service"}},
	} {
		if *made.into, err = w.key(made.name, made.args...); err != nil {
			return err
		}
	}
	return nil
}

// admit publishes the server at a path, waives what scanners only flag, and
// approves it.
func (w *world) admit(name, path string) error {
	body, err := json.Marshal(map[string]any{
		"$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
		"name":    "io.example/" + name, "description": "Gives texts back", "version": "1.0.0",
		"remotes": []any{map[string]any{"type": "streamable-http", "url": w.server.first + path}},
	}, json.Deterministic(true))
	if err != nil {
		return err
	}
	file := w.path(name + ".json")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		return err
	}
	out, err := w.cli(w.publisher, "publish", file, "-o", "json", "--key", w.path("author.key"))
	if err != nil {
		return err
	}
	var published struct {
		Review   string `json:"review"`
		Findings []struct {
			Rule    string `json:"rule"`
			Pointer string `json:"pointer"`
			Action  string `json:"action"`
		} `json:"findings"`
	}
	if err := json.Unmarshal(out, &published); err != nil {
		return err
	}
	for _, f := range published.Findings {
		if f.Action != "flag" {
			continue
		}
		if _, err := w.cli(w.reviewer, "review", "waive", published.Review, "--rule", f.Rule, "--pointer", f.Pointer, "--reason", "a server of the benchmark"); err != nil {
			return err
		}
	}
	if _, err := w.cli(w.reviewer, "review", "vote", published.Review, "--key", w.path("reviewer.key")); err != nil {
		return err
	}
	_, err = w.cli(w.reviewer, "review", "approve", published.Review)
	return err
}

// openGateway starts the gateway that is measured, with every default.
func (w *world) openGateway() (err error) {
	w.gateway, err = start(w.ctx, w.dir, filepath.Join(w.bin, "bartizan-gateway"), []string{"BARTIZAN_GATEWAY_TOKEN=" + w.gatewayKey},
		"--data", w.path("gateway"), "--addr", "127.0.0.1:0", "--registry", w.registry, "--trust", w.path("data/trust/trust.json"))
	if err != nil {
		return err
	}
	var line struct {
		Gateway string `json:"gateway"`
	}
	if err := json.Unmarshal([]byte(w.gateway.first), &line); err != nil {
		return err
	}
	w.url = line.Gateway
	return ready(w.ctx, w.url, time.Millisecond)
}

// ready waits until a door answers /readyz with 200, asking at an interval.
func ready(ctx context.Context, url string, every time.Duration) error {
	for began := time.Now(); time.Since(began) < 30*time.Second && ctx.Err() == nil; time.Sleep(every) {
		resp, err := http.Get(url + "/readyz")
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	return fmt.Errorf("%s is not ready", url)
}
