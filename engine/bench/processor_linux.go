package main

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// processorTime runs an operation on a thread of its own and returns what that
// took of a processor: on a busy machine the clock also counts the waiting.
func processorTime(run func() error) (time.Duration, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began, err := threadTime()
	if err != nil {
		return 0, err
	}
	if err := run(); err != nil {
		return 0, err
	}
	ended, err := threadTime()
	return ended - began, err
}

func threadTime() (time.Duration, error) {
	var t unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t)
	return time.Duration(t.Nano()), err
}
