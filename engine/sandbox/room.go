package sandbox

import "context"

// Room is what bartizan_alloc returned.
type Room struct {
	At, Size uint32
	Memory   uint64 // bytes of it then
}

// check returns the fault of a room that nothing can be written to.
func (r Room) check() error {
	switch {
	case r.At == 0:
		return breach(NoRoom, "%s returned 0, a fault", exportAlloc)
	case r.At%8 != 0:
		return breach(Misaligned, "%s returned %d, which is not 8-aligned", exportAlloc, r.At)
	case uint64(r.At)+uint64(r.Size) > r.Memory:
		return breach(RoomOutside, "%s returned %d: %d bytes there lie outside a memory of %d", exportAlloc, r.At, r.Size, r.Memory)
	}
	return nil
}

// Alloc asks a reactor for room as a call does, writes nothing there and forgets
// it: for conformance kits, which ask for sizes that no call has. The error is
// what a call with an input of that size would end with.
func (m *Module) Alloc(ctx context.Context, size uint32) (Room, error) {
	i, err := m.acquire(ctx)
	if err != nil {
		return Room{}, err
	}
	i.run.begin(ctx, m.opts.Limits, m.opts.Limits.budget(int(size)), m.opts.Log)
	room, err := i.room(size)
	if err != nil {
		m.discard(i)
		return Room{}, err
	}
	m.release(i)
	return room, room.check()
}
