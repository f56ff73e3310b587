//go:build linux

package confine

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary is its own program under limits: with this variable set it
// behaves as the variable says.
const modeVariable = "BARTIZAN_CONFINE_TEST"

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeVariable); mode != "" {
		behave(mode)
		return
	}
	os.Exit(m.Run())
}

func behave(mode string) {
	switch mode {
	case "tell":
		for _, r := range []int{unix.RLIMIT_DATA, unix.RLIMIT_AS, unix.RLIMIT_CPU, unix.RLIMIT_NOFILE, unix.RLIMIT_CORE} {
			var l unix.Rlimit
			if err := unix.Getrlimit(r, &l); err != nil {
				fmt.Println(err)
			}
			fmt.Println(l.Max)
		}
		fmt.Printf("%q %q\n", os.Args, os.Environ())
	case "hog":
		var all [][]byte
		for range 64 {
			b := make([]byte, 16<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			all = append(all, b)
		}
		fmt.Println("survived", len(all))
	case "spin":
		for n := 0; ; n++ {
			_ = strconv.Itoa(n) // as long as it is let
		}
	case "files":
		n := 0
		for ; ; n++ {
			if _, err := os.Open("/dev/null"); err != nil {
				break
			}
		}
		fmt.Println(n)
	case "fork": // starts itself without end, and waits
		n := 0
		for ; n < 200; n++ {
			cmd := exec.Command("/bin/sleep", "2")
			if cmd.Start() != nil {
				break
			}
		}
		fmt.Println(n)
	}
}

func program(mode string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.Command(self, "argument")
	if exe, err := os.Executable(); err == nil {
		cmd.Path = exe
	}
	cmd.Env = []string{modeVariable + "=" + mode}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, &out
}

func run(t *testing.T, mode string, l Limits) (string, *os.ProcessState) {
	t.Helper()
	cmd, out := program(mode)
	if err := Start(cmd, Job{Limits: l}, time.Minute); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the verdict is in ProcessState
	return out.String(), cmd.ProcessState
}

// TestLimits: the program runs under exactly the limits that it was given, with
// its own arguments and environment and nothing of how it was started.
func TestLimits(t *testing.T) {
	out, _ := run(t, "tell", Limits{MemoryBytes: 1 << 30, AddressBytes: 8 << 30, CPU: 90 * time.Second, Files: 200, Processes: -1})
	want := fmt.Sprintf("%d\n%d\n90\n200\n0\n%q %q\n", 1<<30, 8<<30, []string{"/proc/self/exe", "argument"}, []string{modeVariable + "=tell"})
	if out != want {
		t.Errorf("the program saw\n%swant\n%s", out, want)
	}
	out, _ = run(t, "tell", Limits{})
	if want := fmt.Sprintf("%d\n%d\n", Default.MemoryBytes, Default.AddressBytes); !strings.HasPrefix(out, want) {
		t.Errorf("by default the program saw\n%s", out)
	}
}

func TestMemoryHog(t *testing.T) {
	if out, state := run(t, "hog", Limits{MemoryBytes: 128 << 20}); state.Success() || strings.Contains(out, "survived") {
		t.Errorf("1 GiB under a limit of 128 MiB: %v", state)
	}
	// The race detector reserves address space of its own.
	if out, state := run(t, "hog", Limits{MemoryBytes: 16 << 30}); !state.Success() {
		t.Errorf("1 GiB under a limit of 16 GiB: %v\n%s", state, out)
	}
}

func TestProcessorTime(t *testing.T) {
	_, state := run(t, "spin", Limits{CPU: time.Second})
	if status := state.Sys().(syscall.WaitStatus); !status.Signaled() {
		t.Errorf("an endless loop ended with %v", state)
	}
}

func TestFiles(t *testing.T) {
	out, _ := run(t, "files", Limits{Files: 50})
	if n, err := strconv.Atoi(strings.TrimSpace(out)); err != nil || n > 50 || n < 30 {
		t.Errorf("%q files opened under a limit of 50", out)
	}
}

// TestForkBomb runs as an ordinary user: the kernel holds root to no number of
// processes.
func TestForkBomb(t *testing.T) {
	cmd, _ := program("fork")
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out // no pipe that a descendant could hold open
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 54321, Gid: 54321}
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 && !reachable(exe) {
		exe = self
	}
	cmd.Path = exe
	const headroom = 40
	if err := Start(cmd, Job{Limits: Limits{Processes: headroom}}, time.Minute); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	said, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	// The start itself had threads that the user no longer runs.
	if n, err := strconv.Atoi(strings.TrimSpace(string(said))); err != nil || n == 0 || n > 2*headroom {
		t.Errorf("%q processes under a limit of %d threads", said, headroom)
	}
}

// reachable reports whether any user can open a file by its path.
func reachable(path string) bool {
	for dir := path; dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil || info.Mode()&0o005 != 0o005 {
			return false
		}
	}
	return true
}

// TestFailures: what cannot be started is said, and leaves nothing running.
func TestFailures(t *testing.T) {
	cmd := exec.Command("/bin/true")
	cmd.Path = "/nonexistent/program"
	if err := Start(cmd, Job{}, time.Minute); !errors.Is(err, ErrExec) || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("an absent program: %v", err)
	}
	cmd = exec.Command("/bin/true")
	cmd.Path = "/etc/passwd"
	if err := Start(cmd, Job{}, time.Minute); !errors.Is(err, ErrExec) || cmd.ProcessState == nil {
		t.Errorf("no program: %v, %v", err, cmd.ProcessState)
	}
	for _, job := range []string{"", "1 2 3", "x y z a b c"} {
		if err := become(job, "/bin/true", []string{"true"}); err == nil {
			t.Errorf("job %q was taken", job)
		}
	}
	job, err := Job{}.encode(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := become(job, "/bin/true", []string{"true"}); err == nil || !strings.Contains(err.Error(), "parent") {
		t.Errorf("a start whose parent is gone: %v", err)
	}
}

// TestTasks counts this process among the user's.
func TestTasks(t *testing.T) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	own := int64(0)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		_, _ = fmt.Sscanf(lines.Text(), "Threads: %d", &own)
	}
	if all := tasks(os.Getuid()); own == 0 || all < own {
		t.Errorf("%d threads of this user, %d of this process alone", all, own)
	}
}
