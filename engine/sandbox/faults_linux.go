//go:build !portable

package sandbox

import (
	"sync"

	"golang.org/x/sys/unix"
)

// faults counts the pages that the kernel had to provide to the calling thread
// so far; -1 where it does not tell.
func faults() int64 {
	if !countsFaults() {
		return -1
	}
	return threadFaults()
}

func threadFaults() int64 {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &used); err != nil {
		return -1
	}
	return int64(used.Minflt) + int64(used.Majflt)
}

// countsFaults says whether the kernel counts what it says it counts. Some that
// offer the same calls answer 0 all the time: no call would then be seen to have
// written anything.
var countsFaults = sync.OnceValue(func() bool { return counting(threadFaults) })
