//go:build unix

package upstream

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bartizan-mcp/bartizan/internal/protocol"
)

func start(t *testing.T, target Target, lim Limits) *Process {
	t.Helper()
	p, err := StartProcess(t.Context(), target, lim)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestProcessSpeaksLines(t *testing.T) {
	p := start(t, fake(t, "noise"), Limits{})
	if err := p.Send([]byte("{\"jsonrpc\":\"2.0\",\r\n \"id\":1,\n\"method\":\"tools/list\"}")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range p.Messages() {
		got = append(got, string(line))
		if line[0] == '{' {
			break
		}
	}
	want := []string{"Starting the server ...", `{"jsonrpc":"2.0","id":1,"result":` + oneTool + `}`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := p.Err(); err != nil {
		t.Errorf("a living process has no error: %v", err)
	}
	p.Close()
	p.Close()
	if err := p.Send([]byte(`{}`)); !errors.Is(err, ErrClosed) {
		t.Errorf("Send after Close: %v", err)
	}
	for range p.Messages() {
		t.Error("a message after Close")
	}
}

// Nothing of our own environment reaches the server.
func TestProcessEnvironmentIsExact(t *testing.T) {
	t.Setenv("BARTIZAN_SECRET", "leak")
	target := fake(t, "environment", "A=1")
	c, err := Dial(t.Context(), target, protocol.Legacy, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m, err := c.Call(t.Context(), "env", nil)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Env, Args []string
		Dir       string
	}
	if err := json.Unmarshal(m.Result, &got, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Env, target.Env) || !slices.Equal(got.Args, []string{"argument"}) || got.Dir != first(filepath.EvalSymlinks(target.Dir)) {
		t.Errorf("server saw %+v, want %+v", got, target)
	}
}

func TestEmptyEnvironmentIsNotInherited(t *testing.T) {
	t.Setenv(fakeVariable, "environment")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// Without the variable the child is a test binary that lists no tests and exits.
	p := start(t, Target{Command: []string{exe, "-test.run=^$"}}, Limits{})
	for line := range p.Messages() {
		if strings.HasPrefix(string(line), "{") {
			t.Error("the child inherited our environment")
		}
	}
	if err := p.Err(); !errors.Is(err, ErrClosed) || !strings.Contains(err.Error(), "exit status") {
		t.Errorf("Err = %v, want the exit status", err)
	}
}

func TestProcessTargets(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "not-executable"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]Target{
		"nothing":                {},
		"a URL":                  {URL: "http://127.0.0.1/"},
		"both":                   {Command: []string{"/bin/true"}, URL: "http://127.0.0.1/"},
		"no PATH":                {Command: []string{"sh"}},
		"relative PATH":          {Command: []string{"sh"}, Env: []string{"PATH=."}},
		"not in PATH":            {Command: []string{"no-such-program"}, Env: []string{"PATH=/bin:/usr/bin"}},
		"in PATH, not a program": {Command: []string{"not-executable"}, Env: []string{"PATH=" + dir}},
	} {
		if p, err := StartProcess(t.Context(), target, Limits{}); !errors.Is(err, ErrTarget) {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
	if _, err := StartProcess(t.Context(), Target{Command: []string{filepath.Join(dir, "absent")}}, Limits{}); err == nil {
		t.Error("an absent program started")
	}
	p := start(t, Target{Command: []string{"sh", "-c", "echo found"}, Env: []string{"PATH=/usr/bin:/bin"}}, Limits{})
	if line := <-p.Messages(); string(line) != "found" {
		t.Errorf("PATH of the target: %q", line)
	}
}

func TestStderrIsBounded(t *testing.T) {
	c, err := Dial(t.Context(), fake(t, "stderr flood"), protocol.Legacy, Limits{StderrBytes: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p := c.conn.(*pipeConn).pipe.(*Process)
	for !strings.HasSuffix(string(p.Stderr()), "the end") && t.Context().Err() == nil {
		time.Sleep(5 * time.Millisecond) // it is read beside the conversation
	}
	if got := p.Stderr(); len(got) != 100 {
		t.Errorf("kept %d bytes", len(got))
	}
}

// pidOf waits for the id that a fake wrote and returns it.
func pidOf(t *testing.T, dir string) int {
	t.Helper()
	for {
		b, err := os.ReadFile(filepath.Join(dir, "pid"))
		if pid, convErr := strconv.Atoi(string(b)); err == nil && convErr == nil {
			return pid
		}
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// awaitDeath returns once no live process has the id; a zombie is dead.
func awaitDeath(t *testing.T, pid int) {
	t.Helper()
	for syscall.Kill(pid, 0) == nil {
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if err == nil && strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestCloseKillsTheGroup(t *testing.T) {
	target := fake(t, "grandchild")
	p := start(t, target, Limits{})
	pid := pidOf(t, target.Dir)
	p.Close()
	awaitDeath(t, pid)
}

// A server that ignores both its closed input and SIGTERM is killed.
func TestCloseKillsTheStubborn(t *testing.T) {
	target := fake(t, "stubborn")
	p := start(t, target, Limits{})
	pid := pidOf(t, target.Dir)
	p.Close()
	awaitDeath(t, pid)
	if !p.Closed() {
		t.Error("it counts as an end of its own")
	}
}

// A server is told to end before it is killed, so that it can clean up.
func TestCloseAsksFirst(t *testing.T) {
	dir := t.TempDir()
	target := Target{Command: []string{"/bin/sh", "-c", "trap 'echo bye >bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done"}, Dir: dir, Env: []string{"PATH=/usr/bin:/bin"}}
	p := start(t, target, Limits{})
	<-p.Messages()
	p.Close()
	if _, err := os.Stat(filepath.Join(dir, "bye")); err != nil {
		t.Error(err)
	}
}

// Who dies without a chance to close leaves no server behind.
func TestOwnersDeathKillsTheServer(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no parent-death signal here")
	}
	target := fake(t, "owner")
	owner := exec.Command(target.Command[0])
	owner.Dir, owner.Env = target.Dir, target.Env
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	pid := pidOf(t, target.Dir)
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait() // killed
	awaitDeath(t, pid)
}

func TestCancelKillsTheGroup(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	target := fake(t, "grandchild")
	p, err := StartProcess(ctx, target, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	pid := pidOf(t, target.Dir)
	cancel()
	for range p.Messages() {
	}
	if !errors.Is(p.Err(), context.Canceled) {
		t.Errorf("Err = %v", p.Err())
	}
	awaitDeath(t, pid)
}

// A server that exits and leaves a process behind, which holds its output
// open, neither hangs us nor leaves the process.
func TestExitKillsTheGroup(t *testing.T) {
	target := fake(t, "orphan")
	p := start(t, target, Limits{})
	for range p.Messages() {
	}
	if !errors.Is(p.Err(), ErrClosed) {
		t.Errorf("Err = %v", p.Err())
	}
	awaitDeath(t, pidOf(t, target.Dir))
}

func init() {
	stubborn = func() { signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP) }
	escape = func(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
}

// A descendant that left the group survives, but cannot keep us waiting for the
// output that it holds open.
func TestEscapedDescendantDoesNotHang(t *testing.T) {
	target := fake(t, "escaped")
	p := start(t, target, Limits{})
	for range p.Messages() {
	}
	if !errors.Is(p.Err(), ErrClosed) {
		t.Errorf("Err = %v", p.Err())
	}
	pid := pidOf(t, target.Dir)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("it was to survive: %v", err)
	}
}

func TestServerThatDoesNotRead(t *testing.T) {
	p := start(t, fake(t, "hang"), Limits{CallTimeout: 50 * time.Millisecond})
	var err error
	for i := 0; err == nil && i < 1<<12; i++ {
		err = p.Send([]byte(`{"x":"` + strings.Repeat("x", 4<<10) + `"}`))
	}
	if !errors.Is(err, ErrClosed) {
		t.Fatalf("16 MiB into a server that reads nothing: %v", err)
	}
	for range p.Messages() {
	}
}
