//go:build amd64 || arm64

package sandbox

import "golang.org/x/sys/unix"

// allowed are system calls that pass unseen: those that work on what a process
// already has. A call that opens, reaches, executes or changes something by
// name is observed instead; everything else is refused.
var allowed = append([]int{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_CLOSE, unix.SYS_FSTAT, unix.SYS_LSEEK, unix.SYS_MMAP, unix.SYS_MPROTECT,
	unix.SYS_MUNMAP, unix.SYS_BRK, unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_IOCTL,
	unix.SYS_PREAD64, unix.SYS_PWRITE64, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_SCHED_YIELD, unix.SYS_MREMAP, unix.SYS_MSYNC,
	unix.SYS_MINCORE, unix.SYS_MADVISE, unix.SYS_DUP, unix.SYS_DUP3, unix.SYS_NANOSLEEP, unix.SYS_GETITIMER, unix.SYS_SETITIMER,
	unix.SYS_GETPID, unix.SYS_SENDFILE, unix.SYS_ACCEPT, unix.SYS_ACCEPT4, unix.SYS_RECVFROM, unix.SYS_RECVMSG, unix.SYS_RECVMMSG,
	unix.SYS_SHUTDOWN, unix.SYS_LISTEN, unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_SOCKETPAIR, unix.SYS_SETSOCKOPT,
	unix.SYS_GETSOCKOPT, unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_WAIT4, unix.SYS_WAITID, unix.SYS_KILL, unix.SYS_TKILL,
	unix.SYS_TGKILL, unix.SYS_UNAME, unix.SYS_FCNTL, unix.SYS_FLOCK, unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_FTRUNCATE,
	unix.SYS_GETDENTS64, unix.SYS_GETCWD, unix.SYS_CHDIR, unix.SYS_FCHDIR, unix.SYS_FCHMOD, unix.SYS_FCHOWN, unix.SYS_UMASK,
	unix.SYS_GETTIMEOFDAY, unix.SYS_GETRLIMIT, unix.SYS_SETRLIMIT, unix.SYS_PRLIMIT64, unix.SYS_GETRUSAGE, unix.SYS_SYSINFO,
	unix.SYS_TIMES, unix.SYS_GETUID, unix.SYS_GETGID, unix.SYS_GETEUID, unix.SYS_GETEGID, unix.SYS_SETUID, unix.SYS_SETGID,
	unix.SYS_SETREUID, unix.SYS_SETREGID, unix.SYS_SETRESUID, unix.SYS_SETRESGID, unix.SYS_GETRESUID, unix.SYS_GETRESGID,
	unix.SYS_SETGROUPS, unix.SYS_GETGROUPS, unix.SYS_SETPGID, unix.SYS_GETPGID, unix.SYS_GETPPID, unix.SYS_SETSID, unix.SYS_GETSID,
	unix.SYS_CAPGET, unix.SYS_CAPSET, unix.SYS_RT_SIGPENDING, unix.SYS_RT_SIGTIMEDWAIT, unix.SYS_RT_SIGQUEUEINFO,
	unix.SYS_RT_TGSIGQUEUEINFO, unix.SYS_RT_SIGSUSPEND, unix.SYS_SIGALTSTACK, unix.SYS_STATFS, unix.SYS_FSTATFS,
	unix.SYS_GETPRIORITY, unix.SYS_SETPRIORITY, unix.SYS_SCHED_SETPARAM, unix.SYS_SCHED_GETPARAM, unix.SYS_SCHED_SETSCHEDULER,
	unix.SYS_SCHED_GETSCHEDULER, unix.SYS_SCHED_GET_PRIORITY_MAX, unix.SYS_SCHED_GET_PRIORITY_MIN, unix.SYS_SCHED_RR_GET_INTERVAL,
	unix.SYS_SCHED_SETATTR, unix.SYS_SCHED_GETATTR, unix.SYS_SCHED_SETAFFINITY, unix.SYS_SCHED_GETAFFINITY, unix.SYS_MLOCK,
	unix.SYS_MLOCK2, unix.SYS_MUNLOCK, unix.SYS_MLOCKALL, unix.SYS_MUNLOCKALL, unix.SYS_SYNC, unix.SYS_SYNCFS, unix.SYS_GETTID,
	unix.SYS_READAHEAD, unix.SYS_FGETXATTR, unix.SYS_FLISTXATTR, unix.SYS_GETXATTR, unix.SYS_LGETXATTR, unix.SYS_LISTXATTR,
	unix.SYS_LLISTXATTR, unix.SYS_FUTEX, unix.SYS_FUTEX_WAITV, unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT,
	unix.SYS_EPOLL_PWAIT2, unix.SYS_SET_TID_ADDRESS, unix.SYS_RESTART_SYSCALL, unix.SYS_FADVISE64, unix.SYS_TIMER_CREATE,
	unix.SYS_TIMER_SETTIME, unix.SYS_TIMER_GETTIME, unix.SYS_TIMER_GETOVERRUN, unix.SYS_TIMER_DELETE, unix.SYS_CLOCK_GETTIME,
	unix.SYS_CLOCK_GETRES, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_INOTIFY_INIT1, unix.SYS_INOTIFY_ADD_WATCH, unix.SYS_INOTIFY_RM_WATCH,
	unix.SYS_NEWFSTATAT, unix.SYS_READLINKAT, unix.SYS_FACCESSAT, unix.SYS_FACCESSAT2, unix.SYS_STATX, unix.SYS_PSELECT6,
	unix.SYS_PPOLL, unix.SYS_SET_ROBUST_LIST, unix.SYS_GET_ROBUST_LIST, unix.SYS_SPLICE, unix.SYS_TEE, unix.SYS_SYNC_FILE_RANGE,
	unix.SYS_SIGNALFD4, unix.SYS_TIMERFD_CREATE, unix.SYS_TIMERFD_SETTIME, unix.SYS_TIMERFD_GETTIME, unix.SYS_EVENTFD2,
	unix.SYS_FALLOCATE, unix.SYS_PIPE2, unix.SYS_PREADV, unix.SYS_PWRITEV, unix.SYS_PREADV2, unix.SYS_PWRITEV2, unix.SYS_GETCPU,
	unix.SYS_GETRANDOM, unix.SYS_MEMBARRIER, unix.SYS_COPY_FILE_RANGE, unix.SYS_PKEY_ALLOC, unix.SYS_PKEY_FREE,
	unix.SYS_PKEY_MPROTECT, unix.SYS_RSEQ, unix.SYS_CLOSE_RANGE, unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_SEND_SIGNAL, unix.SYS_IOPRIO_GET,
	unix.SYS_GET_MEMPOLICY, unix.SYS_UTIMENSAT, unix.SYS_CACHESTAT,
}, allowedHere...)

