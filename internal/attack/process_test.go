package attack

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// process is one running program and the first line that it printed.
type process struct {
	cmd   *exec.Cmd
	first string
	log   string // file of its standard error
	ended chan struct{}
	once  sync.Once
}

// launch starts a program and waits for its first line.
func launch(dir, name string, env []string, args ...string) (*process, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	log, err := os.CreateTemp(dir, filepath.Base(name)+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, log: log.Name(), ended: make(chan struct{})}
	lines := bufio.NewScanner(out)
	lines.Scan()
	p.first = lines.Text()
	go func() {
		for lines.Scan() {
		}
		_ = cmd.Wait() // the exit code is in ProcessState
		close(p.ended)
	}()
	if p.first == "" {
		p.stop()
		return nil, fmt.Errorf("%s ended: %s", filepath.Base(name), bytes.TrimSpace(p.said()))
	}
	return p, nil
}

// said is what the program wrote to standard error.
func (p *process) said() []byte {
	b, _ := os.ReadFile(p.log)
	return b
}

// signal sends a signal to a program that may have ended.
func (p *process) signal(s os.Signal) { _ = p.cmd.Process.Signal(s) }

// stop ends the program as an operator does and returns its exit code.
func (p *process) stop() int {
	p.once.Do(func() { p.signal(syscall.SIGTERM) })
	<-p.ended
	return p.cmd.ProcessState.ExitCode()
}

// kill ends the program without notice.
func (p *process) kill() {
	p.signal(os.Kill)
	<-p.ended
}

// memory is the program's resident set and its peak so far, in bytes (proc(5),
// status). Where the system does not tell, the test is skipped.
func (p *process) memory(t testing.TB) (now, peak int64) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("memory of another process is read from /proc")
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	read := func(field string) (int64, error) {
		for line := range strings.Lines(string(status)) {
			if rest, ok := strings.CutPrefix(line, field+":"); ok {
				kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
				return kb << 10, err
			}
		}
		return 0, errors.New("proc: no " + field)
	}
	var errs [2]error
	now, errs[0] = read("VmRSS")
	peak, errs[1] = read("VmHWM")
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	return now, peak
}
