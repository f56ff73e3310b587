//go:build !portable

package sandbox

import (
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pageSize is the kernel's.
var pageSize = os.Getpagesize()

// Bits of an entry of /proc/pid/pagemap (Documentation/admin-guide/mm/pagemap.rst).
const (
	pagePresent = 1 << 63
	pageSwapped = 1 << 62
	pageFile    = 1 << 61 // of a file: not written since it was mapped
)

// pagemap is the kernel's account of this process's pages; -1 where it is not
// to be had.
var pagemap = sync.OnceValue(func() int {
	fd, err := unix.Open("/proc/self/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return fd
})

// copied calls each with every page of a private mapping that is a copy of its
// own: the pages that were written to, and perhaps others. It reports whether
// the kernel told all of them.
func copied(mapping []byte, entries []uint64, each func(page int)) bool {
	fd := pagemap()
	if fd < 0 || len(mapping) == 0 {
		return false
	}
	first := uintptr(unsafe.Pointer(unsafe.SliceData(mapping))) / uintptr(pageSize)
	raw := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(entries))), 8*len(entries))
	if n, err := unix.Pread(fd, raw, int64(first)*8); err != nil || n != len(raw) {
		return false
	}
	for page, entry := range entries {
		if entry&(pagePresent|pageSwapped) != 0 && entry&pageFile == 0 {
			each(page)
		}
	}
	return true
}
