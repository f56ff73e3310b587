//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/bartizan-mcp/bartizan/internal/upstream/confine"
)

// attacking names the attack that a process of this test is to make.
const attacking = "SANDBOX_TEST_ATTACK"

// attackerPath is where the attacker was built by another process of this test.
const attackerPath = "SANDBOX_TEST_ATTACKER"

var attacker string

// TestMain builds the attacker, statically and without what tests are built
// with: it is to find nothing inside but itself.
func TestMain(m *testing.M) {
	if os.Getenv(attacking) == "without namespaces" {
		os.Exit(withoutNamespaces())
	}
	os.Exit(func() int {
		if attacker = os.Getenv(attackerPath); attacker != "" {
			return m.Run()
		}
		dir, err := os.MkdirTemp("", "attacker-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		attacker = filepath.Join(dir, "attacker")
		build := exec.Command("go", "build", "-o", attacker, "./testdata/attacker")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			panic(string(out))
		}
		if err := os.Chmod(dir, 0o755); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

// run is what came of a program.
type run struct {
	out    string
	code   int
	events []Event
	took   time.Duration
}

func (r *run) saw(k Kind, want func(Event) bool) bool {
	return slices.ContainsFunc(r.events, func(e Event) bool { return e.Kind == k && want(e) })
}

// needsSandbox skips where the kernel lacks a piece: that it is refused there
// is tested below.
func needsSandbox(t *testing.T) {
	t.Helper()
	if err := Check(t.TempDir()); err != nil {
		if errors.Is(err, ErrUnavailable) {
			t.Skip(err)
		}
		t.Fatal(err)
	}
}

// boxed runs an attack in a sandbox.
func boxed(t *testing.T, attack string, change ...func(*Spec)) *run {
	t.Helper()
	var mu sync.Mutex
	r := &run{}
	spec := Spec{
		Binds: []Bind{{From: attacker, To: "/srv/attack"}}, Home: "/home/user", Hostname: "probe", Scratch: t.TempDir(),
		Files: []File{{Path: "/home/user/.aws/credentials", Content: "canary", Watched: true}},
		Observe: func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			if len(r.events) < 10_000 {
				e.Args, e.Data = slices.Clone(e.Args), bytes.Clone(e.Data)
				r.events = append(r.events, e)
			}
		},
	}
	for _, c := range change {
		c(&spec)
	}
	b, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	stdout, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdout.Close()
	cmd := &exec.Cmd{
		Path: "/srv/attack", Args: []string{"attack"}, Dir: "/tmp", Env: []string{attacking + "=" + attack, "HOME=/home/user", "GOMAXPROCS=2"},
		Stdout: w, Stderr: w, SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	}
	start := time.Now()
	if err := b.Start(cmd, 20*time.Second); err != nil {
		t.Fatal(err)
	}
	w.Close()
	late := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	out, _ := io.ReadAll(io.LimitReader(stdout, 1<<20))
	_ = cmd.Wait()
	late.Stop()
	b.Wait()
	mu.Lock()
	defer mu.Unlock()
	r.out, r.code, r.took = string(out), cmd.ProcessState.ExitCode(), time.Since(start)
	return r
}

func TestProgramRuns(t *testing.T) {
	needsSandbox(t)
	r := boxed(t, "nothing")
	if r.code != 0 || r.out != "1000 1000 probe\n" {
		t.Fatalf("exit %d: %q %+v", r.code, r.out, r.events)
	}
	if !r.saw(Execute, func(e Event) bool { return e.Path == "/srv/attack" && slices.Equal(e.Args, []string{"attack"}) }) {
		t.Errorf("its start was not seen: %+v", r.events)
	}
}

// TestWalls makes every attack for real; none may succeed.
func TestWalls(t *testing.T) {
	needsSandbox(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("of the host"), 0o644); err != nil {
		t.Fatal(err)
	}
	list := exec.CommandContext(t.Context(), attacker)
	list.Env = []string{attacking + "=list"}
	all, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(all)) {
		name, refused, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := boxed(t, name)
			if r.code != 0 || !strings.HasPrefix(r.out, "held") {
				t.Errorf("exit %d: %s", r.code, r.out)
			}
			if refused != "" && !r.saw(Refused, func(e Event) bool { return strings.HasPrefix(e.Name, refused) }) {
				t.Errorf("the attempt is not on record: %+v", r.events)
			}
		})
	}
	if got, err := os.ReadFile(secret); err != nil || string(got) != "of the host" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestEverythingEnds: what a program leaves behind ends with it, and what does
