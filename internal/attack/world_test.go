package attack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/plugins"
)

// world is an installation as an operator sets it up: a registry, the keys of
// the people in it, a gateway that follows it, and the servers of a stage.
type world struct {
	bin, dir string
	stage    *stage
	serve    *process // both doors of cmd/bartizan

	registry string
	both     string // URL of the gateway in the process of the registry
	adminKey string

	gatewayKey, publisher, reviewer string
	alice, mallory, auditor         string // callers

	gate  *door // the gateway of most tests, with every default
	doors []*door
	mu    sync.Mutex
}

// lasting is the world that all tests share; it is made by the first one.
var lasting struct {
	once  sync.Once
	world *world
	err   error
}

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == localCommand {
		speak()
		return
	}
	code := m.Run()
	if w := lasting.world; w != nil {
		w.close(code != 0)
	}
	os.Exit(code)
}

// enter brings a test into the world. Tests run beside each other: what they
// attack must serve all others meanwhile.
func enter(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	return open(t)
}

func open(t testing.TB) *world {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("programs are reloaded and ended by signals")
	}
	if _, err := plugins.Modules(); err != nil {
		t.Skip(err)
	}
	lasting.once.Do(func() { lasting.world, lasting.err = newWorld() })
	if lasting.err != nil {
		t.Fatal(lasting.err)
	}
	return lasting.world
}

func newWorld() (*world, error) {
	dir, err := os.MkdirTemp("", "attack")
	if err != nil {
		return nil, err
	}
	w := &world{dir: dir, bin: os.Getenv("BARTIZAN_BIN"), stage: newStage()}
	if w.bin == "" {
		w.bin = dir
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", dir+string(filepath.Separator),
			"github.com/bartizan-mcp/bartizan/cmd/bartizan", "github.com/bartizan-mcp/bartizan/cmd/bartizan-gateway")
		if out, err := cmd.CombinedOutput(); err != nil {
			return w, fmt.Errorf("building: %w: %s", err, out)
		}
	}
	if err := w.openRegistry(); err != nil {
		return w, err
	}
	w.gate, err = w.open("gate", "")
	return w, err
}

// close ends every process. After a failure it says what they said.
func (w *world) close(tell bool) {
	for _, d := range w.doors {
		d.stop()
	}
	if w.serve != nil {
		w.serve.stop()
	}
	if tell {
		logs, _ := filepath.Glob(filepath.Join(w.dir, "*.log"))
		for _, name := range logs {
			said, _ := os.ReadFile(name)
			log.Printf("%s:\n%s", filepath.Base(name), said[max(0, len(said)-4<<10):])
		}
	}
	w.stage.close()
	_ = os.RemoveAll(w.dir)
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// cli runs the command line, whose exit code must be 0.
func (w *world) cli(token string, args ...string) ([]byte, error) {
	cmd := exec.Command(filepath.Join(w.bin, "bartizan"), args...)
	cmd.Env = append(os.Environ(), "BARTIZAN_REGISTRY="+w.registry, "BARTIZAN_TOKEN="+token)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("bartizan %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
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

func (w *world) openRegistry() (err error) {
	w.serve, err = launch(w.dir, filepath.Join(w.bin, "bartizan"), nil,
		"serve", "--data", w.path("data"), "--registry-addr", "127.0.0.1:0", "--gateway-addr", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var line struct {
		Registry string `json:"registry"`
		Gateway  string `json:"gateway"`
		AdminKey string `json:"adminKey"`
	}
	if err := json.Unmarshal([]byte(w.serve.first), &line); err != nil {
		return err
	}
	w.registry, w.both, w.adminKey = line.Registry, line.Gateway, line.AdminKey
	if err := ready(w.registry); err != nil {
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
		{&w.alice, "alice", []string{"--role", "agent"}},
		{&w.mallory, "mallory", []string{"--role", "agent"}},
		{&w.auditor, "audrey", []string{"--role", "auditor"}},
		{&w.gatewayKey, "gateway", []string{"--role", "gateway", "--kind", "service"}},
	} {
		if *made.into, err = w.key(made.name, made.args...); err != nil {
			return err
		}
	}
	return nil
}

// admit publishes a server, waives what scanners only flag, and approves it.
func (w *world) admit(name string, launch map[string]any, args ...string) error {
	document := map[string]any{
		"$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
		"name":    "io.example/" + name, "description": "A server on a stage", "version": "1.0.0",
	}
	for member, value := range launch {
		document[member] = value
	}
	body, err := json.Marshal(document, json.Deterministic(true))
	if err != nil {
		return err
	}
	file := w.path(name + ".server.json")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		return err
	}
	out, err := w.cli(w.publisher, append([]string{"publish", file, "-o", "json", "--key", w.path("author.key")}, args...)...)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
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
		if _, err := w.cli(w.reviewer, "review", "waive", published.Review, "--rule", f.Rule, "--pointer", f.Pointer, "--reason", "a server of the stage"); err != nil {
			return err
		}
	}
	if _, err := w.cli(w.reviewer, "review", "vote", published.Review, "--key", w.path("reviewer.key")); err != nil {
		return err
	}
	_, err = w.cli(w.reviewer, "review", "approve", published.Review)
	return err
}

// ready waits until a program answers /readyz with 200.
func ready(url string) error {
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(url + "/readyz")
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	return errors.New(url + " is not ready")
}

// eventually waits for what somebody else brings about.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: did not happen", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
