package main

// tally counts stems: open addressing, since a guest pays dearly for every step
// of a map. The zero value is empty.
type tally struct {
	slots []count // a power of two, or none
	used  int
}

type count struct {
	stem uint32
	n    uint32 // 0: the slot is free
}

// fewestSlots is how many slots a tally begins with.
const fewestSlots = 64

// slot returns that of a stem, or the free one where it belongs.
func (t *tally) slot(stem uint32) *count {
	mask := uint32(len(t.slots) - 1)
	for h := stem * 0x9E3779B1 >> 8 & mask; ; h = (h + 1) & mask {
		if c := &t.slots[h]; c.n == 0 || c.stem == stem {
			return c
		}
	}
}

func (t *tally) add(stem uint32) {
	if 2*t.used >= len(t.slots) {
		t.grow()
	}
	c := t.slot(stem)
	if c.n == 0 {
		c.stem = stem
		t.used++
	}
	c.n++
}

func (t *tally) grow() {
	old := t.slots
	t.slots = make([]count, max(fewestSlots, 4*len(old)))
	for _, c := range old {
		if c.n != 0 {
			*t.slot(c.stem) = c
		}
	}
}

// of is how often a stem was added.
func (t *tally) of(stem uint32) uint32 {
	if len(t.slots) == 0 {
		return 0
	}
	return t.slot(stem).n
}

// reset makes it empty.
func (t *tally) reset() {
	clear(t.slots)
	t.used = 0
}
