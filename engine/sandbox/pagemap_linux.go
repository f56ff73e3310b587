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
// to be had, or does not hold what it should.
var pagemap = sync.OnceValue(func() int {
	fd, err := unix.Open("/proc/self/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	if !telling(fd) {
		_ = unix.Close(fd)
		return -1
	}
	return fd
})

// copied appends the pages of a private mapping that are copies of its own: the
// pages that were written to, and perhaps others. It reports whether the kernel
// told all of them, by the account that fd is.
func copied(fd int, mapping []byte, raw []uint64, pages []int) ([]int, bool) {
	if fd < 0 {
		return pages, false
	}
	first := uintptr(unsafe.Pointer(unsafe.SliceData(mapping))) / uintptr(pageSize)
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(raw))), 8*len(raw))
	if n, err := unix.Pread(fd, b, int64(first)*8); err != nil || n != len(b) {
		return pages, false
	}
	for page, entry := range raw {
		if entry&(pagePresent|pageSwapped) != 0 && entry&pageFile == 0 {
			pages = append(pages, page)
		}
	}
	return pages, true
}
