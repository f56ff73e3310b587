package overreach

// dictionary holds the words that have a class or stand in a pattern: open
// addressing over the indices of the entries, since a guest pays dearly for
// every step of a map.
type dictionary struct {
	slots   [1 << slotBits]uint16
	entries []entry // the first is none
}

type entry struct {
	letters
	class class
}

// letters are the bytes of a word of at most sixteen, the first one lowest.
type letters struct{ low, high uint64 }

// lettersOf returns the bytes of a word of the vocabulary, none of which is longer.
func lettersOf(word string) (l letters) {
	if len(word) > longest {
		panic("overreach: a word too long: " + word)
	}
	for i := range len(word) {
		l.add(i, word[i])
	}
	return l
}

// longest is how many bytes a word of the vocabulary has at most.
const longest = 16

// add puts in the byte at place i.
func (l *letters) add(i int, c byte) {
	switch {
	case i < 8:
		l.low |= uint64(c) << (8 * i)
	case i < longest:
		l.high |= uint64(c) << (8 * (i - 8))
	}
}

const slotBits = 12

// slot is where a word is looked for first.
func (l letters) slot() uint64 {
	return (l.low*0x9E3779B97F4A7C15 + l.high*0xC2B2AE3D27D4EB4F) >> (64 - slotBits)
}

func newDictionary() *dictionary { return &dictionary{entries: make([]entry, 1)} }

// add gives a word a class, 0 for none, and returns its number.
func (d *dictionary) add(word string, c class) int16 {
	l := lettersOf(word)
	slot := l.slot()
	for ; d.slots[slot] != 0; slot = (slot + 1) % (1 << slotBits) {
		if n := d.slots[slot]; d.entries[n].letters == l {
			d.entries[n].class |= c
			return int16(n)
		}
	}
	d.entries = append(d.entries, entry{l, c})
	d.slots[slot] = uint16(len(d.entries) - 1)
	return int16(len(d.entries) - 1)
}

// find returns the number and the class of a word, 0 and 0 if it is in no list.
func (d *dictionary) find(low, high uint64) (int16, class) {
	for slot := (letters{low, high}).slot(); d.slots[slot] != 0; slot = (slot + 1) % (1 << slotBits) {
		n := d.slots[slot]
		if e := &d.entries[n]; e.low == low && e.high == high {
			return int16(n), e.class
		}
	}
	return 0, 0
}
