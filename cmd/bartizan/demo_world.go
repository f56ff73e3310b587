package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// demoWorld is the running cast of the demo: both doors, the fixture servers
// and the keys of author, reviewer and agent.
type demoWorld struct {
	ctx      context.Context
	bin      string // this binary
	fixtures string
	dir      string

	procs []*exec.Cmd
	doors struct {
		Registry string `json:"registry"`
		Gateway  string `json:"gateway"`
		AdminKey string `json:"adminKey"`
	}
	weatherURL, poisonedURL, everythingURL string

	publisherKey, reviewerKey, agentKey, agentKeyID string
	everythingReview                                string
}

// path names a file of the demo's folder.
func (w *demoWorld) path(name string) string { return filepath.Join(w.dir, name) }

// cli runs this binary as a user would, with a token, and returns its
// standard output and exit code.
func (w *demoWorld) cli(token string, args ...string) (string, int, error) {
	ctx, cancel := context.WithTimeout(w.ctx, 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.bin, args...)
	cmd.Env = append(os.Environ(), "BARTIZAN_REGISTRY="+w.doors.Registry, "BARTIZAN_TOKEN="+token)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", -1, err
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		return stdout.String(), code, fmt.Errorf("bartizan %s: exit %d: %s", strings.Join(args[:min(2, len(args))], " "), code, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), 0, nil
}

// cliJSON runs a command that must succeed and reads its JSON answer.
func (w *demoWorld) cliJSON(into any, token string, args ...string) error {
	out, _, err := w.cli(token, append(args, "-o", "json")...)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(out), into)
}

// start runs a process until the demo ends and returns the first line that it
// prints.
func (w *demoWorld) start(name string, args ...string) (string, error) {
	cmd := exec.CommandContext(w.ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	log, err := os.Create(w.path(fmt.Sprintf("process-%d.log", len(w.procs))))
	if err != nil {
		return "", err
	}
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	w.procs = append(w.procs, cmd)
	first := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		lines.Scan()
		first <- lines.Text()
		for lines.Scan() {
		}
	}()
	select {
	case line := <-first:
		if line == "" {
			said, _ := os.ReadFile(log.Name())
			return "", fmt.Errorf("%s ended: %s", filepath.Base(name), bytes.TrimSpace(said))
		}
		return line, nil
	case <-time.After(30 * time.Second):
		return "", fmt.Errorf("%s said nothing for 30 seconds", filepath.Base(name))
	}
}

// startEverything runs go-sdk's conformance server, which cannot say which
// port it was given: a free one is chosen for it.
func (w *demoWorld) startEverything() (string, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	addr := free.Addr().String()
	free.Close()
	cmd := exec.CommandContext(w.ctx, filepath.Join(w.fixtures, "everything-server"), "-http", addr)
	if err := cmd.Start(); err != nil {
		return "", err
	}
	w.procs = append(w.procs, cmd)
	for range 100 {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			conn.Close()
			return "http://" + addr + "/", nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return "", errors.New("everything-server does not listen")
}

// stop ends the processes that the demo started.
func (w *demoWorld) stop() {
	for i := len(w.procs) - 1; i >= 0; i-- {
		_ = w.procs[i].Process.Signal(os.Interrupt)
	}
	for _, p := range w.procs {
		_ = p.Wait()
	}
}

// ready waits until a door answers /readyz with 200.
func (w *demoWorld) ready(url string) error {
	for range 300 {
		if w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		resp, err := http.Get(url + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("%s is not ready after 30 seconds", url)
}

// serverJSON puts a server.json for a remote into the demo's folder.
func (w *demoWorld) serverJSON(name, version, url string) (string, error) {
	path := w.path(strings.ReplaceAll(name, "/", "-") + "-" + version + ".json")
	body, err := json.Marshal(map[string]any{
		"$schema":     "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
		"name":        name,
		"description": "A server of the demo",
		"version":     version,
		"remotes":     []any{map[string]any{"type": "streamable-http", "url": url}},
	}, json.Deterministic(true))
	if err != nil {
		return "", err
	}
	return path, os.WriteFile(path, body, 0o600)
}
