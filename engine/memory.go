package engine

import "github.com/tetratelabs/wazero/experimental"

// memoryCap allocates the linear memory of one instance and refuses to let it
// grow past the cap. It remembers a refusal, so that the trap that follows is
// named for its cause.
type memoryCap struct {
	cap     uint64
	refused bool
	buf     []byte
}

// Allocate implements experimental.MemoryAllocator.
func (m *memoryCap) Allocate(_, _ uint64) experimental.LinearMemory { return m }

// Reallocate returns nil past the cap: memory.grow answers -1. Bytes that it
// uncovers were never written, so they are zero. A declared minimum above the
// cap was refused when the module was loaded.
func (m *memoryCap) Reallocate(size uint64) []byte {
	if size > m.cap {
		m.refused = true
		return nil
	}
	if size > uint64(cap(m.buf)) {
		grown := make([]byte, size, min(size+size/2, m.cap))
		copy(grown, m.buf)
		m.buf = grown
	}
	m.buf = m.buf[:size]
	return m.buf
}

// Free implements experimental.LinearMemory.
func (m *memoryCap) Free() { m.buf = nil }
