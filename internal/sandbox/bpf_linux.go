//go:build amd64 || arm64

package sandbox

import (
	"maps"
	"slices"

	"golang.org/x/sys/unix"
)

// Offsets into struct seccomp_data (linux/seccomp.h). Both architectures are
// little-endian, so the low half of an argument comes first.
const (
	dataNumber = 0
	dataArch   = 4
	dataArgs   = 16
)

const (
	allow  = unix.SECCOMP_RET_ALLOW
	ask    = unix.SECCOMP_RET_USER_NOTIF
	deny   = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	absent = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	kill   = unix.SECCOMP_RET_KILL_PROCESS
)

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func ret(action uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
}

// jump compares the loaded word and skips yes or no instructions.
func jump(test uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | test, K: k, Jt: yes, Jf: no}
}

func mask(k uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: k}
}

// low and high load the halves of an argument.
func low(arg uint32) unix.SockFilter  { return load(dataArgs + 8*arg) }
func high(arg uint32) unix.SockFilter { return load(dataArgs + 8*arg + 4) }

const (
	jeq  = unix.BPF_JEQ
	jge  = unix.BPF_JGE
	jset = unix.BPF_JSET
)

// only runs a block, which must return on every path, for one system call.
func only(number int, block ...unix.SockFilter) []unix.SockFilter {
	return append([]unix.SockFilter{jump(jeq, uint32(number), 0, uint8(len(block)))}, block...)
}

// newNamespaces are the flags of clone that would make namespaces.
const newNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWTIME

// prSetSeccomp is PR_SET_SECCOMP, for which x/sys has no name.
const prSetSeccomp = 22

// filter is the program that judges every system call. What it does not name
// is asked about, and refused: the observer then knows what was tried.
func filter() []unix.SockFilter {
	p := []unix.SockFilter{
		load(dataArch), jump(jeq, auditArch, 1, 0), ret(kill),
		load(dataNumber),
	}
	p = append(p, foreignNumbers...)
	for _, n := range allowed {
		p = append(p, only(n, ret(allow))...)
	}
	for _, n := range slices.Sorted(maps.Keys(observed)) {
		if n == unix.SYS_SENDTO { // without an address it goes where connect led
			p = append(p, only(n, low(4), jump(jeq, 0, 0, 2), high(4), jump(jeq, 0, 1, 0), ret(ask), ret(allow))...)
			continue
		}
		p = append(p, only(n, ret(ask))...)
	}
	p = append(p, only(unix.SYS_CLONE, low(0), jump(jset, newNamespaces, 0, 1), ret(ask), ret(allow))...)
	p = append(p, only(unix.SYS_CLONE3, ret(absent))...) // its flags lie in memory; libraries fall back to clone
	p = append(p, only(unix.SYS_PRCTL, low(0),
		jump(jeq, unix.PR_SET_DUMPABLE, 1, 0), jump(jeq, prSetSeccomp, 0, 1), ret(deny), ret(allow))...)
	p = append(p, only(unix.SYS_SOCKET, low(0),
		jump(jeq, unix.AF_UNIX, 6, 0),
		jump(jeq, unix.AF_NETLINK, 5, 0), // libraries list interfaces with it; there is the loopback one
		jump(jeq, unix.AF_INET, 1, 0),
		jump(jeq, unix.AF_INET6, 0, 4), // among the others: vsock, which no namespace contains
		low(1), mask(0xf), jump(jeq, unix.SOCK_RAW, 1, 0),
		ret(allow), ret(ask))...)
	return append(p, ret(ask))
}
