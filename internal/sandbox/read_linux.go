//go:build amd64 || arm64

package sandbox

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// Bounds of what is read out of a process for the record.
const (
	maxPath     = 4096
	maxArgs     = 64
	maxArg      = 1024
	maxPayload  = 64 << 10
	maxMessages = 16
)

// memory reads what it can at an address; less than asked where it ends. The
// kernel copies up to the first page that is not there.
func (t thread) memory(address uint64, size int) []byte {
	buf := make([]byte, size)
	page := uint64(unix.Getpagesize())
	got := 0
	for got < size {
		at := address + uint64(got)
		n := min(uint64(size-got), page-at%page)
		local := []unix.Iovec{{Base: &buf[got]}}
		local[0].SetLen(int(n))
		read, err := unix.ProcessVMReadv(t.pid, local, []unix.RemoteIovec{{Base: uintptr(at), Len: int(n)}}, 0)
		if err != nil || read <= 0 {
			break
		}
		got += read
		if bytes.IndexByte(buf[got-read:got], 0) >= 0 && size == maxPath {
			break // a text ends here
		}
	}
	return buf[:got]
}

// text reads a string that ends with a zero byte.
func (t thread) text(address uint64, size int) (string, bool) {
	raw := t.memory(address, size)
	if end := bytes.IndexByte(raw, 0); end >= 0 {
		return string(raw[:end]), true
	}
	return string(raw), len(raw) == size
}

func (t thread) word(address uint64) (uint64, bool) {
	raw := t.memory(address, 8)
	if len(raw) < 8 {
		return 0, false
	}
	return binary.NativeEndian.Uint64(raw), true
}

// path is the path that a call names, from the root on. Links in it are not
// followed.
func (t thread) path(c call, n *notification) (string, bool) {
	name, ok := t.text(n.Args[c.path], maxPath)
	if !ok || path.IsAbs(name) {
		return path.Clean(name), ok
	}
	from := fmt.Sprintf("/proc/%d/cwd", t.pid)
	if c.dir != cannotHere && int32(n.Args[c.dir]) != unix.AT_FDCWD {
		from = fmt.Sprintf("/proc/%d/fd/%d", t.pid, int32(n.Args[c.dir]))
	}
	dir, err := os.Readlink(from)
	if err != nil {
		dir = "(unknown)"
	}
	return path.Join(dir, name), true
}

// arguments reads an argument vector.
func (t thread) arguments(address uint64) (args []string) {
	for range maxArgs {
		at, ok := t.word(address)
		if !ok || at == 0 {
			break
		}
		arg, _ := t.text(at, maxArg)
		args = append(args, arg)
		address += 8
	}
	return args
}

// address is a destination; path for the family unix.
type address struct {
	family uint16
	port   netip.AddrPort
	path   string
}

func (t thread) address(at, size uint64) (address, bool) {
	if size < 2 || size > 128 {
		return address{}, false
	}
	return parseAddress(t.memory(at, int(size)))
}

// parseAddress reads a struct sockaddr.
func parseAddress(raw []byte) (a address, ok bool) {
	if len(raw) < 2 {
		return a, false
	}
	a.family = binary.NativeEndian.Uint16(raw)
	switch {
	case a.family == unix.AF_INET && len(raw) >= 8:
		a.port = netip.AddrPortFrom(netip.AddrFrom4([4]byte(raw[4:8])), binary.BigEndian.Uint16(raw[2:]))
	case a.family == unix.AF_INET6 && len(raw) >= 24:
		a.port = netip.AddrPortFrom(netip.AddrFrom16([16]byte(raw[8:24])).Unmap(), binary.BigEndian.Uint16(raw[2:]))
	case a.family == unix.AF_UNIX:
		name := raw[2:]
		if len(name) > 0 && name[0] == 0 { // abstract: no file, and another namespace than the host's
			a.path = "@" + string(name[1:])
		} else if end := bytes.IndexByte(name, 0); end >= 0 {
			a.path = string(name[:end])
		} else {
			a.path = string(name)
		}
	case a.family == unix.AF_INET || a.family == unix.AF_INET6:
		return a, false
	}
	return a, true
}

// outward reports a destination beyond the sandbox's own loopback interface.
func (a address) outward() bool {
	return (a.family == unix.AF_INET || a.family == unix.AF_INET6) && !a.port.Addr().IsLoopback() && !a.port.Addr().IsUnspecified()
}

// network names the protocol of a socket.
func (t thread) network(fd uint64, a address) string {
	switch a.family {
	case unix.AF_UNIX:
		return "unix"
	case unix.AF_INET, unix.AF_INET6:
	default:
		return fmt.Sprintf("family %d", a.family)
	}
	socket, err := t.borrow(fd)
	if err != nil {
		return "ip"
	}
	defer unix.Close(socket)
	return socketNetwork(socket)
}

func socketNetwork(socket int) string {
	switch kind, _ := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_TYPE); kind {
	case unix.SOCK_STREAM:
		return "tcp"
	case unix.SOCK_DGRAM:
		return "udp"
	}
	return "ip"
}
