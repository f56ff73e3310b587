//go:build amd64 || arm64

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/go-json-experiment/json"
	"golang.org/x/sys/unix"
)

// This program, started under one of these names, is a stage of a sandbox and
// nothing else. The first is process 1 in there; the second becomes the program.
const (
	firstName  = "bartizan-sandbox"
	secondName = "bartizan-sandboxed"
	self       = "/proc/self/exe"
	reportFD   = 3 // a socket to the process outside
	jobFD      = 4 // of the second stage: what the first was told
)

// Messages of the stages, one byte and its payload.
const (
	saysNetwork  = 'n' // with the sockets
	saysListener = 'l' // with the descriptor that tells of system calls
	saysMissing  = 'u' // ErrUnavailable
	saysFailed   = 'e'
	saysGo       = 'g' // to the second stage
)

const maxJob = 192 << 10

// It is decided here and not in main, so that no program and no test can
// forget it and run itself over and over instead.
func init() {
	var err error
	switch {
	case len(os.Args) == 1 && os.Args[0] == firstName:
		unix.CloseOnExec(reportFD)
		err = first()
	case len(os.Args) == 1 && os.Args[0] == secondName:
		unix.CloseOnExec(reportFD)
		err = second()
	default:
		return
	}
	says := byte(saysFailed)
	if errors.Is(err, ErrUnavailable) {
		says = saysMissing
	}
	_, _ = unix.Write(reportFD, append([]byte{says}, err.Error()...))
	syscall.Exit(1)
}

// first builds the sandbox around itself, starts the second stage in it and
// stays as process 1, which reaps orphans and takes everything with it when it
// ends.
func first() error {
	// A parent that is gone has closed the socket.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	raw := make([]byte, maxJob)
	n, err := unix.Read(reportFD, raw)
	if err != nil || n == 0 {
		return fmt.Errorf("no job: %w", err)
	}
	raw = raw[:n]
	var j job
	if err := json.Unmarshal(raw, &j); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(j.Spec.Hostname)); err != nil {
		return unavailable("host name of its own", err)
	}
	if err := buildRoot(&j); err != nil {
		return err
	}
	// It is executed while the libraries that it may be linked with can be found.
	child, handOver, err := startSecond(&j)
	if err != nil {
		return err
	}
	if err := enter(j.Spec.Scratch); err != nil {
		return err
	}
	sockets, err := openNetwork()
	if err != nil {
		return err
	}
	watch, err := watchFiles(j.Spec.Files)
	if err != nil {
		return err
	}
	if err := unix.Sendmsg(reportFD, []byte{saysNetwork}, unix.UnixRights(append(sockets, watch)...), nil, 0); err != nil {
		return err
	}
	for _, fd := range append(sockets, watch) {
		unix.Close(fd)
	}
	if _, err := handOver.Write(raw); err != nil {
		return err
	}
	handOver.Close()
	if err := abdicate(); err != nil {
		return err
	}
	syscall.Exit(reap(child))
	return nil
}

// startSecond starts the second stage and waits until it waits for its job:
// libraries that it is linked with are loaded then, and its root can move with
// this process's own.
func startSecond(j *job) (pid int, handOver *os.File, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, err
	}
	defer func() { unix.Close(pair[1]) }()
	handOver = os.NewFile(uintptr(pair[0]), "second stage")
	attr := &syscall.ProcAttr{
		Dir: "/", Env: []string{}, Files: []uintptr{0, 1, 2, reportFD, uintptr(pair[1])},
		Sys: &syscall.SysProcAttr{Setsid: true},
	}
	if j.SwitchID {
		attr.Sys.Credential = &syscall.Credential{Uid: insideUID, Gid: insideGID}
	}
	if pid, err = syscall.ForkExec(self, []string{secondName}, attr); err == nil {
		unix.Close(pair[1]) // so that its end is noticed
		pair[1] = -1
		_, err = handOver.Read(make([]byte, 1))
	}
	if err != nil {
		handOver.Close()
		return 0, nil, fmt.Errorf("second stage: %w", err)
	}
	return pid, handOver, nil
}

