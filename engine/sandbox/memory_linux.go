//go:build !portable

package sandbox

import (
	"bytes"
	"fmt"
	"unsafe"

	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

// memory is the linear memory of one instance: a reservation of its limit, of
// which the kernel provides the pages that are touched. Over it lies, once the
// module was initialised, a private mapping of the image: what a call writes is
// a copy of a page, and the reset makes the copies equal to the image again.
type memory struct {
	reserved []byte
	image    *image // nil until overlaid
	size     int
	refused  bool   // growth past the limit was asked for
	grown    func() // called after each growth of an instance

	copies []int    // pages of the image that are copies of their own
	before int64    // faults of this thread when the call began
	quiet  bool     // the call met no fault
	raw    []uint64 // the kernel's account of the image's pages
}

func newMemory(limit uint32) (*memory, error) {
	reserved, err := unix.Mmap(-1, 0, int(limit), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHost, err)
	}
	// A page is a page: huge ones would make a reset copy megabytes.
	_ = unix.Madvise(reserved, unix.MADV_NOHUGEPAGE)
	return &memory{reserved: reserved}, nil
}

// Allocate implements experimental.MemoryAllocator.
func (m *memory) Allocate(_, _ uint64) experimental.LinearMemory { return m }

// Reallocate implements experimental.LinearMemory. It returns nil past the
// limit, and memory.grow answers -1. Bytes that it uncovers are zero: nobody
// could write them before.
func (m *memory) Reallocate(size uint64) []byte {
	if size > uint64(len(m.reserved)) {
		m.refused = true
		return nil
	}
	m.size = int(size)
	if m.grown != nil {
		m.grown()
	}
	return m.reserved[:size:size]
}

// Free implements experimental.LinearMemory.
func (m *memory) Free() {
	if m.reserved != nil {
		_ = unix.Munmap(m.reserved)
		m.reserved = nil
	}
}

// image is the memory of an initialised module, in a file that exists in
// memory only and that nobody can change any more.
type image struct {
	fd    int
	size  int
	bytes []byte // the file, to be read
}

// photograph copies the first size bytes. Pages of zeros stay holes.
func (m *memory) photograph() (*image, error) {
	fd, err := unix.MemfdCreate("scanner", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHost, err)
	}
	i := &image{fd: fd, size: m.size}
	if err := i.fill(m.reserved[:m.size]); err != nil {
		i.close()
		return nil, fmt.Errorf("%w: %w", ErrHost, err)
	}
	return i, nil
}

const page = 1 << 12

func (i *image) fill(b []byte) error {
	if err := unix.Ftruncate(i.fd, int64(len(b))); err != nil {
		return err
	}
	for at := 0; at < len(b); at += page {
		part := b[at:min(at+page, len(b))]
		if zero(part) {
			continue
		}
		if n, err := unix.Pwrite(i.fd, part, int64(at)); err != nil {
			return err
		} else if n != len(part) {
			return unix.EIO
		}
	}
	if len(b) > 0 {
		var err error
		if i.bytes, err = unix.Mmap(i.fd, 0, len(b), unix.PROT_READ, unix.MAP_PRIVATE); err != nil {
			return err
		}
	}
	_, err := unix.FcntlInt(uintptr(i.fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE|unix.F_SEAL_GROW|unix.F_SEAL_SHRINK|unix.F_SEAL_SEAL)
	return err
}

func zero(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		if *(*uint64)(unsafe.Pointer(unsafe.SliceData(b))) != 0 {
			return false
		}
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

func (i *image) close() {
	if i.bytes != nil {
		_ = unix.Munmap(i.bytes)
	}
	_ = unix.Close(i.fd)
}

// overlay puts the image in place of what the memory holds, which must be of
// the same size. The address stays, so that compiled code finds it.
func (m *memory) overlay(i *image) error {
	if i.size > 0 {
		at := unsafe.Pointer(unsafe.SliceData(m.reserved))
		if _, err := unix.MmapPtr(i.fd, 0, at, uintptr(i.size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED); err != nil {
			return fmt.Errorf("%w: %w", ErrHost, err)
		}
	}
	m.image, m.copies = i, nil
	m.raw = make([]uint64, i.size/pageSize)
	return nil
}

// keepBytes is how much is kept in copies. They spare the next call a fault
// each; more than this are given back.
const keepBytes = 1 << 20

// watch is called before a call, in the thread that the call stays in, and
// settle after it.
func (m *memory) watch() { m.before, m.quiet = faults(), false }

func (m *memory) settle() { m.quiet = m.before >= 0 && m.before == faults() }

// reset makes a memory of the image's size equal to the image again. A page
// that is no copy was not written. Where the call met no fault there are no
// other copies than before; otherwise the kernel is asked, which takes tens of
// nanoseconds for each page of the image.
func (m *memory) reset() error {
	if m.image.size == 0 {
		return nil
	}
	if !m.quiet {
		mapping := m.reserved[:m.image.size]
		var told bool
		if m.copies, told = copied(pagemap(), mapping, m.raw, m.copies[:0]); !told || len(m.copies)*pageSize > keepBytes {
			m.copies = m.copies[:0]
			if err := unix.Madvise(mapping, unix.MADV_DONTNEED); err != nil {
				return fmt.Errorf("%w: %w", ErrHost, err)
			}
		}
	}
	m.quiet = false
	for _, page := range m.copies {
		m.restore(page * pageSize)
	}
	return nil
}

// restore makes one page equal to the image's.
func (m *memory) restore(at int) {
	end := min(at+pageSize, m.image.size)
	if mine, origin := m.reserved[at:end], m.image.bytes[at:end]; !bytes.Equal(mine, origin) {
		copy(mine, origin)
	}
}