// not end is ended.
func TestEverythingEnds(t *testing.T) {
	needsSandbox(t)
	for name, change := range map[string]func(*Spec){
		"forks":    func(s *Spec) { s.Limits.Process.Processes = 40 },
		"orphans":  nil,
		"detached": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r *run
			if change == nil {
				r = boxed(t, name)
			} else {
				r = boxed(t, name, change)
			}
			if r.took > 15*time.Second || !strings.HasPrefix(r.out, "held") {
				t.Errorf("after %v: exit %d: %s", r.took, r.code, r.out)
			}
		})
	}
}

func TestMemoryIsBounded(t *testing.T) {
	needsSandbox(t)
	for name, limit := range map[string]string{"hog": "memory", "hogs": "memory", "allocate": ""} {
		t.Run(name, func(t *testing.T) {
			r := boxed(t, name, func(s *Spec) {
				s.Limits.MemoryBytes = 256 << 20
				if name == "allocate" {
					s.Limits.MemoryBytes = 4 << 30 // each process may have a quarter of it
				}
			})
			if r.code == 0 || strings.Contains(r.out, "escaped") {
				t.Errorf("exit %d: %.200s", r.code, r.out)
			}
			if limit != "" && !r.saw(Limit, func(e Event) bool { return e.Name == limit }) {
				t.Errorf("the limit is not on record: %+v", r.events)
			}
		})
	}
}

func TestNetworkIsLedAstray(t *testing.T) {
	needsSandbox(t)
	r := boxed(t, "exfiltrate")
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.out)
	}
	for what, want := range map[string]func(Event) bool{
		"name":             func(e Event) bool { return e.Kind == Resolve && e.Name == "collect.evil.example." },
		"secret in a name": func(e Event) bool { return e.Kind == Resolve && e.Name == "canary.evil.example." },
		"connection": func(e Event) bool {
			return e.Kind == Connect && e.Network == "tcp" && e.Addr.Port() == 8080 && e.Name == "collect.evil.example."
		},
		"what it says": func(e Event) bool {
			return e.Kind == Said && bytes.Contains(e.Data, []byte("secret=canary")) && e.Name == "collect.evil.example."
		},
		"bare address": func(e Event) bool { return e.Kind == Connect && e.Addr.String() == "203.0.113.7:443" },
		"version 6":    func(e Event) bool { return e.Kind == Connect && e.Addr.String() == "[2001:db8::7]:443" },
		"name in TLS":  func(e Event) bool { return e.Kind == Said && e.Name == "tls.evil.example" },
		"datagram": func(e Event) bool {
			return e.Kind == Send && e.Addr.String() == "203.0.113.9:514" && string(e.Data) == "canary"
		},
		"own resolver": func(e Event) bool { return e.Kind == Resolve && e.Name == "direct.evil.example." },
		"listener":     func(e Event) bool { return e.Kind == Listen && e.Network == "tcp" },
	} {
		if !slices.ContainsFunc(r.events, want) {
			t.Errorf("%s is not on record", what)
		}
	}
	if t.Failed() {
		for _, e := range r.events {
			if e.Kind != Read {
				t.Logf("%+v", e)
			}
		}
		t.Log(r.out)
	}
}

func TestFilesAreSeen(t *testing.T) {
	needsSandbox(t)
	r := boxed(t, "snoop")
	if r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.out)
	}
	for what, want := range map[string]Event{
		"shadow": {Kind: Read, Path: "/etc/shadow"}, "canary": {Kind: Touch, Path: "/home/user/.aws/credentials"},
		"written": {Kind: Write, Path: "/tmp/x/y"}, "relative": {Kind: Read, Path: "/home/user/.ssh/id_rsa"}, "removed": {Kind: Write, Path: "/etc/passwd"},
		"through a link": {Kind: Touch, Path: "/home/user/.aws/credentials"},
	} {
		if !r.saw(want.Kind, func(e Event) bool { return e.Path == want.Path }) {
			t.Errorf("%s: %s %s is not on record: %s", what, want.Kind, want.Path, r.out)
		}
	}
}

