package overreach

// dictionary holds the words that have a class or stand in a pattern: open
// addressing over the indices of the entries, since a guest pays dearly for
// every step of a map.
type dictionary struct {
	slots   [1 << slotBits]uint16
	entries []entry // the first is none
}

type entry struct {
	text  string
	class class
}

const slotBits = 12

func newDictionary() *dictionary { return &dictionary{entries: make([]entry, 1)} }

// add gives a word a class, 0 for none, and returns its number.
func (d *dictionary) add(word string, c class) int16 {
	slot := hash([]byte(word)) >> (32 - slotBits)
	for ; d.slots[slot] != 0; slot = (slot + 1) % (1 << slotBits) {
		if n := d.slots[slot]; d.entries[n].text == word {
			d.entries[n].class |= c
			return int16(n)
		}
	}
	d.entries = append(d.entries, entry{word, c})
	d.slots[slot] = uint16(len(d.entries) - 1)
	return int16(len(d.entries) - 1)
}

// find returns the number and the class of a word with this hash, 0 and 0 if it
// is in no list.
func (d *dictionary) find(word []byte, h uint32) (int16, class) {
	for slot := h >> (32 - slotBits); d.slots[slot] != 0; slot = (slot + 1) % (1 << slotBits) {
		if n := d.slots[slot]; d.entries[n].text == string(word) {
			return int16(n), d.entries[n].class
		}
	}
	return 0, 0
}

// FNV-1a, with a last step that spreads it to the high bits.
const (
	hashSeed  = 2166136261
	hashPrime = 16777619
	spread    = 0x9E3779B1
)

func hash(word []byte) uint32 {
	h := uint32(hashSeed)
	for _, c := range word {
		h = (h ^ uint32(c)) * hashPrime
	}
	return h * spread
}
