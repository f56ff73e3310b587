//go:build !linux || portable

package sandbox

import (
	"slices"

	"github.com/tetratelabs/wazero/experimental"
)

// memory is the linear memory of one instance, reset by copying the image.
type memory struct {
	buf     []byte
	limit   uint64
	image   *image // nil until overlaid
	size    int
	refused bool   // growth past the limit was asked for
	grown   func() // called after each growth of an instance
}

func newMemory(limit uint32) (*memory, error) { return &memory{limit: uint64(limit)}, nil }

// Allocate implements experimental.MemoryAllocator.
func (m *memory) Allocate(_, _ uint64) experimental.LinearMemory { return m }

// Reallocate implements experimental.LinearMemory. It returns nil past the
// limit, and memory.grow answers -1.
func (m *memory) Reallocate(size uint64) []byte {
	if size > m.limit {
		m.refused = true
		return nil
	}
	if size > uint64(cap(m.buf)) {
		grown := make([]byte, size, min(size+size/2, m.limit))
		copy(grown, m.buf)
		m.buf = grown
	}
	m.buf = m.buf[:size]
	m.size = int(size)
	if m.grown != nil {
		m.grown()
	}
	return m.buf
}

// Free implements experimental.LinearMemory.
func (m *memory) Free() { m.buf = nil }

// image is the memory of an initialised module.
type image struct {
	bytes []byte
	size  int
}

func (m *memory) photograph() (*image, error) {
	return &image{slices.Clone(m.buf[:m.size]), m.size}, nil
}

func (i *image) close() {}

// overlay puts the image in place of what the memory holds.
func (m *memory) overlay(i *image) error {
	m.image = i
	return m.reset()
}

// watch is called before a call, and settle after it.
func (m *memory) watch() {}

func (m *memory) settle() {}

// reset makes a memory of the image's size equal to the image again.
func (m *memory) reset() error {
	copy(m.buf, m.image.bytes)
	return nil
}