// abdicate gives away what the program could take from process 1: its pipes,
// its memory, its capabilities.
func abdicate() error {
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	for fd := range 3 {
		if err := unix.Dup3(null, fd, 0); err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return err
	}
	unix.Close(reportFD)
	return dropCapabilities(func(nr, a, b, c uintptr) syscall.Errno {
		_, _, errno := syscall.AllThreadsSyscall(nr, a, b, c)
		if errno == syscall.ENOTSUP { // built with cgo: this thread, which is the one that goes on
			_, _, errno = syscall.RawSyscall(nr, a, b, c)
		}
		return errno
	})
}

func dropCapabilities(do func(nr, a, b, c uintptr) syscall.Errno) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if errno := do(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0); errno != 0 {
		return fmt.Errorf("capabilities: %w", errno)
	}
	return nil
}

// reap waits for the program and for whatever was left to process 1.
func reap(child int) int {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 1
		case pid == child && status.Signaled():
			return 128 + int(status.Signal())
		case pid == child && status.Exited():
			return status.ExitStatus()
		}
	}
}

// second gives up every right, bit by bit, on this thread, and executes the
// program, which ends all others. Package initialisation runs on the main
// thread.
func second() error {
	if _, err := unix.Write(jobFD, []byte{saysGo}); err != nil {
		return err
	}
	raw := make([]byte, 0, maxJob)
	for {
		n, err := unix.Read(jobFD, raw[len(raw):cap(raw)])
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		raw = raw[:len(raw)+n]
	}
	var j job
	if err := json.Unmarshal(raw, &j); err != nil {
		return err
	}
	unix.Close(jobFD)
	if err := unix.Chdir(j.Dir); err != nil {
		return fmt.Errorf("working folder: %w", err)
	}
	if err := j.Spec.process().Apply(); err != nil {
		return err
	}
	for _, l := range []struct {
		resource int
		value    uint64
	}{{unix.RLIMIT_FSIZE, uint64(j.Spec.FileBytes)}, {unix.RLIMIT_MEMLOCK, 64 << 10}, {unix.RLIMIT_MSGQUEUE, 0}} {
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	err := dropCapabilities(func(nr, a, b, c uintptr) syscall.Errno {
		_, _, errno := syscall.RawSyscall(nr, a, b, c)
		return errno
	})
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return unavailable("no_new_privs", err)
	}
	if err := landlock(&j); err != nil {
		return unavailable("landlock", err)
	}
	if err := unix.CloseRange(reportFD+1, ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return unavailable("close_range", err)
	}
	if err := judged(); err != nil {
		return err
	}
	if j.OnlyCheck {
		syscall.Exit(0)
	}
	return syscall.Exec(j.Path, j.Args, j.Env)
}

// judged puts this thread under the filter and hands the listener out. That
// takes another thread, without the filter: to send is what the filter asks
// about, and nobody could answer yet.
func judged() error {
	// Locked, this thread clones no other, which would be under the filter too.
	runtime.LockOSThread()
	ready, listener, sent := make(chan struct{}), make(chan int), make(chan error)
	go func() {
		runtime.LockOSThread()
		close(ready) // there is a thread for it now
		fd := <-listener
		err := unix.Sendmsg(reportFD, []byte{saysListener}, unix.UnixRights(fd), nil, 0)
		if err == nil {
			var answer [1]byte
			if n, readErr := unix.Read(reportFD, answer[:]); readErr != nil || n != 1 || answer[0] != saysGo {
				err = errors.New("nobody watches")
			}
		}
		sent <- err
	}()
	program := filter()
	<-ready
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	fd, _, errno := syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER|unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return unavailable("seccomp filter with a listener", errno)
	}
	listener <- int(fd)
	return <-sent
}
