package main

// dense is the automaton of guest/c/phrases.h in Go, table for table.
type dense struct {
	class [256]uint8
	next  [][64]uint16
	ends  []uint8
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func newDense(phrases []string) *dense {
	d := &dense{next: make([][64]uint16, 1), ends: make([]uint8, 1)}
	classes := uint8(1)
	for _, p := range phrases {
		for _, c := range []byte(p) {
			if d.class[lower(c)] == 0 {
				d.class[lower(c)] = classes
				classes++
			}
		}
	}
	for c := 'A'; c <= 'Z'; c++ {
		d.class[c] = d.class[c+'a'-'A']
	}
	for i, p := range phrases {
		at := uint16(0)
		for _, c := range []byte(p) {
			to := d.next[at][d.class[c]]
			if to == 0 {
				to = uint16(len(d.next))
				d.next, d.ends = append(d.next, [64]uint16{}), append(d.ends, 0)
				d.next[at][d.class[c]] = to
			}
			at = to
		}
		d.ends[at] = uint8(i + 1)
	}
	d.complete(classes)
	return d
}

// complete fills in where a failed transition leads, breadth first.
func (d *dense) complete(classes uint8) {
	fail := make([]uint16, len(d.next))
	var queue []uint16
	for _, to := range d.next[0] {
		if to != 0 {
			queue = append(queue, to)
		}
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if d.ends[at] == 0 {
			d.ends[at] = d.ends[fail[at]]
		}
		for c := range classes {
			other := d.next[fail[at]][c]
			if to := d.next[at][c]; to != 0 {
				fail[to] = other
				queue = append(queue, to)
			} else {
				d.next[at][c] = other
			}
		}
	}
}
