//go:build !portable

package sandbox

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// What a reset leaves out rests on two things that the kernel tells. Both are
// tried before they are relied on, on two private pages of a file.

// counting reports whether count grows by the first read and by the first write
// of a page, in the thread that does it.
func counting(count func() int64) bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	told := false
	onPages(func(b []byte) {
		start := count()
		b[0]++ // a page that was not there
		written := count()
		_ = b[pageSize]
		b[pageSize]++ // and another, perhaps mapped by a read
		told = start >= 0 && start < written && written < count()
	})
	return told
}

// telling reports whether a file is an account of pages like /proc/pid/pagemap:
// it tells a page that was written from one that was read.
func telling(fd int) bool {
	told := false
	onPages(func(b []byte) {
		b[0]++
		if b[pageSize] != 0 {
			return
		}
		pages, ok := copied(fd, b, make([]uint64, 2), nil)
		told = ok && len(pages) == 1 && pages[0] == 0
	})
	return told
}

// onPages calls f with two pages of a file, mapped privately.
func onPages(f func([]byte)) {
	fd, err := unix.MemfdCreate("scanner", unix.MFD_CLOEXEC)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, 2*int64(pageSize)); err != nil {
		return
	}
	b, err := unix.Mmap(fd, 0, 2*pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil {
		return
	}
	defer unix.Munmap(b)
	f(b)
}
