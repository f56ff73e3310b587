//go:build amd64 || arm64

package sandbox

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/go-json-experiment/json"
	"golang.org/x/sys/unix"
)

// Box is one sandbox, for one program.
type Box struct {
	spec  Spec
	check bool // everything but the program

	observing sync.Mutex // one Event after the other
	work      sync.WaitGroup
	over      chan struct{} // no process is left
	pidfd     int           // of process 1
	pid       int

	led ledAstray
}

// New checks that the kernel has every wall and that the spec can be used.
func New(spec Spec) (*Box, error) {
	spec.Limits = spec.Limits.withDefaults()
	if err := spec.check(); err != nil {
		return nil, err
	}
	if abi := LandlockABI(); abi < leastLandlock {
		return nil, fmt.Errorf("%w: Landlock ABI %d is needed, and the kernel has %d", ErrUnavailable, leastLandlock, abi)
	}
	action := uint32(unix.SECCOMP_RET_USER_NOTIF)
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action))); errno != 0 {
		return nil, unavailable("seccomp notification", errno)
	}
	if spec.Observe == nil {
		spec.Observe = func(Event) {}
	}
	return &Box{spec: spec, over: make(chan struct{}), pidfd: -1}, nil
}

// Check builds a sandbox in scratch, an empty folder, with all its walls and
// starts nothing in it.
func Check(scratch string) error {
	b, err := New(Spec{Home: "/home/check", Hostname: "check", Scratch: scratch})
	if err != nil {
		return err
	}
	b.check = true
	cmd := &exec.Cmd{Path: "/", Args: []string{"/"}, Dir: "/"}
	if err := b.Start(cmd, 20*time.Second); err != nil {
		return err
	}
	_ = cmd.Wait()
	b.Wait()
	return nil
}

// Start starts the command and returns when its program runs: Path, Args, Dir
// and Env are those inside, streams are taken over. After an error nothing
// runs. The command's process is the sandbox's first: when it is killed,
// everything in there is. Whoever waited for it calls Wait then.
func (b *Box) Start(cmd *exec.Cmd, patience time.Duration) error {
	j := job{
		Spec: b.spec.job(),
		Path: cmd.Path, Args: cmd.Args, Dir: cmd.Dir, Env: cmd.Env, OnlyCheck: b.check,
	}
	if j.Dir == "" {
		j.Dir = "/"
	}
	var err error
	if j.SwitchID, err = isolate(cmd, &b.pidfd); err != nil {
		return err
	}
	raw, err := json.Marshal(j)
	if err != nil || len(raw) > maxJob {
		return fmt.Errorf("%w: too long a command, environment or list of files", ErrSpec)
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	defer ours.Close()
	cmd.ExtraFiles = []*os.File{theirs}
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return fmt.Errorf("%w: namespaces: %w%s", ErrUnavailable, err, hints())
	}
	b.pid = cmd.Process.Pid
	_ = ours.SetDeadline(time.Now().Add(patience))
	if err := b.handshake(ours, raw); err != nil {
		b.kill()
		_ = cmd.Wait()
		b.Wait()
		return err
	}
	b.work.Go(b.watchMemory)
	return nil
}

// isolate has the command start in namespaces of its own. Root gives the
// program an id that nothing else on the machine has; anybody else has but
// their own to give.
func isolate(cmd *exec.Cmd, pidfd *int) (switchID bool, err error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.Path, cmd.Args, cmd.Dir, cmd.Env = self, []string{firstName}, "/", []string{}
	attr := cmd.SysProcAttr
	attr.PidFD = pidfd
	attr.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET |
		unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP
	uid, gid := spareID("/proc/self/uid_map"), spareID("/proc/self/gid_map")
	if os.Geteuid() == 0 && uid > 0 && gid > 0 {
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}, {ContainerID: insideUID, HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}, {ContainerID: insideGID, HostID: gid, Size: 1}}
		attr.GidMappingsEnableSetgroups = true
		return true, nil
	}
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: insideUID, HostID: os.Geteuid(), Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: insideGID, HostID: os.Getegid(), Size: 1}}
	attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_NET_BIND_SERVICE, unix.CAP_DAC_OVERRIDE, unix.CAP_CHOWN}
	return false, nil
}

func socketPair() (ours *net.UnixConn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	mine := os.NewFile(uintptr(fds[0]), "sandbox")
	defer mine.Close()
	theirs = os.NewFile(uintptr(fds[1]), "sandbox")
	c, err := net.FileConn(mine)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return c.(*net.UnixConn), theirs, nil
}

// handshake tells the stages what to build and takes over their sockets. The
// connection ends when the program is executed.
func (b *Box) handshake(c *net.UnixConn, raw []byte) error {
	watched := false
	defer func() {
		if !watched {
			close(b.over)
		}
	}()
	if _, err := c.Write(raw); err != nil {
		return fmt.Errorf("%w: %w", ErrStart, err)
	}
	buf, oob := make([]byte, 4096), make([]byte, 256)
	for {
		n, oobn, _, _, err := c.ReadMsgUnix(buf, oob)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
			return fmt.Errorf("%w: %w", ErrStart, err)
		}
		if err != nil || n == 0 {
			if !watched {
				return fmt.Errorf("%w: it ended before its program began", ErrStart)
			}
			return nil
		}
		fds, err := rights(oob[:oobn])
		if err != nil {
			return fmt.Errorf("%w: %w", ErrStart, err)
		}
		switch said := strings.ToValidUTF8(string(buf[1:n]), ""); {
		case buf[0] == saysNetwork && len(fds) == 4 && b.led.udp == nil:
			if err := b.lead(fds); err != nil {
				return fmt.Errorf("%w: %w", ErrStart, err)
			}
		case buf[0] == saysListener && len(fds) == 1 && !watched:
			watched = true
			b.work.Go(func() { b.supervise(fds[0]) })
			if _, err := c.Write([]byte{saysGo}); err != nil {
				return fmt.Errorf("%w: %w", ErrStart, err)
			}
		case buf[0] == saysMissing:
			return fmt.Errorf("%w%s", trimmed(said), hints())
		default:
			return fmt.Errorf("%w: %s", ErrStart, said)
		}
	}
}

// trimmed is what a stage said of a missing piece, as the error that it was.
func trimmed(said string) error {
	return fmt.Errorf("%w: %s", ErrUnavailable, strings.TrimPrefix(said, ErrUnavailable.Error()+": "))
}

func rights(oob []byte) (fds []int, err error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	for i := range messages {
		more, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return nil, err
		}
		fds = append(fds, more...)
	}
	for _, fd := range fds {
		unix.CloseOnExec(fd)
	}
	return fds, nil
}

// Wait returns when everything that was tried has been reported. The command's
// process must have ended.
func (b *Box) Wait() {
	<-b.over
	b.led.close()
	b.work.Wait()
	if b.pidfd >= 0 {
		unix.Close(b.pidfd)
		b.pidfd = -1
	}
}

// kill ends process 1, and so all of them.
func (b *Box) kill() {
	if b.pidfd >= 0 {
		_ = unix.PidfdSendSignal(b.pidfd, unix.SIGKILL, nil, 0)
	}
}

func (b *Box) tell(e Event) {
	b.observing.Lock()
	defer b.observing.Unlock()
	b.spec.Observe(e)
}
