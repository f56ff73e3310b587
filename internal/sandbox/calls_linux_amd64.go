package sandbox

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// foreignNumbers keeps out the x32 variant, which has the same architecture.
var foreignNumbers = []unix.SockFilter{jump(jge, 0x40000000, 0, 1), ret(kill)}

var allowedHere = []int{
	unix.SYS_STAT, unix.SYS_LSTAT, unix.SYS_POLL, unix.SYS_ACCESS, unix.SYS_PIPE, unix.SYS_SELECT, unix.SYS_DUP2, unix.SYS_PAUSE,
	unix.SYS_ALARM, unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_GETDENTS, unix.SYS_READLINK, unix.SYS_GETPGRP, unix.SYS_ARCH_PRCTL,
	unix.SYS_TIME, unix.SYS_EPOLL_CREATE, unix.SYS_EPOLL_WAIT, unix.SYS_INOTIFY_INIT, unix.SYS_SIGNALFD, unix.SYS_EVENTFD,
	unix.SYS_UTIME, unix.SYS_UTIMES, unix.SYS_FUTIMESAT,
}

var observedHere = map[int]call{
	unix.SYS_OPEN:     {"open", byFlags, cannotHere, 0, 1},
	unix.SYS_CREAT:    {"creat", writes, cannotHere, 0, cannotHere},
	unix.SYS_MKDIR:    {"mkdir", writes, cannotHere, 0, cannotHere},
	unix.SYS_MKNOD:    {"mknod", writes, cannotHere, 0, cannotHere},
	unix.SYS_RMDIR:    {"rmdir", writes, cannotHere, 0, cannotHere},
	unix.SYS_UNLINK:   {"unlink", writes, cannotHere, 0, cannotHere},
	unix.SYS_RENAME:   {"rename", writes, cannotHere, 0, cannotHere},
	unix.SYS_RENAMEAT: {"renameat", writes, 0, 1, cannotHere},
	unix.SYS_LINK:     {"link", writes, cannotHere, 1, cannotHere},
	unix.SYS_SYMLINK:  {"symlink", writes, cannotHere, 1, cannotHere},
	unix.SYS_CHMOD:    {"chmod", writes, cannotHere, 0, cannotHere},
	unix.SYS_CHOWN:    {"chown", writes, cannotHere, 0, cannotHere},
	unix.SYS_LCHOWN:   {"lchown", writes, cannotHere, 0, cannotHere},
}
