//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// world is a running installation and the keys of the people in it.
type world struct {
	t         testing.TB // of the test that is running now
	bin, dir  string
	registry  string
	gateway   string
	adminKey  string
	publisher string
	reviewer  string
	agent     string
}

// bin is the folder of the built binaries.
func bin(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BARTIZAN_BIN")
	if dir == "" {
		t.Fatal("BARTIZAN_BIN is not set; run make e2e")
	}
	return dir
}

// count puts a line into what make e2e closes with.
func count(t *testing.T, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	t.Log(line)
	f, err := os.OpenFile(filepath.Join(bin(t), "e2e.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintln(f, "count: "+line); err != nil {
		t.Fatal(err)
	}
}

// newWorld starts both doors and hands out keys.
func newWorld(t *testing.T, serveFlags ...string) *world {
	w := &world{t: t, bin: filepath.Join(bin(t), "bartizan"), dir: t.TempDir()}
	line := w.start(w.bin, append([]string{"serve", "--data", w.path("data"),
		"--registry-addr", "127.0.0.1:0", "--gateway-addr", "127.0.0.1:0"}, serveFlags...)...)
	var doors struct {
		Registry string `json:"registry"`
		Gateway  string `json:"gateway"`
		AdminKey string `json:"adminKey"`
	}
	if err := json.Unmarshal([]byte(line), &doors); err != nil {
		t.Fatalf("first line of serve: %v: %s", err, line)
	}
	w.registry, w.gateway, w.adminKey = doors.Registry, doors.Gateway, doors.AdminKey
	w.ready(w.registry + "/readyz")
	w.ready(w.gateway + "/readyz")

	w.cli("", 0, "key", "generate", "--out", w.path("author.key"))
	w.cli("", 0, "key", "generate", "--out", w.path("reviewer.key"))
	w.cli(w.adminKey, 0, "key", "allow", "--namespace", "io.github.modelcontextprotocol", "--public", w.path("author.key.pub"))
	w.cli("", 0, "trust", "rotate", "--data", w.path("data"), "--add-voter", "rita="+w.path("reviewer.key.pub"))
	w.publisher = w.key("author", "--role", "publisher", "--namespace", "io.github.modelcontextprotocol")
	w.reviewer = w.key("rita", "--role", "reviewer")
	w.agent = w.key("agent", "--role", "agent")
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) key(name string, args ...string) string {
	w.t.Helper()
	var made struct {
		Token string `json:"token"`
	}
	out := w.cli(w.adminKey, 0, append([]string{"key", "create", "--name", name, "-o", "json"}, args...)...)
	if err := json.Unmarshal(out, &made); err != nil {
		w.t.Fatal(err)
	}
	return made.Token
}

// cli runs the built binary and demands its exit code.
func (w *world) cli(token string, want int, args ...string) []byte {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), w.bin, args...)
	cmd.Env = append(os.Environ(), "BARTIZAN_REGISTRY="+w.registry, "BARTIZAN_TOKEN="+token)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		w.t.Fatalf("bartizan %s: exit %d, want %d\n%s%s", strings.Join(args, " "), got, want, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.Bytes()
}

// start runs a process until the test ends and returns its first line.
func (w *world) start(name string, args ...string) string {
	w.t.Helper()
	cmd := exec.Command(name, args...)
	stderr, err := os.Create(w.path(filepath.Base(name) + ".log"))
	if err != nil {
		w.t.Fatal(err)
	}
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil && w.t.Failed() {
			log, _ := os.ReadFile(stderr.Name())
			w.t.Logf("%s: %v\n%s", filepath.Base(name), err, log)
		}
	})
	lines := bufio.NewScanner(out)
	lines.Scan()
	first := lines.Text()
	go func() {
		for lines.Scan() {
		}
	}()
	return first
}

// ready waits for a URL to answer 200.
func (w *world) ready(url string) {
	w.t.Helper()
	for range 300 {
		if resp, err := http.Get(url); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	log, _ := os.ReadFile(w.path("bartizan.log"))
	w.t.Fatalf("%s does not become ready\n%s", url, log)
}

// freeAddr picks a loopback port for a server that cannot say which it got.
func freeAddr(t *testing.T) (host, port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	host, port, _ = net.SplitHostPort(l.Addr().String())
	return host, port
}
