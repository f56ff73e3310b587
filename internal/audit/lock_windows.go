package audit

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lock takes the file for this process. The kernel lets go of it when the
// process ends, however it ends.
func lock(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	// Locks are mandatory there, so the locked byte lies beyond anything that a
	// reader wants.
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 30})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLocked
	}
	return err
}