// TestOrdinaryUser does all of it without root's rights.
func TestOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the other tests run as an ordinary user already")
	}
	needsSandbox(t)
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^(TestProgramRuns|TestWalls|TestNetworkIsLedAstray|TestFilesAreSeen)$", "-test.v")
	cmd.Env = []string{"TMPDIR=/tmp", "HOME=/", attackerPath + "=" + attacker}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if bytes.Contains(out, []byte("--- SKIP")) {
		t.Skipf("no namespaces for ordinary users here:\n%s", out)
	}
}

func TestBadSpecs(t *testing.T) {
	good := Spec{Home: "/home/user", Hostname: "h", Scratch: "/tmp"}
	for name, change := range map[string]func(*Spec){
		"no home":              func(s *Spec) { s.Home = "" },
		"root as home":         func(s *Spec) { s.Home = "/" },
		"over the root":        func(s *Spec) { s.Binds = []Bind{{"/usr", "/"}} },
		"over proc":            func(s *Spec) { s.Binds = []Bind{{"/usr", "/proc/1"}} },
		"over all of etc":      func(s *Spec) { s.Binds = []Bind{{"/usr", "/etc"}} },
		"climbing":             func(s *Spec) { s.Binds = []Bind{{"/usr", "/srv/../proc"}} },
		"relative":             func(s *Spec) { s.Binds = []Bind{{"usr", "/usr"}} },
		"inside another":       func(s *Spec) { s.Binds = []Bind{{"/usr", "/usr"}, {"/srv", "/usr/share/x"}} },
		"above the home":       func(s *Spec) { s.Binds = []Bind{{"/usr", "/home"}} },
		"a file anywhere":      func(s *Spec) { s.Files = []File{{Path: "/usr/bin/x"}} },
		"a file that climbs":   func(s *Spec) { s.Files = []File{{Path: "/home/user/../../x"}} },
		"a file beside a home": func(s *Spec) { s.Files = []File{{Path: "/home/user2"}} },
	} {
		s := good
		change(&s)
		if _, err := New(s); !errors.Is(err, ErrSpec) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(good); err != nil && !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
}

// TestStartFails leaves nothing running and says why.
func TestStartFails(t *testing.T) {
	needsSandbox(t)
	for name, tc := range map[string]struct {
		cmd    exec.Cmd
		change func(*Spec)
		want   error
	}{
		"no program": {cmd: exec.Cmd{Path: "/srv/none", Args: []string{"x"}}, want: ErrStart},
		"no folder":  {cmd: exec.Cmd{Path: "/srv/none", Args: []string{"x"}, Dir: "/srv/nowhere"}, want: ErrStart},
		"no bind":    {cmd: exec.Cmd{Path: "/x", Args: []string{"x"}}, change: func(s *Spec) { s.Binds = []Bind{{"/does/not/exist", "/srv"}} }, want: ErrStart},
		"too long":   {cmd: exec.Cmd{Path: "/x", Args: []string{strings.Repeat("x", maxJob)}}, want: ErrSpec},
	} {
		t.Run(name, func(t *testing.T) {
			s := Spec{Home: "/home/user", Hostname: "h", Scratch: t.TempDir()}
			if tc.change != nil {
				tc.change(&s)
			}
			b, err := New(s)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Start(&tc.cmd, 20*time.Second); !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
}

// TestRefusesWithoutNamespaces has the kernel say no, as a container does.
func TestRefusesWithoutNamespaces(t *testing.T) {
	needsSandbox(t)
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = []string{attacking + "=without namespaces", "SCRATCH=" + t.TempDir()}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "held: "+ErrUnavailable.Error()) {
		t.Errorf("%v: %s", err, out)
	}
}

func TestLimitsHaveDefaults(t *testing.T) {
	if got := (Limits{Process: confine.Limits{MemoryBytes: -1}}).withDefaults(); got != Default {
		t.Errorf("%+v", got)
	}
}

// withoutNamespaces takes user namespaces away from itself first.
func withoutNamespaces() int {
	say := func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
	program := []unix.SockFilter{
		load(dataNumber),
		jump(jeq, unix.SYS_CLONE, 0, 3), low(0), jump(jset, unix.CLONE_NEWUSER, 0, 1), ret(deny),
		ret(allow),
	}
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		say("%v", err)
		return 1
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		say("%v", errno)
		return 1
	}
	err := Check(os.Getenv("SCRATCH"))
	say("held: %v", err)
	return 0
}
