package confine

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	supported = true
	// self is this program even when its file was replaced meanwhile.
	self = "/proc/self/exe"
	// childName, as the name it is started under, makes a process of this
	// program a start and nothing else.
	childName = "bartizan-confine"
	// reportFD is the pipe that a failure is told through.
	reportFD = 3
	// programFD is where a Job's Program is opened.
	programFD = "/proc/self/fd/4"
)

// It is decided here and not in main so that no program and no test can forget
// it and run itself over and over instead.
func init() {
	if len(os.Args) > 3 && os.Args[0] == childName {
		unix.CloseOnExec(reportFD)
		if os.Args[2] == programFD {
			unix.CloseOnExec(reportFD + 1)
		}
		err := become(os.Args[1], os.Args[2], os.Args[3:])
		_, _ = unix.Write(reportFD, []byte(err.Error()))
		os.Exit(1)
	}
}

// become limits this process and executes the program in its place. Package
// initialisation runs on the main thread, which execve keeps.
func become(job, path string, args []string) error {
	j, parent, err := decode(job)
	if err != nil {
		return err
	}
	// The signal that came with the fork is lost where this file has
	// capabilities of its own. A parent that is gone by now sends none.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	if os.Getppid() != parent {
		return fmt.Errorf("the parent is gone")
	}
	if err := j.Limits.Apply(); err != nil {
		return err
	}
	if err := j.Fence.putUp(); err != nil {
		return fmt.Errorf("fence: %w", err)
	}
	return syscall.Exec(path, args, os.Environ())
}

// Apply sets hard and soft limits alike, so that no descendant can raise them.
// What is limited more tightly already stays so. The number of processes comes
// last but for the address space: it is counted by reading files.
func (l Limits) Apply() error {
	processes := int64(l.Processes)
	if processes > 0 {
		processes += tasks(os.Getuid())
	}
	seconds := int64(l.CPU)
	if seconds > 0 {
		seconds = int64((l.CPU + time.Second - 1) / time.Second)
	}
	for _, r := range []struct {
		resource int
		value    int64
	}{
		{unix.RLIMIT_NOFILE, int64(l.Files)},
		{unix.RLIMIT_CPU, seconds},
		{unix.RLIMIT_NPROC, processes},
		{unix.RLIMIT_DATA, l.MemoryBytes},
		{unix.RLIMIT_AS, l.AddressBytes},
	} {
		if r.value < 0 {
			continue
		}
		if err := lower(r.resource, uint64(r.value)); err != nil {
			return err
		}
	}
	return lower(unix.RLIMIT_CORE, 0)
}

func lower(resource int, value uint64) error {
	var now unix.Rlimit
	if err := unix.Getrlimit(resource, &now); err != nil {
		return err
	}
	value = min(value, now.Max)
	return unix.Setrlimit(resource, &unix.Rlimit{Cur: value, Max: value})
}

// tasks counts the threads that a user runs: the kernel limits their number
// for the user as a whole.
func tasks(uid int) (n int64) {
	found, _ := filepath.Glob("/proc/[0-9]*/task") // the pattern is well-formed
	for _, path := range found {
		var stat unix.Stat_t
		if unix.Stat(path, &stat) == nil && int(stat.Uid) == uid && stat.Nlink > 2 {
			n += int64(stat.Nlink) - 2 // one folder for each thread
		}
	}
	return n
}