// access is what a call does to the file that it names.
type access int

const (
	reads      access = iota
	writes            // makes, removes or changes it
	byFlags           // open: the flags say
	byStruct          // openat2: a structure in memory says
	executes          // execve
	connects          // connect
	binds             // bind
	sends             // sendto: an address among the arguments
	sendsOne          // sendmsg
	sendsMany         // sendmmsg
	cannotHere = -1
)

// call says where an observed system call keeps its arguments.
type call struct {
	name   string
	access access
	dir    int // argument with the folder's descriptor, cannotHere without one
	path   int // argument with the path
	more   int // argument with flags, structure or arguments
}

// observed are the calls that the observer sees before they happen.
var observed = merge(map[int]call{
	unix.SYS_OPENAT:    {"openat", byFlags, 0, 1, 2},
	unix.SYS_OPENAT2:   {"openat2", byStruct, 0, 1, 2},
	unix.SYS_EXECVE:    {"execve", executes, cannotHere, 0, 1},
	unix.SYS_EXECVEAT:  {"execveat", executes, 0, 1, 2},
	unix.SYS_MKDIRAT:   {"mkdirat", writes, 0, 1, cannotHere},
	unix.SYS_MKNODAT:   {"mknodat", writes, 0, 1, cannotHere},
	unix.SYS_UNLINKAT:  {"unlinkat", writes, 0, 1, cannotHere},
	unix.SYS_RENAMEAT2: {"renameat2", writes, 0, 1, cannotHere},
	unix.SYS_LINKAT:    {"linkat", writes, 2, 3, cannotHere},
	unix.SYS_SYMLINKAT: {"symlinkat", writes, 1, 2, cannotHere},
	unix.SYS_FCHMODAT:  {"fchmodat", writes, 0, 1, cannotHere},
	unix.SYS_FCHMODAT2: {"fchmodat2", writes, 0, 1, cannotHere},
	unix.SYS_FCHOWNAT:  {"fchownat", writes, 0, 1, cannotHere},
	unix.SYS_TRUNCATE:  {"truncate", writes, cannotHere, 0, cannotHere},
	unix.SYS_CONNECT:   {"connect", connects, cannotHere, 1, 2},
	unix.SYS_BIND:      {"bind", binds, cannotHere, 1, 2},
	unix.SYS_SENDTO:    {"sendto", sends, cannotHere, 4, 5},
	unix.SYS_SENDMSG:   {"sendmsg", sendsOne, cannotHere, 1, cannotHere},
	unix.SYS_SENDMMSG:  {"sendmmsg", sendsMany, cannotHere, 1, 2},
}, observedHere)

