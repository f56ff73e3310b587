//go:build amd64 || arm64

package sandbox

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// notification and response are struct seccomp_notif and seccomp_notif_resp
// (linux/seccomp.h).
type notification struct {
	ID    uint64
	PID   uint32 // the thread, as this process sees it
	Flags uint32
	Nr    int32
	Arch  uint32
	IP    uint64
	Args  [6]uint64
}

type response struct {
	ID    uint64
	Val   int64
	Error int32
	Flags uint32
}

// supervise answers for every system call that the filter asks about, until no
// process is left.
func (b *Box) supervise(listener int) {
	defer close(b.over)
	defer unix.Close(listener)
	ready := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(ready, -1); err != nil && err != unix.EINTR {
			b.kill()
			return
		}
		if ready[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0 {
			return
		}
		if ready[0].Revents&unix.POLLIN == 0 {
			continue
		}
		var n notification
		if errno := control(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)); errno != 0 {
			continue // the thread is gone already
		}
		answer := b.judge(listener, &n)
		answer.ID = n.ID
		control(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&answer))
	}
}

func control(fd int, request uintptr, arg unsafe.Pointer) syscall.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
	return errno
}

var goOn = response{Flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}

func fails(e syscall.Errno) response { return response{Error: -int32(e)} }

// judge reports one call and says what becomes of it. A call that goes on reads
// its arguments once more, which another thread may have changed meanwhile: it
// can be hidden so, but goes against the same walls.
func (b *Box) judge(listener int, n *notification) response {
	c, known := observed[int(n.Nr)]
	if !known {
		return b.refuse(n)
	}
	t := thread{listener: listener, id: n.ID, pid: int(n.PID)}
	switch c.access {
	case connects:
		return b.connect(t, n)
	case binds:
		if at, ok := t.address(n.Args[1], n.Args[2]); ok {
			b.tell(Event{Kind: Listen, Network: t.network(n.Args[0], at), Addr: at.port, Path: at.path})
		}
		return goOn
	case sends:
		return b.send(t, n.Args[0], n.Args[4], n.Args[5], n.Args[1], n.Args[2])
	case sendsOne:
		return b.sendMessages(t, n, 1, 56)
	case sendsMany:
		return b.sendMessages(t, n, n.Args[2], 64)
	}
	e := Event{Kind: Write}
	path, ok := t.path(c, n)
	if !ok {
		return fails(syscall.EFAULT)
	}
	e.Path = path
	switch c.access {
	case executes:
		e.Kind, e.Args = Execute, t.arguments(n.Args[c.more])
	case reads:
		e.Kind = Read
	case byFlags, byStruct:
		flags := n.Args[c.more]
		if c.access == byStruct {
			flags, ok = t.word(n.Args[c.more])
		}
		if !ok {
			return fails(syscall.EFAULT)
		}
		if flags&(unix.O_WRONLY|unix.O_RDWR|unix.O_CREAT|unix.O_TRUNC) == 0 {
			e.Kind = Read
		}
	}
	if !t.alive() {
		return fails(syscall.EINTR)
	}
	b.tell(e)
	return goOn
}

// refuse reports a call that nobody needs who just answers questions.
func (b *Box) refuse(n *notification) response {
	name := refusedNames[int(n.Nr)]
	if name == "" {
		name = "system call " + strconv.Itoa(int(n.Nr))
	}
	if n.Nr == unix.SYS_SOCKET {
		name = fmt.Sprintf("socket of family %d, type %d", uint32(n.Args[0]), uint32(n.Args[1])&0xf)
	}
	b.tell(Event{Kind: Refused, Name: name})
	if lacking[int(n.Nr)] {
		return fails(syscall.ENOSYS)
	}
	return fails(syscall.EPERM)
}

// thread is who made a call; it waits meanwhile.
type thread struct {
	listener int
	id       uint64
	pid      int
}

// alive reports that the thread still waits, so that what was read was its own.
func (t thread) alive() bool {
	return control(t.listener, unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&t.id)) == 0
}

// process is the id of the thread's process.
func (t thread) process() (int, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", t.pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if rest, ok := bytes.CutPrefix(lines.Bytes(), []byte("Tgid:")); ok {
			return strconv.Atoi(string(bytes.TrimSpace(rest)))
		}
	}
	return 0, os.ErrNotExist
}

// borrow duplicates a descriptor of the thread's process.
func (t thread) borrow(fd uint64) (int, error) {
	pid, err := t.process()
	if err != nil {
		return -1, err
	}
	handle, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(handle)
	if !t.alive() {
		return -1, os.ErrProcessDone
	}
	return unix.PidfdGetfd(handle, int(int32(fd)), 0)
}