func merge(a, b map[int]call) map[int]call {
	for n, c := range b {
		a[n] = c
	}
	return a
}

// names of calls that nobody needs who just answers questions, for the record.
var refusedNames = map[int]string{
	unix.SYS_PTRACE: "ptrace", unix.SYS_MOUNT: "mount", unix.SYS_UMOUNT2: "umount", unix.SYS_UNSHARE: "unshare", unix.SYS_SETNS: "setns",
	unix.SYS_PIVOT_ROOT: "pivot_root", unix.SYS_CHROOT: "chroot", unix.SYS_BPF: "bpf", unix.SYS_PERF_EVENT_OPEN: "perf_event_open",
	unix.SYS_KEYCTL: "keyctl", unix.SYS_ADD_KEY: "add_key", unix.SYS_REQUEST_KEY: "request_key", unix.SYS_IO_URING_SETUP: "io_uring_setup",
	unix.SYS_USERFAULTFD: "userfaultfd", unix.SYS_PROCESS_VM_READV: "process_vm_readv", unix.SYS_PROCESS_VM_WRITEV: "process_vm_writev",
	unix.SYS_PIDFD_GETFD: "pidfd_getfd", unix.SYS_MEMFD_CREATE: "memfd_create", unix.SYS_SHMGET: "shmget", unix.SYS_MSGGET: "msgget",
	unix.SYS_SEMGET: "semget", unix.SYS_MQ_OPEN: "mq_open", unix.SYS_SECCOMP: "seccomp", unix.SYS_PERSONALITY: "personality",
	unix.SYS_OPEN_BY_HANDLE_AT: "open_by_handle_at", unix.SYS_NAME_TO_HANDLE_AT: "name_to_handle_at", unix.SYS_INIT_MODULE: "init_module",
	unix.SYS_FINIT_MODULE: "finit_module", unix.SYS_KEXEC_LOAD: "kexec_load", unix.SYS_REBOOT: "reboot", unix.SYS_SETTIMEOFDAY: "settimeofday",
	unix.SYS_CLOCK_SETTIME: "clock_settime", unix.SYS_SETHOSTNAME: "sethostname", unix.SYS_OPEN_TREE: "open_tree", unix.SYS_FSOPEN: "fsopen",
	unix.SYS_MOVE_MOUNT: "move_mount", unix.SYS_MOUNT_SETATTR: "mount_setattr", unix.SYS_FANOTIFY_INIT: "fanotify_init", unix.SYS_SYSLOG: "syslog",
	unix.SYS_LANDLOCK_CREATE_RULESET: "landlock_create_ruleset", unix.SYS_SWAPON: "swapon", unix.SYS_ACCT: "acct", unix.SYS_QUOTACTL: "quotactl",
	unix.SYS_KCMP: "kcmp", unix.SYS_MEMFD_SECRET: "memfd_secret", unix.SYS_SOCKET: "socket", unix.SYS_CLONE: "clone",
	unix.SYS_IO_SETUP: "io_setup", unix.SYS_VMSPLICE: "vmsplice", unix.SYS_MBIND: "mbind", unix.SYS_SET_MEMPOLICY: "set_mempolicy",
	unix.SYS_SETXATTR: "setxattr", unix.SYS_FSETXATTR: "fsetxattr", unix.SYS_PROCESS_MADVISE: "process_madvise",
}

// lacking are refused as a kernel without them would: programs then do without.
var lacking = map[int]bool{unix.SYS_IO_URING_SETUP: true, unix.SYS_MEMFD_CREATE: true, unix.SYS_MEMFD_SECRET: true, unix.SYS_USERFAULTFD: true}
